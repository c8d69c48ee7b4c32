package actors

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/outbox"
	"github.com/moldau-go/moldau/actors/internal/producing"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
)

const (
	// maxProduceVersion is the last version with topic names; later ones name
	// topics by id.
	maxProduceVersion = 12
	// maxProduceRequests is how many Produce requests may be under way on the
	// lane.
	maxProduceRequests = 5
	// busyRequests under way keep a broker at work; what comes in then waits for
	// an answer, at most gatherTime.
	busyRequests = 2
	gatherTime   = 5 * time.Millisecond
)

// produceLanes are the connections that Produce requests go over. A broker
// answers the requests of one in order, so a partition whose last answer took as
// long as the replicas did has requests, and a connection, apart from the others.
var produceLanes = [...]laneKind{laneProduce, laneAlone}

func newOutboxes(maxBytes int) (list [laneCount]*outbox.Core) {
	list[laneProduce] = outbox.New(outbox.Config{MaxRequests: maxProduceRequests, MaxBytes: maxBytes, Busy: busyRequests, Gather: gatherTime})
	list[laneAlone] = outbox.New(outbox.Config{MaxRequests: maxProduceRequests}) // one batch in each
	return list
}

// produceDone tells the broker actor that a request is answered, and how long the
// broker asks to wait with the next. The producers have been told already.
type produceDone struct {
	lane     laneKind
	throttle time.Duration // to be waited
	waited   time.Duration // that the broker has waited itself
}

func answeredProduce(lane laneKind, r wire.Result) *produceDone {
	if r.Throttled {
		return &produceDone{lane: lane, throttle: r.Throttle}
	}
	return &produceDone{lane: lane, waited: r.Throttle}
}

// sharing is what batches have in common that share a request.
type sharing struct {
	acks    handle.Acks
	timeout time.Duration
}

func (b *broker) addBatch(ctx actor.Context, m *sendBatch) {
	lane := laneProduce
	if m.alone {
		lane = laneAlone
	}
	b.outboxes[lane].Add(outbox.Item{
		Ref: m, Topic: m.batch.Topic(), Partition: m.batch.Partition(), Size: m.batch.Size(), Added: time.Now(), Deadline: m.batch.Opened().Add(m.batch.Config().DeliveryTimeout),
		With: sharing{m.batch.Config().Acks, m.batch.Config().AckTimeout},
	})
	b.produce(ctx, lane)
}

func (b *broker) produced(ctx actor.Context, m *produceDone) {
	now := time.Now()
	b.outboxes[m.lane].Done()
	if m.throttle+m.waited > 0 {
		b.handle.Emit(telemetry.ProduceThrottled{Client: b.handle.Name(), Broker: b.id, Throttle: m.throttle + m.waited})
	}
	for _, lane := range produceLanes {
		b.outboxes[lane].Throttle(now, m.throttle)
	}
	b.produce(ctx, m.lane)
}

// lookAtOutboxes is done when a throttle ends or a batch has waited too long.
func (b *broker) lookAtOutboxes(ctx actor.Context) {
	b.alarm.rang()
	for _, lane := range produceLanes {
		for _, i := range b.outboxes[lane].Expired(time.Now()) {
			i.Ref.(toSend).refuse(ctx.ActorSystem().Root, &neverSent{b.id})
		}
		b.produce(ctx, lane)
	}
}

// neverSent is a batch that waited for its request until its time was over.
type neverSent struct{ broker string }

func (e *neverSent) Error() string {
	return e.broker + " took no request in time: it throttles, or is slow to answer"
}

func (e *neverSent) Retriable() bool       { return true }
func (e *neverSent) SafeToRetry() bool     { return true }
func (e *neverSent) RefreshMetadata() bool { return false }

// produce sends what waits, as soon as the lane, the number of requests under way
// and the broker's throttle allow it. What comes in meanwhile goes into one request.
func (b *broker) produce(ctx actor.Context, lane laneKind) {
	box, now := b.outboxes[lane], time.Now()
	if box.Open(now) {
		b.lanes[lane].with(ctx, b, func(conn *wire.Conn, err error) { b.load(ctx, lane, conn, err) })
	}
	if at := box.Wake(now); !at.IsZero() {
		b.alarm.set(ctx, at)
	}
}

// load fills requests for a connection that is there.
func (b *broker) load(ctx actor.Context, lane laneKind, conn *wire.Conn, err error) {
	box := b.outboxes[lane]
	box.Opened()
	most := int16(0)
	if err == nil {
		most, err = version(conn, kmsg.Produce, maxProduceVersion)
	}
	if err != nil {
		failBatches(ctx.ActorSystem().Root, box, err)
		return
	}
	for {
		items := box.Next(time.Now())
		if len(items) == 0 {
			return
		}
		if once, ok := items[0].Ref.(*sendOnce); ok {
			b.sendOnce(ctx, lane, conn, most, once)
			continue
		}
		parts := make([]*sendBatch, len(items))
		for i := range items {
			parts[i] = items[i].Ref.(*sendBatch)
		}
		b.sendProduce(ctx, lane, conn, most, parts)
	}
}

type partitionKey struct {
	topic     string
	partition int32
}

