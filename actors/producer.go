package actors

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/producing"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// Purpose:  sends the batches of one partition to its leader, in order, until
// each has an outcome.
// Parent:   the topic's supervisor under producers.
// Children: none.
// Messages: in protocol.Produce, lookAtSlot, leaderFound, identityFound, batchAnswer, supervisor.Down, tick; out
// findLeader and needIdentity to the client, sendBatch to the leader's broker actor.
// Restart:  permanent, delayed.
// Crash:    loses nothing: records, and batches that were under way, are in the
// slot. What was under way is sent again.
type producer struct {
	handle    *handle.Handle
	config    *handle.ProduceConfig
	topic     string
	partition int32
	slot      *handle.Slot
	lease     uint64
	core      *producing.Core
	alarm     alarm
	batches   map[uint64]*handle.Batch // not settled; nil for none
	lastID    uint64
	deferred  []producing.Send // that wait for the producer id
	asking    bool             // for the producer id
	broker    *actor.PID       // of the leader; watched
	node      int32
	epoch     int32 // of the leader that was told last; -1: not known
	watched   []watchedBroker
	here      bool // the turn runs on the goroutine of a caller who waits
}

// startProducing is a producer's first message to itself: what it then does may
// fail, and a failure is a crash that is restarted, not a start that failed.
type startProducing struct{}

// lookAtSlot tells a producer that something changed in its slot. here says that
// its turn runs on the goroutine of the caller who waits for it.
type lookAtSlot struct{ here bool }

func newProducer(h *handle.Handle, topic *handle.Topic, partition int32) *producer {
	return &producer{
		handle: h, config: topic.Config(), topic: topic.Name(), partition: partition, slot: topic.Slot(partition),
		node: -1, epoch: -1,
	}
}

// Receive implements actor.Actor.
func (p *producer) Receive(ctx actor.Context) {
	now := time.Now()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.start(ctx)
	case *actor.Stopping:
		p.alarm.stop()
		p.slot.Detach(p.lease)
	case *protocol.Produce:
		accept(ctx, p.slot, m, ctx.Sender())
	case startProducing:
		p.do(ctx, p.core.Start(now))
		p.look(ctx, now)
	case lookAtSlot:
		p.here = m.here
		p.look(ctx, now)
		p.here = false
	case tick:
		p.alarm.rang()
		p.do(ctx, p.core.Tick(now))
	case *leaderFound:
		p.leaderFound(ctx, m, now)
	case *identityFound:
		p.identified(ctx, m, now)
	case *batchAnswer:
		p.answered(ctx, m, now)
	case *supervisor.Down:
		p.brokerDown(ctx, m, now)
	}
}

func (p *producer) start(ctx actor.Context) {
	config := p.config
	root, self := ctx.ActorSystem().Root, ctx.Self()
	system := ctx.ActorSystem()
	lease, unsure := p.slot.Attach(self, func(here bool) {
		if here {
			supervisor.SendHere(system, self, lookAtSlot{here: true})
		} else {
			root.Send(self, lookAtSlot{})
		}
	})
	p.lease = lease
	adopted := make([]producing.Batch, len(unsure))
	for i, b := range unsure {
		adopted[i] = p.adopt(b)
	}
	_, _, plain := p.handle.Identity(p.config)
	p.core = producing.New(producing.Config{
		Linger: config.Linger, DeliveryTimeout: config.DeliveryTimeout, BackoffMin: config.RetryBackoff, BackoffMax: max(time.Second, config.RetryBackoff),
		Idempotent: !plain, MaxInFlight: maxInFlight(config.MaxInFlight, !plain), Forget: forgetAfter, Gone: p.handle.Config().MetadataTimeout,
		Safe: config.Retry == handle.RetrySafe, MaxRetries: config.MaxRetries, LeaderAcks: config.Acks == handle.AcksLeader,
	}, adopted, rand.Float64)
	ctx.Send(self, startProducing{})
}

