package suite

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// TestPartitionsGrow: new partitions get a producer and a worker without anybody
// asking for them.
func TestPartitionsGrow(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 2}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], MetadataRefresh: 50 * time.Millisecond})
	reader := newForeign(t, fake.Addrs(), nil)
	flow := newFlow(t, client, "orders")
	sub := flow.subscribe()
	flow.produce(ctx, 500)
	require.True(t, flow.handed.await(ctx, 500))
	reader.grow(ctx, "orders", 5)
	require.Eventually(t, func() bool {
		flow.produce(ctx, 50)
		return len(sub.Progress()) == 5 && sub.Progress()[4].Handled > 0
	}, patience, time.Millisecond, "the new partitions are not used")
	flow.verifyAcked(ctx, reader)
	require.Len(t, sub.Progress(), 5)
	require.NotNil(t, find(t, client, "producers", "orders", "producer:4"))
}

// TestTopicComesBack deletes a topic that is in use and creates it anew: what
// was accepted meanwhile is acked or fails, and then producers and subscribers
// work on the new topic.
func TestTopicComesBack(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 3}})
	client, _ := start(t, moldau.Config{
		Brokers: fake.Addrs()[0], MetadataRefresh: 50 * time.Millisecond,
		Produce: moldau.ProduceConfig{DeliveryTimeout: 500 * time.Millisecond},
	})
	recreated(t, ctx, client, "orders", newForeign(t, fake.Addrs(), nil), func() {
		require.NoError(t, fake.DeleteTopic("orders"))
	}, func() {
		require.NoError(t, fake.CreateTopic("orders", 3, nil))
	})
}

// recreated runs three flows over a topic: one before it is deleted, one while
// it is away, one after it is there again; the first and the last lose nothing.
func recreated(t *testing.T, ctx context.Context, client *moldau.Client, topic string, reader *foreign, remove, create func()) {
	t.Helper()
	before := newFlow(t, client, topic)
	sub := before.subscribe()
	before.produce(ctx, 1000)
	before.verifyAcked(ctx, reader)
	require.NoError(t, sub.Stop(ctx))

	remove()
	meanwhile := newFlow(t, client, topic)
	meanwhile.produce(ctx, 300)
	create()
	meanwhile.settled(ctx)
	counts := meanwhile.history.Counts()
	require.Equal(t, 300, counts.Acked+counts.Failed)
	held := map[int]int{}
	for _, e := range reader.entries(ctx, topic) {
		held[e.ID]++
		require.Equal(t, 1, held[e.ID], "record %d is in the log twice", e.ID)
	}
	t.Logf("while the topic was away: %+v; the first that failed: %v", counts, meanwhile.history.FirstFailure())

	require.Eventually(t, func() bool {
		_, err := client.Topic(topic).ProduceSync(ctx, text("-1 probe"))
		return err == nil
	}, patience, 10*time.Millisecond, "the new topic takes no record")
	ends := reader.ends(ctx, topic)
	after := newFlow(t, client, topic)
	after.pad = "after"
	seen := counter{}
	_, err := client.SubscribeTopic(moldau.TopicSubscriber{Name: "anew", Topic: topic, Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
			seen.add(set.Count())
			return nil
		}), nil
	}})
	require.NoError(t, err)
	after.produce(ctx, 1000)
	after.settled(ctx)
	require.NoError(t, after.history.FirstFailure())
	total := int64(0)
	for p, end := range reader.ends(ctx, topic) {
		require.GreaterOrEqual(t, end, ends[p])
		total += end
	}
	require.True(t, seen.await(ctx, int(total)), "%d of %d records of the new topic were handed out", seen.value(), total)
}

