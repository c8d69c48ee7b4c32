package actors

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/consuming"
	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/actors/internal/messageset"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// Purpose:  reads one partition for one subscriber: keeps its place, fetches
// ahead, hands out one message set after another as they are acked.
// Parent:   worker:<topic>/<partition>, its first child; or consumers.
// Children: none.
// Messages: in protocol.Subscribe, protocol.Ack, protocol.Unsubscribe, fetched,
// resolved, leaderFound, supervisor.Down, tick; out findLeader to the
// client, fetchWant and lookUpOffset to the leader's broker actor,
// protocol.MessageSet to the subscriber.
// Restart:  permanent, and the handler behind it subscribes anew; under consumers
// transient, and it subscribes its PID itself.
// Crash:    loses nothing: what was handed out and not acked is fetched again.
type consumer struct {
	handle     *handle.Handle
	key        fetching.Key
	progress   *handle.Progress
	core       *consuming.Core
	alarm      alarm
	sets       map[uint64]fetchedSet // not handed out yet; nil for none
	handed     setMemory             // of the set that is handed out
	lastID     uint64
	back       bool   // the position went back, and nothing from there is handed out yet
	old        uint64 // the last set of before that
	maxBytes   int32
	subscriber *actor.PID
	watching   supervisor.Ref // the subscriber
	direct     *handle.Direct // nil: the subscriber is the handler beside us
	lease      uint64
	broker     *actor.PID // of the leader; watched
	node       int32
	watch      supervisor.Ref
}

// resolved is the outcome of a ListOffsets request.
type resolved struct {
	number uint64
	offset int64
	err    error
}

func newConsumer(h *handle.Handle, p handle.Partition, progress *handle.Progress) *consumer {
	config := &h.Config().Consume
	return &consumer{
		handle: h, key: fetching.Key{Topic: p.Topic, Partition: p.Partition}, progress: progress,
		maxBytes: config.MaxPartitionBytes, node: -1,
		core: consuming.New(consuming.Config{PrefetchBytes: config.PrefetchBytes, BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second}, rand.Float64),
	}
}

// newDirectConsumer is a consumer for a PID that subscribed by itself: it keeps
// the ack floor and subscribes it anew after a crash.
func newDirectConsumer(h *handle.Handle, d *handle.Direct) *consumer {
	c := newConsumer(h, d.Key, d.Progress)
	c.direct = d
	return c
}

// Receive implements actor.Actor.
func (c *consumer) Receive(ctx actor.Context) {
	now := time.Now()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.progress.SetConsumer(ctx.Self())
		c.resume(ctx, now)
	case *actor.Stopping:
		c.stop(ctx)
	case tick:
		c.alarm.rang()
		c.do(ctx, c.core.Tick(now))
	case *protocol.Subscribe:
		if c.direct != nil && c.direct.Subscriber.Equal(m.Subscriber) {
			c.direct.Again(m.Begin)
		}
		c.subscribe(ctx, m, now)
	case *protocol.Unsubscribe:
		c.unsubscribe(ctx, m.Subscriber)
	case *protocol.Ack:
		c.acked(ctx, m, now)
	case *leaderFound:
		c.leaderFound(ctx, m, now)
	case *resolved:
		offset := c.core.Begins(m.offset)
		if m.err == nil && m.number == c.core.Number() {
			c.progress.Began(offset)
		}
		c.do(ctx, c.core.Resolved(now, m.number, offset, m.err))
	case *fetched:
		c.fetched(ctx, m, now)
	case *supervisor.Down:
		c.down(ctx, m, now)
	}
}

// resume subscribes the PID that this consumer is for, after its last ack or
// where it began.
func (c *consumer) resume(ctx actor.Context, now time.Time) {
	if c.direct == nil {
		return
	}
	lease, _, next, known := c.progress.Attach()
	c.lease = lease
	begin := c.direct.Begin()
	if known {
		begin = behaviors.At(next)
	}
	c.subscribe(ctx, &protocol.Subscribe{Subscriber: c.direct.Subscriber, Begin: begin}, now)
}

