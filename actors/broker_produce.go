package actors

import (
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/producing"
	"github.com/moldau-go/moldau/wire"
)

const (
	// maxProduceVersion is the last version with topic names; later ones name
	// topics by id.
	maxProduceVersion = 12
	// maxProduceRequests is how many Produce requests may be under way on the
	// lane.
	maxProduceRequests = 5
	// maxRequestBytes bounds the records of one Produce request.
	maxRequestBytes = 50 << 20
)

// produceQueue is what a broker actor has to produce: batches that wait for the
// next request, and how many requests are under way.
type produceQueue struct {
	queue   []*sendBatch
	flying  int
	waiting bool // for the lane
}

// produceDone tells the broker actor that a request is answered. The producers
// have been told already.
type produceDone struct{}

func (b *broker) addBatch(ctx actor.Context, m *sendBatch) {
	b.batches.queue = append(b.batches.queue, m)
	b.produce(ctx)
}

func (b *broker) produced(ctx actor.Context, _ *produceDone) {
	b.batches.flying--
	b.produce(ctx)
}

// produce sends what waits, as soon as the lane and the number of requests
// under way allow it. What comes in meanwhile goes into one request.
func (b *broker) produce(ctx actor.Context) {
	if b.batches.waiting || len(b.batches.queue) == 0 || b.batches.flying >= maxProduceRequests {
		return
	}
	b.batches.waiting = true
	b.lanes[laneProduce].with(ctx, b, func(conn *wire.Conn, err error) {
		b.batches.waiting = false
		root := ctx.ActorSystem().Root
		if err != nil {
			b.batches.fail(root, err)
			return
		}
		version, err := version(conn, kmsg.Produce, maxProduceVersion)
		if err != nil {
			b.batches.fail(root, err)
			return
		}
		for len(b.batches.queue) > 0 && b.batches.flying < maxProduceRequests {
			b.sendProduce(ctx, conn, version, b.batches.next())
		}
	})
}

// next takes what the next request carries: of every partition the first batch
// that waits, and no more bytes than a request may have.
func (p *produceQueue) next() (parts []*sendBatch) {
	size := 0
	seen := make(map[partitionKey]bool, len(p.queue))
	rest := p.queue[:0]
	for _, m := range p.queue {
		key := partitionKey{m.batch.Topic(), m.batch.Partition()}
		if seen[key] || len(parts) > 0 && size+m.batch.Size() > maxRequestBytes {
			seen[key] = true // nothing behind it may overtake it
			rest = append(rest, m)
			continue
		}
		seen[key] = true
		size += m.batch.Size()
		parts = append(parts, m)
	}
	clear(p.queue[len(rest):])
	p.queue = rest
	return parts
}

type partitionKey struct {
	topic     string
	partition int32
}

// fail answers everything that waits; nothing of it was sent.
func (p *produceQueue) fail(root *actor.RootContext, err error) {
	for _, m := range p.queue {
		root.Send(m.from, &batchAnswer{id: m.id, base: -1, err: err})
	}
	p.queue = nil
}

func (b *broker) sendProduce(ctx actor.Context, conn *wire.Conn, version int16, parts []*sendBatch) {
	config := &b.handle.Config().Produce
	parts = slices.DeleteFunc(parts, func(m *sendBatch) bool { return !m.batch.Hold(m.lease) }) // settled meanwhile
	if len(parts) == 0 {
		return
	}
	req, refused := newProduceRequest(version, config.Acks, config.AckTimeout, parts, b.handle.Codecs())
	root, self, name := ctx.ActorSystem().Root, ctx.Self(), b.id
	for m, err := range refused {
		root.Send(m.from, &batchAnswer{id: m.id, base: -1, err: err})
	}
	if len(req.parts) == 0 {
		return
	}
	parts = slices.DeleteFunc(parts, func(m *sendBatch) bool { return refused[m] != nil })
	b.batches.flying++
	conn.Send(&wire.Call{Request: req, FixedVersion: true, NoResponse: config.Acks == handle.AcksNone, Timeout: config.AckTimeout + b.handle.Config().RequestTimeout, Done: func(r wire.Result) {
		answerBatches(root, name, parts, r)
		root.Send(self, &produceDone{})
	}})
}

// answerBatches tells each producer what became of its batch. Without an answer,
// as nobody was to ack, it is written and no more is known. It runs on the
// connection's goroutine.
func answerBatches(root *actor.RootContext, broker string, parts []*sendBatch, r wire.Result) {
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
	for _, m := range parts {
		answer := &batchAnswer{id: m.id, base: -1, err: r.Err, written: r.Written}
		if outcome := outcomes[partitionKey{m.batch.Topic(), m.batch.Partition()}]; answered {
			answer.base, answer.err = produceOutcome(broker, m, outcome)
		}
		root.Send(m.from, answer)
	}
}

func produceOutcome(broker string, m *sendBatch, outcome *kmsg.ProduceResponseTopicPartition) (int64, error) {
	fail := &wire.Error{API: int16(kmsg.Produce), Broker: broker, Topic: m.batch.Topic(), Partition: m.batch.Partition()}
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