// toSend is what waits in an outbox.
type toSend interface {
	// refuse answers it: nothing of it was sent.
	refuse(root *actor.RootContext, err error)
}

// failBatches answers everything that waits.
func failBatches(root *actor.RootContext, box *outbox.Core, err error) {
	for _, i := range box.Failed() {
		i.Ref.(toSend).refuse(root, err)
	}
}

func (b *broker) sendProduce(ctx actor.Context, lane laneKind, conn *wire.Conn, version int16, parts []*sendBatch) {
	config := parts[0].batch.Config()
	parts = b.hold(ctx, parts)
	if len(parts) == 0 {
		return
	}
	req, refused := newProduceRequest(version, config.Acks, config.AckTimeout, parts, b.handle.Codecs())
	system, root, self, name, send := ctx.ActorSystem(), ctx.ActorSystem().Root, ctx.Self(), b.id, answering(ctx.ActorSystem(), parts)
	for m, err := range refused {
		root.Send(m.from, m.answer(err))
	}
	if len(req.parts) == 0 {
		return
	}
	parts = slices.DeleteFunc(parts, func(m *sendBatch) bool { return refused[m] != nil })
	b.outboxes[lane].Sent()
	conn.Send(&wire.Call{Request: req, FixedVersion: true, NoResponse: config.Acks == handle.AcksNone, Timeout: config.AckTimeout + b.handle.Config().RequestTimeout, Done: func(r wire.Result) {
		tellHints(system, b.handle, r)
		answerBatches(send, name, parts, r)
		send(self, answeredProduce(lane, r))
	}})
}

// hold takes the batches in hand. One that is settled meanwhile, by the ack of an
// earlier attempt that was taken for lost, is not sent: its producer is told so, or
// it would wait for an answer that cannot come.
func (b *broker) hold(ctx actor.Context, parts []*sendBatch) []*sendBatch {
	return slices.DeleteFunc(parts, func(m *sendBatch) bool {
		settled := !m.batch.Hold(m.lease)
		if settled {
			ctx.Send(m.from, m.answer(nil))
		}
		return settled
	})
}

// answering is how the connection's goroutine tells actors of an answer. It runs
// their turns itself, unless they are going to compress: then others on the
// connection would wait for that.
func answering(system *actor.ActorSystem, parts []*sendBatch) func(to *actor.PID, m any) {
	for _, m := range parts {
		if m.batch.Config().Codec != compress.None {
			return system.Root.Send
		}
	}
	return func(to *actor.PID, m any) { supervisor.SendHere(system, to, m) }
}

// answerBatches tells each producer what became of its batch; who waits for an
// ack is told before. Without an answer, as nobody was to ack, it is written and
// no more is known. It runs on the connection's goroutine.
func answerBatches(send func(*actor.PID, any), broker string, parts []*sendBatch, r wire.Result) {
	outcomes := map[partitionKey]*kmsg.ProduceResponseTopicPartition{}
	resp, answered := r.Response.(*kmsg.ProduceResponse)
	if answered {
		for t := range resp.Topics {
			for p := range resp.Topics[t].Partitions {
				outcome := &resp.Topics[t].Partitions[p]
				outcomes[partitionKey{resp.Topics[t].Topic, outcome.Partition}] = outcome
			}
		}
	}
	answers := make([]batchAnswer, len(parts))
	for i, m := range parts {
		answer := &answers[i]
		*answer = batchAnswer{id: m.id, attempt: m.attempt, base: -1, err: r.Err, written: r.Written, here: true}
		if outcome := outcomes[partitionKey{m.batch.Topic(), m.batch.Partition()}]; answered {
			answer.base, answer.err = produceOutcome(broker, m.batch.Topic(), m.batch.Partition(), outcome)
		}
		if answer.err == nil {
			m.batch.Acked(m.lease, answer.base)
		}
	}
	for i, m := range parts {
		send(m.from, &answers[i])
	}
}

func produceOutcome(broker, topic string, partition int32, outcome *kmsg.ProduceResponseTopicPartition) (int64, error) {
	fail := &wire.Error{API: int16(kmsg.Produce), Broker: broker, Topic: topic, Partition: partition}
	if outcome == nil {
		fail.Code, fail.Cause = wire.NetworkException, fmt.Errorf("%s did not name the partition in its answer", broker)
		return -1, fail
	}
	if outcome.ErrorCode == 0 {
		return outcome.BaseOffset, nil
	}
	fail.Code = wire.Code(outcome.ErrorCode)
	if outcome.ErrorMessage != nil {
		fail.Message = *outcome.ErrorMessage
	}
	if len(outcome.ErrorRecords) > 0 {
		return -1, refusal(fail, outcome.ErrorRecords)
	}
	return -1, fail
}

// refusal is the error of a batch of which the broker names the records (KIP-467).
func refusal(err *wire.Error, records []kmsg.ProduceResponseTopicPartitionErrorRecord) error {
	refusal := &producing.Refusal{Err: err}
	for _, r := range records {
		named := producing.RefusedRecord{Index: r.RelativeOffset}
		if r.ErrorMessage != nil {
			named.Message = *r.ErrorMessage
		}
		refusal.Records = append(refusal.Records, named)
	}
	return refusal
}
