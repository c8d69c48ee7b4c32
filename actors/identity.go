package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// identity is the client actor's errand for the producer id: one request,
// whoever and however many ask for it.
type identity struct {
	asked   *actor.PID // the broker that was asked; nil: none is
	waiting []func(error)
}

func (i *identity) need(ctx actor.Context, c *client, m *needIdentity) {
	if _, known, _ := c.handle.Identity(&c.handle.Config().Produce); known {
		m.reply(nil)
		return
	}
	i.waiting = append(i.waiting, m.reply)
	if i.asked != nil {
		return
	}
	broker := c.anyBroker()
	if broker == nil {
		i.tell(&wire.Error{Code: wire.BrokerNotAvailable, API: int16(kmsg.InitProducerID)})
		return
	}
	i.asked = broker
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionTimeoutMillis = -1
	root, self := ctx.ActorSystem().Root, ctx.Self()
	ctx.Send(broker, &brokerCall{request: req, announced: true, reply: func(resp kmsg.Response, err error) {
		answer := &identityAnswer{from: broker, err: err}
		if err == nil {
			answer.resp = resp.(*kmsg.InitProducerIDResponse)
		}
		root.Send(self, answer)
	}})
}

func (i *identity) answered(c *client, m *identityAnswer) {
	if i.asked == nil || !i.asked.Equal(m.from) {
		return // one that was written off
	}
	i.asked = nil
	err := m.err
	if err == nil && m.resp.ErrorCode != 0 {
		err = &wire.Error{Code: wire.Code(m.resp.ErrorCode), API: int16(kmsg.InitProducerID)}
	}
	switch {
	case err == nil:
		c.handle.SetIdentity(handle.Identity{ID: m.resp.ProducerID, Epoch: m.resp.ProducerEpoch})
	case cannotHave(err) && c.handle.NoIdentity(): // topics that can do without do so
		c.handle.Emit(telemetry.IdempotenceOff{Client: c.handle.Name(), Err: err})
	}
	i.tell(err)
}

// gone writes a broker's actor off, which may have ended with the request.
func (i *identity) gone(c *client, pid *actor.PID, err error) {
	if i.asked != nil && i.asked.Equal(pid) {
		i.answered(c, &identityAnswer{from: pid, err: err})
	}
}

// cannotHave says that asking again is no use: the broker is too old, or does
// not let us.
func cannotHave(err error) bool {
	return errors.Is(err, wire.ErrUnsupportedVersion) || errors.Is(err, wire.ErrAuthorization)
}

func (i *identity) tell(err error) {
	waiting := i.waiting
	i.waiting = nil
	for _, reply := range waiting {
		reply(err)
	}
}

// anyBroker is a broker actor that can be asked, a known broker before a
// bootstrap address; nil if there is none.
func (c *client) anyBroker() *actor.PID {
	var best *actor.PID
	id := int32(0)
	for node, state := range c.states {
		if state.pid != nil && (best == nil || node > id) {
			best, id = state.pid, node
		}
	}
	return best
}
