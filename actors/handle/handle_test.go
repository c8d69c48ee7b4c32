package handle

import (
	"context"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/record"
)

func TestBrokers(t *testing.T) {
	h, _ := newHandle(t, 0, nil)
	first, second := actor.NewPID("a", "1"), actor.NewPID("a", "2")
	require.Nil(t, h.Broker(1))
	h.SetBroker(1, nil, first)
	h.SetBroker(1, first, nil)
	h.SetBroker(1, second, nil)
	h.SetBroker(1, nil, first)
	require.Equal(t, second, h.Broker(1), "one that was left behind takes nothing back")
	h.SetBroker(1, nil, second)
	require.Nil(t, h.Broker(1))
	list := []metadata.Broker{{ID: 4}}
	h.SetNodes(list)
	require.Equal(t, list, h.Nodes())
}

func TestTheView(t *testing.T) {
	h, _ := newHandle(t, 0, nil)
	require.NotNil(t, h.Cluster())
	require.Zero(t, h.Cluster().Count("t"))
	view := &metadata.Cluster{ID: "x"}
	h.SetCluster(view)
	require.Same(t, view, h.Cluster())
	require.NotNil(t, h.Codecs())
}

func TestTopics(t *testing.T) {
	h, topic := newHandle(t, 2, nil)
	again, err := h.Topic("t")
	require.NoError(t, err)
	require.Same(t, topic, again)
	other, err := h.Topic("a")
	require.NoError(t, err)
	require.Equal(t, []*Topic{other, topic}, h.Topics())
	require.Equal(t, "t", topic.Name())

	slot := topic.Slot(1)
	topic.Grow(5)
	topic.Grow(3)
	require.Equal(t, int32(5), topic.Count(), "it never shrinks")
	require.Same(t, slot, topic.Slot(1))
	require.Nil(t, topic.Slot(5))
	require.Nil(t, topic.Slot(-1))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { topic.Grow(20) })
	}
	all.Wait()
	require.Equal(t, int32(20), topic.Count())
}

func TestPartitionersChoose(t *testing.T) {
	_, topic := newHandle(t, 6, func(c *Config) { c.Produce.BatchBytes = 1000 })
	slot := func(r *record.Record, by behaviors.Partitioner) int32 {
		s, err := topic.choose(*topic.slots.Load(), r, by)
		require.NoError(t, err)
		return s.partition
	}
	key := &record.Record{Key: []byte("foobar")}
	require.Equal(t, behaviors.ByKey(key.Key, 6), slot(key, topic.by))
	require.Equal(t, int32(3), slot(key, behaviors.On(3)))
	require.Equal(t, behaviors.ByKey([]byte{}, 6), slot(&record.Record{Key: []byte{}}, topic.by), "an empty key is a key")
	for _, p := range []int32{-1, 6} {
		_, err := topic.choose(*topic.slots.Load(), key, behaviors.On(p))
		require.ErrorIs(t, err, wire.ErrUnknownTopic)
	}
}

// A configured round robin shares each topic's records, however topics take turns.
func TestRoundRobinIsPerTopic(t *testing.T) {
	h, orders := newHandle(t, 2, func(c *Config) { c.Produce.Partitioner = behaviors.RoundRobin() })
	audit, err := h.Topic("audit")
	require.NoError(t, err)
	audit.Grow(2)
	for i := range int32(10) {
		for _, topic := range []*Topic{orders, audit} {
			p := topic.Append(t.Context(), value("x"), nil, Lingers, nil)
			require.Equal(t, i%2, p.outcome.slot.partition, topic.name)
		}
	}
}

// LikeJava chosen for one topic sticks as the default does; another scheme that is configured does not.
func TestOnlyJavasWaySticks(t *testing.T) {
	_, topic := newHandle(t, 6, func(c *Config) { c.Produce.Partitioner = behaviors.Random })
	partitions := func(by behaviors.Partitioner) map[int32]bool {
		seen := map[int32]bool{}
		for range 100 {
			p := topic.Append(t.Context(), value("x"), by, Lingers, nil)
			require.NoError(t, p.NotAccepted())
			seen[p.outcome.slot.partition] = true
		}
		return seen
	}
	require.Len(t, partitions(nil), 6)
	require.Less(t, len(partitions(behaviors.LikeJava)), 3)
	require.Len(t, partitions(behaviors.LikeKafkaEx), 6)
	require.Len(t, partitions(behaviors.LikeBrod), 1)
	require.Len(t, partitions(behaviors.PartitionerFunc(func(behaviors.Record, int32) int32 { return 2 })), 1, "functions are not compared")
}