func (p *producer) adopt(b *handle.Batch) producing.Batch {
	p.lastID++
	if p.batches == nil {
		p.batches = map[uint64]*handle.Batch{}
	}
	p.batches[p.lastID] = b
	return producing.Batch{ID: p.lastID, Opened: b.Opened(), Count: b.Count(), Size: b.Size(), Unsure: b.Attempts > 0, Numbered: b.Numbered()}
}

// forgetAfter is how long a partition may be silent before the broker might
// have forgotten its producer. Kafka's shortest default is a day.
const forgetAfter = 10 * time.Minute

func maxInFlight(configured int, idempotent bool) int {
	switch {
	case configured > 0:
		return configured
	case idempotent:
		return 5
	}
	return 1
}

func (p *producer) look(ctx actor.Context, now time.Time) {
	look := p.slot.Look(p.lease)
	p.do(ctx, p.core.Look(now, look.Ready, look.Opened))
}

func (p *producer) leaderFound(ctx actor.Context, m *leaderFound, now time.Time) {
	leader, ok := p.handle.Cluster().Leader(p.topic, p.partition)
	if m.err != nil || !ok {
		p.do(ctx, p.core.NoLeader(now, orNoLeader(m.err, p.topic, p.partition)))
		return
	}
	p.watchBroker(ctx, leader.Leader)
	p.epoch = leader.Epoch
	p.do(ctx, p.core.Leader(now, leader.Leader))
}

// watchBroker watches the actor of a leader, if it is there. One that is not the
// leader any more stays watched: it may have batches of ours in its hands.
func (p *producer) watchBroker(ctx actor.Context, node int32) {
	p.broker, p.node = p.handle.Broker(node), node
	if p.broker == nil {
		return
	}
	for _, w := range p.watched {
		if w.pid.Equal(p.broker) {
			return
		}
	}
	p.watched = append(p.watched, watchedBroker{supervisor.Monitor(ctx, p.broker), p.broker, node})
}

// watchedBroker is a broker's actor that a producer watches.
type watchedBroker struct {
	ref  supervisor.Ref
	pid  *actor.PID
	node int32
}

func (p *producer) brokerDown(ctx actor.Context, m *supervisor.Down, now time.Time) {
	i := slices.IndexFunc(p.watched, func(w watchedBroker) bool { return w.ref == m.Ref })
	if i < 0 {
		return
	}
	w := p.watched[i]
	p.watched = slices.Delete(p.watched, i, i+1)
	if p.broker != nil && p.broker.Equal(w.pid) {
		p.broker = nil
	}
	var deferred []producing.Send
	for _, a := range p.deferred {
		if a.Node != w.node {
			deferred = append(deferred, a)
			continue
		}
		p.do(ctx, p.core.Answer(now, a.ID, -1, &brokerGone{broker: brokerID(w.node), reason: m.Reason, unsent: true}, false))
	}
	p.deferred = deferred
	p.do(ctx, p.core.BrokerDown(now, w.node, errBrokerGone(w.node, m.Reason)))
}

// do carries out what the core decided. The core is told of what a slot or a
// missing broker answers at once, and what it then decides comes after.
func (p *producer) do(ctx actor.Context, actions []producing.Action) {
	now := time.Now()
	for _, a := range actions {
		switch a := a.(type) {
		case producing.Take:
			p.take(ctx, now)
		case producing.Send:
			p.send(ctx, a, now)
		case producing.Part:
			p.part(ctx, a, now)
		case producing.Bump:
			p.bump(a)
		case producing.Settle:
			p.settle(a)
		case producing.FindLeader:
			askLeader(ctx, p.handle, p.topic, p.partition, a.Stale, p.epoch+1)
		case producing.Retried:
			p.handle.Emit(telemetry.ProduceRetried{Client: p.handle.Name(), Topic: p.topic, Partition: p.partition, Attempt: a.Attempt, Err: a.Err})
		case producing.Wake:
			p.alarm.set(ctx, a.At)
		}
	}
}