func (c *consumer) acked(ctx actor.Context, m *protocol.Ack, now time.Time) {
	if last, handed := c.core.Handed(); c.direct != nil && handed && m.Offset <= last {
		c.progress.Ack(c.lease, m.Offset+1, 0)
	}
	if last, handed := c.core.Handed(); handed && m.Offset >= last {
		c.handed.recycle(c.handle.Answers())
		c.handed = setMemory{}
	}
	c.do(ctx, c.core.Ack(now, m.Offset))
}

// free ends a direct consumer that nobody reads.
func (c *consumer) free(ctx actor.Context) {
	if c.direct != nil {
		c.handle.Unsubscribed(c.direct)
		supervisor.Exit(ctx, nil)
	}
}

func (c *consumer) stop(ctx actor.Context) {
	c.alarm.stop()
	c.progress.SetConsumer(nil)
	c.do(ctx, c.core.Unsubscribe())
	c.unwant(ctx)
}

// subscribe takes a subscriber, in place of one that is gone or the same one.
func (c *consumer) subscribe(ctx actor.Context, m *protocol.Subscribe, now time.Time) {
	if c.subscriber != nil && !c.subscriber.Equal(m.Subscriber) {
		ctx.Send(m.Subscriber, &protocol.FetchError{Consumer: ctx.Self(), Topic: c.key.Topic, Partition: c.key.Partition, Err: protocol.ErrSubscribed})
		return
	}
	if c.subscriber == nil {
		c.subscriber, c.watching = m.Subscriber, supervisor.Monitor(ctx, m.Subscriber)
	}
	if offset, ok := m.Begin.Offset(); ok {
		c.progress.Began(offset)
	}
	c.do(ctx, c.core.Subscribe(now, m.Begin))
}

func (c *consumer) unsubscribe(ctx actor.Context, who *actor.PID) {
	if c.subscriber != nil && c.subscriber.Equal(who) {
		supervisor.Demonitor(ctx, c.watching)
		c.subscriber = nil
		c.do(ctx, c.core.Unsubscribe())
		c.free(ctx)
	}
}

func (c *consumer) down(ctx actor.Context, m *supervisor.Down, now time.Time) {
	switch {
	case c.subscriber != nil && m.Ref == c.watching:
		c.subscriber = nil
		c.do(ctx, c.core.Unsubscribe())
		c.free(ctx)
	case c.broker != nil && m.Ref == c.watch:
		c.broker = nil
		c.do(ctx, c.core.BrokerDown(now, c.node, errBrokerGone(c.node, m.Reason)))
	}
}

func (c *consumer) leaderFound(ctx actor.Context, m *leaderFound, now time.Time) {
	leader, ok := c.handle.Cluster().Leader(c.key.Topic, c.key.Partition)
	if m.err != nil || !ok {
		c.do(ctx, c.core.NoLeader(now, orNoLeader(m.err, c.key.Topic, c.key.Partition)))
		return
	}
	pid := c.handle.Broker(leader.Leader)
	if pid == nil {
		c.do(ctx, c.core.NoLeader(now, errBrokerGone(leader.Leader, nil)))
		return
	}
	if c.broker != nil {
		supervisor.Demonitor(ctx, c.watch)
		if !c.broker.Equal(pid) {
			c.unwant(ctx)
		}
	}
	c.broker, c.node, c.watch = pid, leader.Leader, supervisor.Monitor(ctx, pid)
	c.do(ctx, c.core.Leader(now, leader.Leader))
}

// fetched opens an answer and tells the core of it.
func (c *consumer) fetched(ctx actor.Context, m *fetched, now time.Time) {
	if m.number != c.core.Number() {
		m.answer.Release()
		return // asked for by a position that was given up
	}
	if m.err != nil {
		m.answer.Release()
		c.do(ctx, c.core.Fetched(now, m.number, consuming.Set{}, 0, m.err))
		return
	}
	opened, err := messageset.Open(messageset.Answer{
		Topic: c.key.Topic, Partition: c.key.Partition, From: c.core.Position(), Data: m.data,
		HighWatermark: m.highWatermark, LastStable: m.lastStable, Aborted: c.aborted(m), Scratch: c.scratch(),
	}, c.handle.Codecs(), 0)
	if err != nil {
		m.answer.Release()
		c.enlarge(err)
		c.do(ctx, c.core.Fetched(now, m.number, consuming.Set{}, 0, err))
		return
	}
	c.maxBytes = c.handle.Config().Consume.MaxPartitionBytes
	set := consuming.Set{}
	if opened.Set != nil {
		c.lastID++
		set = consuming.Set{ID: c.lastID, Bytes: opened.Size, Last: opened.Set.Last()}
		if c.sets == nil {
			c.sets = map[uint64]fetchedSet{}
		}
		c.sets[set.ID] = fetchedSet{&protocol.MessageSet{Consumer: ctx.Self(), Set: opened.Set}, c.memoryOf(m.answer, opened)}
	} else {
		m.answer.Release()
	}
	c.do(ctx, c.core.Fetched(now, m.number, set, opened.Next, nil))
}

