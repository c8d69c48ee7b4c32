package actors

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/consuming"
	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// Purpose:  reads one partition for one subscriber: keeps its place, fetches
// ahead, hands out one message set after another as they are acked.
// Parent:   worker:<topic>/<partition>, its first child; or consumers.
// Children: none.
// Messages: in protocol.Subscribe, protocol.Ack, protocol.Unsubscribe,
// protocol.Pause, protocol.Resume, fetched, resolved, leaderFound,
// supervisor.Down, tick; out findLeader to the client, fetchWant and lookUpOffset
// to the leader's broker actor or a replica's, protocol.MessageSet and
// protocol.FetchError to the subscriber.
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
	handed     []handedSet           // and not acked, in order
	lastID     uint64
	back       bool   // the position went back, and nothing from there is handed out yet
	old        uint64 // the last set of before that
	maxBytes   int32
	subscriber *actor.PID
	watching   supervisor.Ref // the subscriber
	direct     *handle.Direct // nil: the subscriber is the handler beside us
	lease      uint64
	turn       uint64 // of the subscription
	ref        any    // that the subscriber gave it
	leader     nearBroker
	replica    nearBroker // that the leader named
}

// resolved is the outcome of a ListOffsets request.
type resolved struct {
	number uint64
	offset int64
	err    error
}

// replicaTime is how long a replica is read from before the leader is asked again
// whether it is the right one: it may be by now that another is in sync and nearer.
const replicaTime = 5 * time.Minute

// resets are the core's words for the configuration's.
var resets = [...]consuming.Reset{
	handle.ResetEarliest: consuming.ResetEarliest, handle.ResetLatest: consuming.ResetLatest,
	handle.ResetNearest: consuming.ResetNearest, handle.ResetSince: consuming.ResetSince,
	handle.ResetSubscriber: consuming.ResetRefused, handle.ResetFail: consuming.ResetRefused,
}