// Records without key fill the batch of one partition before they go to another.
func TestRecordsWithoutKeyStick(t *testing.T) {
	_, topic := newHandle(t, 6, func(c *Config) { c.Produce.BatchBytes = 1000 })
	seen, runs, last := map[*Slot]bool{}, 0, (*Slot)(nil)
	for range 1000 {
		p := topic.Append(context.Background(), value("0123456789012345678901234567890123456789"), nil, Lingers, nil)
		require.NoError(t, p.NotAccepted())
		seen[p.outcome.slot] = true
		if p.outcome.slot != last {
			runs, last = runs+1, p.outcome.slot
		}
	}
	require.Len(t, seen, 6, "records without key go everywhere")
	require.Less(t, runs, 90, "and stay with a partition for a batch")
}

func TestSubscriptions(t *testing.T) {
	h, _ := newHandle(t, 0, nil)
	b, a := &Subscription{Name: "b"}, &Subscription{Name: "a"}
	require.NoError(t, h.Subscribe(b))
	require.NoError(t, h.Subscribe(a))
	require.ErrorIs(t, h.Subscribe(&Subscription{Name: "a"}), ErrDuplicate)
	require.Equal(t, []*Subscription{a, b}, h.Subscriptions())
	h.Unsubscribe(a)
	require.Equal(t, []*Subscription{b}, h.Subscriptions())
	h.Stop(ErrStopped)
	require.ErrorIs(t, h.Subscribe(a), ErrStopped)
}

func TestAssign(t *testing.T) {
	s := &Subscription{Topic: "t"}
	require.Equal(t, []Partition{{"t", 0}, {"t", 1}}, s.Assign(2))
	require.Empty(t, s.Assign(2))
	require.Empty(t, s.Assign(0), "a topic that is not known for a moment")
	require.Equal(t, []Partition{{"t", 2}}, s.Assign(3))
	require.Equal(t, []Partition{{"t", 0}, {"t", 1}, {"t", 2}}, s.Assigned())
	s = &Subscription{Topic: "t", Partitions: []int32{5, 1, 5}}
	require.Equal(t, []Partition{{"t", 1}}, s.Assign(3), "5 is not there yet")
	require.Equal(t, []Partition{{"t", 5}}, s.Assign(6))
}

func TestProgress(t *testing.T) {
	s := &Subscription{Topic: "t"}
	p := s.Progress(Partition{"t", 1})
	require.Same(t, p, s.Progress(Partition{"t", 1}))
	first, restarts, _, acked := p.Attach()
	require.False(t, acked)
	require.Zero(t, restarts)
	_, acked = p.Next()
	require.False(t, acked)
	require.True(t, p.Ack(first, 10, 4))
	second, restarts, next, acked := p.Attach()
	require.True(t, acked)
	require.Equal(t, []int64{1, 10}, []int64{int64(restarts), next})
	require.False(t, p.Ack(first, 20, 1), "of an incarnation that is gone")
	require.False(t, p.Ack(second, 9, 1), "never backwards")
	require.Equal(t, int64(4), p.Handled())
	require.Equal(t, 1, p.Restarts())
	pid := actor.NewPID("a", "1")
	p.SetConsumer(pid)
	require.Equal(t, pid, p.Consumer())
}

// Whatever comes in whatever order, the floor never goes back, and only the
// newest lease moves it.
func TestFloorsNeverGoBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Progress{}
		lease, floor, any := uint64(0), int64(0), false
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			if rapid.IntRange(0, 3).Draw(t, "attach") == 0 {
				lease, _, _, _ = p.Attach()
				continue
			}
			by := lease - uint64(rapid.IntRange(0, 1).Draw(t, "old"))
			next := rapid.Int64Range(0, 50).Draw(t, "next")
			ok := by == lease && (!any || next >= floor)
			require.Equal(t, ok, p.Ack(by, next, 1))
			if ok {
				floor, any = next, true
			}
			got, acked := p.Next()
			require.Equal(t, any, acked)
			require.Equal(t, floor, got)
		}
	})
}

func TestIdentity(t *testing.T) {
	h, _ := newHandle(t, 0, nil)
	_, known, plain := h.Identity(&h.config.Produce)
	require.False(t, known || plain)
	h.SetIdentity(Identity{ID: 7})
	h.DropIdentity(Identity{ID: 6})
	id, known, _ := h.Identity(&h.config.Produce)
	require.True(t, known)
	require.Equal(t, int64(7), id.ID)
	h.DropIdentity(id)
	_, known, _ = h.Identity(&h.config.Produce)
	require.False(t, known)
	h.NoIdentity()
	_, _, plain = h.Identity(&h.config.Produce)
	require.True(t, plain)
	h, _ = newHandle(t, 0, func(c *Config) { c.Produce.Acks = AcksLeader })
	_, _, plain = h.Identity(&h.config.Produce)
	require.True(t, plain, "idempotence takes acks from all")
}