func (c *consumer) aborted(m *fetched) []kmsg.FetchResponseTopicPartitionAbortedTransaction {
	if c.handle.Config().Consume.Isolation == handle.ReadUncommitted {
		return nil
	}
	return m.aborted
}

// enlarge asks for more bytes after an answer that held no whole batch.
func (c *consumer) enlarge(err error) {
	if partial := (*messageset.PartialError)(nil); errors.As(err, &partial) {
		c.maxBytes = int32(min(int64(max(2*int(c.maxBytes), partial.Need)), int64(c.handle.Config().Consume.MaxBytes)))
	}
}

// do carries out what the core decided.
func (c *consumer) do(ctx actor.Context, actions []consuming.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case consuming.FindLeader:
			askLeader(ctx, c.handle, c.key.Topic, c.key.Partition, a.Stale, 0)
		case consuming.Resolve:
			c.resolve(ctx, a)
		case consuming.Want:
			c.want(ctx, a)
		case consuming.Unwant:
			c.unwant(ctx)
		case consuming.Hand:
			if c.back && a.ID > c.old {
				c.back = false
				c.progress.GoneBack(ctx.Self())
			}
			set := c.sets[a.ID]
			c.drop(a.ID)
			c.handed = set.memory
			ctx.Send(c.subscriber, set.message)
		case consuming.Drop:
			c.drop(a.ID)
		case consuming.Failed:
			c.handle.Emit(telemetry.FetchFailed{Client: c.handle.Name(), Topic: c.key.Topic, Partition: c.key.Partition, Err: a.Err})
		case consuming.Moved:
			if a.To < a.From {
				c.back, c.old = true, c.lastID
				c.progress.GoBack(ctx.Self(), a.To)
			}
			c.handle.Emit(telemetry.OffsetReset{Client: c.handle.Name(), Topic: c.key.Topic, Partition: c.key.Partition, From: a.From, To: a.To})
		case consuming.Wake:
			c.alarm.set(ctx, a.At)
		}
	}
}

// drop forgets a set, and where to keep them with the last: most partitions of a
// client are idle.
func (c *consumer) drop(id uint64) {
	delete(c.sets, id)
	if len(c.sets) == 0 {
		c.sets = nil
	}
}

// unwant makes the leader's broker actor forget us.
func (c *consumer) unwant(ctx actor.Context) {
	if c.broker != nil {
		ctx.Send(c.broker, &fetchUnwant{key: c.key, consumer: ctx.Self()})
	}
}

func (c *consumer) want(ctx actor.Context, a consuming.Want) {
	leader, _ := c.handle.Cluster().Leader(c.key.Topic, c.key.Partition)
	epoch := leader.Epoch
	if leader.Leader != a.Node {
		epoch = -1
	}
	ctx.Send(c.broker, &fetchWant{fetching.Want{
		Key: c.key, Number: a.Number, Offset: a.Offset, Epoch: epoch, MaxBytes: c.maxBytes, Consumer: ctx.Self(),
	}})
}

// resolve asks the leader for the offset of a position.
func (c *consumer) resolve(ctx actor.Context, a consuming.Resolve) {
	key := handle.Partition{Topic: c.key.Topic, Partition: c.key.Partition}
	ctx.Send(c.broker, &lookUpOffset{offsetQuery: offsetQuery{key, a.Timestamp}, number: c.core.Number(), consumer: ctx.Self()})
}

// Inspect tells of the place in the partition.
func (c *consumer) Inspect() []supervisor.Attr {
	return []supervisor.Attr{
		number("leader", int64(c.node)), number("position", c.core.Position()), number("buffered", int64(c.core.Buffered())),
	}
}