// TestSubscriberOutlivesItsTopic: the topic of a running subscription is deleted
// and created anew, and its workers read the new one.
func TestSubscriberOutlivesItsTopic(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, seen := start(t, moldau.Config{
		Brokers: fake.Addrs()[0], MetadataRefresh: 50 * time.Millisecond,
		Consume: moldau.ConsumeConfig{MaxWait: 20 * time.Millisecond},
	})
	values := make(chan string, 100)
	_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
			for r := range set.Records() {
				values <- string(r.Value)
			}
			return nil
		}), nil
	}})
	require.NoError(t, err)
	for range 3 {
		_, err = client.Topic("orders").ProduceSync(ctx, text("old"))
		require.NoError(t, err)
		require.Equal(t, "old", receive(t, ctx, values, "a record of the old topic"))
	}
	lost := seen.next(is[telemetry.FetchFailed])
	require.NoError(t, fake.DeleteTopic("orders"))
	receive(t, ctx, lost, "an event that the topic is gone")
	require.NoError(t, fake.CreateTopic("orders", 1, nil))
	require.Eventually(t, func() bool {
		_, err := client.Topic("orders").ProduceSync(ctx, text("new"))
		return err == nil
	}, patience, 10*time.Millisecond)
	require.Equal(t, "new", receive(t, ctx, values, "a record of the new topic"))
}

// TestFloorOfATopicMadeAnew: the topic of a running subscription is made anew, and
// a worker that fails when the new log has grown beyond the old place goes on from
// its last ack in the new one.
func TestFloorOfATopicMadeAnew(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, seen := start(t, moldau.Config{
		Brokers: fake.Addrs()[0], MetadataRefresh: 50 * time.Millisecond,
		Consume: moldau.ConsumeConfig{MaxWait: 20 * time.Millisecond},
	})
	values, grown := make(chan string, 100), make(chan struct{})
	_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
			for r := range set.Records() {
				if string(r.Value) == "poison" && a.Restarts == 0 {
					<-grown
					return errors.New("poison")
				}
				values <- string(r.Value)
			}
			return nil
		}), nil
	}})
	require.NoError(t, err)
	produce := func(value string) error {
		_, err := client.Topic("orders").ProduceSync(ctx, text(value))
		return err
	}
	for range 10 {
		require.NoError(t, produce("old"))
		require.Equal(t, "old", receive(t, ctx, values, "a record of the old topic"))
	}
	lost := seen.next(is[telemetry.FetchFailed])
	require.NoError(t, fake.DeleteTopic("orders"))
	receive(t, ctx, lost, "an event that the topic is gone")
	require.NoError(t, fake.CreateTopic("orders", 1, nil))
	require.Eventually(t, func() bool { return produce("new") == nil }, patience, 10*time.Millisecond)
	require.Equal(t, "new", receive(t, ctx, values, "a record of the new topic"))
	require.NoError(t, produce("poison"))
	for range 15 {
		require.NoError(t, produce("later"))
	}
	close(grown)
	require.Equal(t, "poison", receive(t, ctx, values, "the record that was not acked"))
}

// TestSubscriptionWaitsForItsTopic: a topic that is not there yet is waited for.
func TestSubscriptionWaitsForItsTopic(t *testing.T) {
	bubble(t, nil, func(b *bubbled) {
		client := b.start(moldau.Config{})
		values := make(chan string, 1)
		_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
			return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
				for r := range set.Records() {
					values <- string(r.Value)
				}
				return nil
			}), nil
		}})
		require.NoError(b.t, err)
		time.Sleep(time.Minute)
		_, err = client.Topic("orders").ProduceSync(b.t.Context(), text("x"))
		require.ErrorIs(b.t, err, wire.ErrUnknownTopic)
		require.NoError(b.t, b.fake.CreateTopic("orders", 2, nil))
		time.Sleep(6 * time.Second) // past Config.UnknownTopicTTL
		_, err = client.Topic("orders").ProduceSync(b.t.Context(), text("at last"))
		require.NoError(b.t, err)
		require.Equal(b.t, "at last", <-values)
		require.NoError(b.t, client.Close())
	})
}
