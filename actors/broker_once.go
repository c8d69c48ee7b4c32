package actors

import (
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/outbox"
	"github.com/moldau-go/moldau/wire"
)

// sendOnce asks a broker actor to send the one batch of a direct produce call, in a
// request of its own and at most once.
type sendOnce struct {
	topic     string
	partition int32
	size      int
	deadline  time.Time // it is not sent from then on
	acks      handle.Acks
	timeout   time.Duration // of the acks
	// request makes the request for what the broker speaks. It runs in the broker
	// actor's turn: an error says what it needs, and the caller does the work.
	request func(most int16) (*kmsg.ProduceRequest, error)
	claim   *onceClaim
	reply   func(onceAnswer)
}

// onceAnswer is the outcome; written says that the broker may have had the batch.
type onceAnswer struct {
	response *kmsg.ProduceResponse // nil without acks
	err      error
	written  bool
}

// onceClaim is between a caller and a broker actor: one of them alone gets it. Who
// gives up before it is sent knows that it never will be.
type onceClaim struct{ taken atomic.Bool }

func (c *onceClaim) take() bool { return c.taken.CompareAndSwap(false, true) }

// refuse implements toSend.
func (m *sendOnce) refuse(_ *actor.RootContext, err error) { m.reply(onceAnswer{err: err}) }

func (b *broker) addOnce(ctx actor.Context, m *sendOnce) {
	b.outboxes[laneAlone].Add(outbox.Item{
		Ref: m, Topic: m.topic, Partition: m.partition, Size: m.size, Added: time.Now(), Deadline: m.deadline,
		With: m, // nothing shares its request
	})
	b.produce(ctx, laneAlone)
}

// sendOnce sends it, unless its caller has given up.
func (b *broker) sendOnce(ctx actor.Context, lane laneKind, conn *wire.Conn, most int16, m *sendOnce) {
	req, err := m.request(most)
	if err != nil {
		m.reply(onceAnswer{err: err})
		return
	}
	if !m.claim.take() {
		return
	}
	b.outboxes[lane].Sent()
	system, root, self := ctx.ActorSystem(), ctx.ActorSystem().Root, ctx.Self()
	conn.Send(&wire.Call{Request: req, FixedVersion: true, NoResponse: m.acks == handle.AcksNone, Timeout: m.timeout + b.handle.Config().RequestTimeout, Done: func(r wire.Result) {
		tellHints(system, b.handle, r)
		response, _ := r.Response.(*kmsg.ProduceResponse)
		m.reply(onceAnswer{response, r.Err, r.Written})
		root.Send(self, answeredProduce(lane, r))
	}})
}