func (p *producer) take(ctx actor.Context, now time.Time) {
	b := p.slot.Take(p.lease)
	if b == nil {
		p.do(ctx, p.core.Taken(now, producing.Batch{}, false))
		return
	}
	p.do(ctx, p.core.Taken(now, p.pack(b), true))
	p.look(ctx, now)
}

// pack makes a batch ready to be sent; one that cannot be says so.
func (p *producer) pack(b *handle.Batch) producing.Batch {
	err := p.compress(b)
	batch := p.adopt(b)
	batch.Err = err
	return batch
}

// compress compresses a batch that is held, and gives its hold back: a request
// takes its own.
func (p *producer) compress(b *handle.Batch) error {
	defer b.Release()
	return b.Compress(p.handle.Codecs())
}

// send hands a batch to the leader's broker actor. The first one waits for the
// client's producer id.
func (p *producer) send(ctx actor.Context, a producing.Send, now time.Time) {
	switch id, known, plain := p.handle.Identity(p.config); {
	case plain:
		p.core.Plain(maxInFlight(p.config.MaxInFlight, false))
	case !known:
		p.identify(ctx, a)
		return
	case !p.slot.Number(p.lease, p.batches[a.ID], id):
		p.handle.DropIdentity(id)
		p.identify(ctx, a)
		return
	}
	if p.broker == nil {
		p.watchBroker(ctx, a.Node)
	}
	if p.broker == nil {
		p.do(ctx, p.core.Answer(now, a.ID, -1, errBrokerGone(a.Node, nil), false))
		return
	}
	batch := p.batches[a.ID]
	batch.Attempts++
	m := &sendBatch{batch: batch, lease: p.lease, id: a.ID, alone: a.Alone, from: ctx.Self(), attempt: batch.Attempts}
	if p.here {
		supervisor.SendHere(ctx.ActorSystem(), p.broker, m)
	} else {
		ctx.Send(p.broker, m)
	}
}

// identify keeps a send until the client's producer id is known.
func (p *producer) identify(ctx actor.Context, a producing.Send) {
	p.deferred = append(p.deferred, a)
	if p.asking {
		return
	}
	p.asking = true
	root, self := ctx.ActorSystem().Root, ctx.Self()
	tell(ctx, clientActorName(p.handle), &needIdentity{reply: func(err error) { root.Send(self, &identityFound{err}) }})
}

func (p *producer) identified(ctx actor.Context, m *identityFound, now time.Time) {
	deferred := p.deferred
	p.deferred, p.asking = nil, false
	_, _, plain := p.handle.Identity(p.config)
	for _, a := range deferred {
		if m.err != nil && !plain {
			p.do(ctx, p.core.Answer(now, a.ID, -1, m.err, false))
		} else {
			p.send(ctx, a, now)
		}
	}
}

// bump begins a new epoch in the slot.
func (p *producer) bump(a producing.Bump) {
	batches := make([]*handle.Batch, len(a.IDs))
	for i, id := range a.IDs {
		batches[i] = p.batches[id]
	}
	p.slot.Bump(p.lease, batches)
}

func (p *producer) settle(a producing.Settle) {
	batch := p.batches[a.ID]
	delete(p.batches, a.ID)
	if len(p.batches) == 0 {
		p.batches = nil // an idle partition keeps no map
	}
	if p.slot.Settle(p.lease, batch, a.Base, a.Err) && a.Err != nil {
		p.failed(batch.Count(), a.Err)
	}
}

func (p *producer) failed(records int, err error) {
	p.handle.Emit(telemetry.ProduceFailed{Client: p.handle.Name(), Topic: p.topic, Partition: p.partition, Records: records, Err: err})
}

// Inspect tells what waits in the slot.
func (p *producer) Inspect() []supervisor.Attr {
	look := p.slot.Look(p.lease)
	return []supervisor.Attr{
		number("leader", int64(p.node)), number("ready", int64(look.Ready)), number("taken", int64(len(p.batches))), number("queued", int64(p.slot.Queued())),
	}
}