func newConsumer(h *handle.Handle, p handle.Partition, progress *handle.Progress) *consumer {
	config := &h.Config().Consume
	return &consumer{
		handle: h, key: fetching.Key{Topic: p.Topic, Partition: p.Partition}, progress: progress,
		maxBytes: config.MaxPartitionBytes, leader: nearBroker{node: -1}, replica: nearBroker{node: -1},
		core: consuming.New(consuming.Config{
			PrefetchBytes: config.PrefetchBytes, PrefetchCount: config.PrefetchCount,
			Reset: resets[config.Reset], ResetBack: config.ResetBack, ReplicaTime: replicaTime,
			BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second,
		}, rand.Float64),
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
	case *protocol.Pause:
		c.core.Pause()
	case *protocol.Resume:
		c.do(ctx, c.core.Resume(now))
	case *leaderFound:
		c.leaderFound(ctx, m, now)
	case *resolved:
		offset := c.core.Begins(m.offset)
		if m.err == nil && m.number == c.core.Number() {
			c.progress.Began(c.turn, offset)
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
	for len(c.handed) > 0 && c.handed[0].last <= m.Offset {
		c.handed[0].memory.recycle(c.handle.Answers())
		c.handed = c.handed[1:]
	}
	if len(c.handed) == 0 {
		c.handed = nil
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
	c.handed = nil
	c.unwant(ctx, &c.leader)
	c.unwant(ctx, &c.replica)
}

// subscribe takes a subscriber, in place of one that is gone or the same one.
func (c *consumer) subscribe(ctx actor.Context, m *protocol.Subscribe, now time.Time) {
	if c.subscriber != nil && !c.subscriber.Equal(m.Subscriber) {
		ctx.Send(m.Subscriber, &protocol.FetchError{Ref: m.Ref, Consumer: ctx.Self(), Topic: c.key.Topic, Partition: c.key.Partition, Err: protocol.ErrSubscribed})
		return
	}
	if c.subscriber == nil {
		c.subscriber, c.watching = m.Subscriber, supervisor.Monitor(ctx, m.Subscriber)
	}
	c.turn, c.ref = c.progress.Turn(), m.Ref
	if offset, ok := m.Begin.Offset(); ok {
		c.progress.Began(c.turn, offset)
	}
	c.handed = nil // what is not acked may be looked at yet: it is not used again
	c.do(ctx, c.core.Subscribe(now, m.Begin))
}

func (c *consumer) unsubscribe(ctx actor.Context, who *actor.PID) {
	if c.subscriber != nil && c.subscriber.Equal(who) {
		supervisor.Demonitor(ctx, c.watching)
		c.unsubscribed(ctx)
	}
}

// unsubscribed forgets the subscriber.
func (c *consumer) unsubscribed(ctx actor.Context) {
	c.subscriber, c.handed = nil, nil
	c.do(ctx, c.core.Unsubscribe())
	c.free(ctx)
}

func (c *consumer) down(ctx actor.Context, m *supervisor.Down, now time.Time) {
	if c.subscriber != nil && m.Ref == c.watching {
		c.unsubscribed(ctx)
		return
	}
	for _, b := range []*nearBroker{&c.leader, &c.replica} {
		if b.pid != nil && m.Ref == b.watch {
			b.pid = nil
			c.do(ctx, c.core.BrokerDown(now, b.node, errBrokerGone(b.node, m.Reason)))
			return
		}
	}
}

func (c *consumer) leaderFound(ctx actor.Context, m *leaderFound, now time.Time) {
	leader, ok := c.handle.Cluster().Leader(c.key.Topic, c.key.Partition)
	if m.err != nil || !ok {
		c.do(ctx, c.core.NoLeader(now, orNoLeader(m.err, c.key.Topic, c.key.Partition)))
		return
	}
	if !c.near(ctx, &c.leader, leader.Leader) {
		c.do(ctx, c.core.NoLeader(now, errBrokerGone(leader.Leader, nil)))
		return
	}
	c.do(ctx, c.core.Leader(now, leader.Leader))
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
			c.unwant(ctx, c.at(a.Node))
		case consuming.Hand:
			if c.back && a.ID > c.old {
				c.back = false
				c.progress.GoneBack(ctx.Self())
			}
			set := c.sets[a.ID]
			c.drop(a.ID)
			c.handed = append(c.handed, handedSet{set.message.Set.Last(), set.memory})
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
			c.handle.Emit(telemetry.OffsetReset{Client: c.handle.Name(), Topic: c.key.Topic, Partition: c.key.Partition, From: a.From, To: a.To, Err: a.Err})
		case consuming.Refused:
			c.refused(ctx, a.Err)
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

// refused tells the subscriber that it has to choose a position. A PID subscribes
// again, to the client; the handler beside us to this consumer.
func (c *consumer) refused(ctx actor.Context, err error) {
	ctx.Send(c.subscriber, &protocol.FetchError{Ref: c.ref, Consumer: ctx.Self(), Topic: c.key.Topic, Partition: c.key.Partition, Err: err})
	if c.direct != nil {
		c.unsubscribe(ctx, c.subscriber)
	}
}

// resolve asks the leader for the offset of a position.
func (c *consumer) resolve(ctx actor.Context, a consuming.Resolve) {
	key := handle.Partition{Topic: c.key.Topic, Partition: c.key.Partition}
	ctx.Send(c.leader.pid, &lookUpOffset{offsetQuery: offsetQuery{key, a.Timestamp}, number: c.core.Number(), consumer: ctx.Self()})
}

// Inspect tells of the place in the partition.
func (c *consumer) Inspect() []supervisor.Attr {
	attrs := []supervisor.Attr{
		number("leader", int64(c.leader.node)), number("position", c.core.Position()), number("buffered", int64(c.core.Buffered())),
	}
	if c.replica.pid != nil {
		attrs = append(attrs, number("replica", int64(c.replica.node)))
	}
	if c.core.Paused() {
		attrs = append(attrs, word("paused", "yes"))
	}
	return attrs
}
