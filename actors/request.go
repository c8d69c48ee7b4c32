package actors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/wire"
)

// Brokers of Request that are not node ids.
const (
	// Controller stands for the cluster's controller.
	Controller int32 = -1 << 31
	// AnyBroker stands for any that can be asked, a bootstrap address while no
	// other is known.
	AnyBroker int32 = Controller + 1
)

// Request sends a request to a broker on its control lane and waits for the
// answer, until ctx ends; the request itself is bounded by RequestTimeout, as
// its expiry closes a connection that others use too. While the broker has no
// actor it is waited for. The answer's error codes are the caller's to read.
// Errors: *wire.ConnError, *wire.CallError, *wire.VersionError, handle.ErrStopped, ctx's.
func Request(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, broker int32, req kmsg.Request) (kmsg.Response, error) {
	return requestMost(ctx, system, h, broker, req, 0)
}

// requestMost is Request with the highest version that may be used; 0 for any.
func requestMost(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, broker int32, req kmsg.Request, most int16) (kmsg.Response, error) {
	if broker == Controller {
		if err := reach(ctx, system, h); err != nil {
			return nil, err
		}
	}
	return ask(ctx, system, h, broker, func(reply func(kmsg.Response, error)) any {
		return &brokerCall{request: req, most: most, reply: reply}
	})
}

// ask sends a message to a broker's actor and waits for the reply, as Request.
func ask(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, broker int32, message func(reply func(kmsg.Response, error)) any) (kmsg.Response, error) {
	pid, id, err := awaitBroker(ctx, h, broker)
	if err != nil {
		return nil, err
	}
	type outcome struct {
		resp kmsg.Response
		err  error
	}
	reply := make(chan outcome, 1)
	gone := make(chan struct{})
	watch := system.Root.Spawn(supervisor.Props(system, func() actor.Actor { return &watcher{target: pid, gone: gone} }))
	defer system.Root.Stop(watch)
	system.Root.Send(pid, message(func(resp kmsg.Response, err error) { reply <- outcome{resp, err} }))
	select {
	case out := <-reply:
		return out.resp, out.err
	case <-gone:
		select {
		case out := <-reply:
			return out.resp, out.err
		default:
			return nil, errBrokerGone(id, nil)
		}
	case <-h.Ended():
		return nil, handle.ErrStopped
	case <-ctx.Done():
		return nil, fmt.Errorf("moldau: no answer from %s: %w", askedOf(h, broker), context.Cause(ctx))
	}
}

// notAsked is a request that was not sent, as there was nobody to send it to.
type notAsked struct{ error }

func (e *notAsked) Unwrap() error         { return e.error }
func (e *notAsked) Is(target error) bool  { return target == wire.ErrConnection }
func (e *notAsked) Retriable() bool       { return true }
func (e *notAsked) RefreshMetadata() bool { return true }
func (e *notAsked) SafeToRetry() bool     { return true }

// askedOf names a broker to people.
func askedOf(h *handle.Handle, broker int32) string {
	if broker == AnyBroker || broker == Controller {
		if len(h.Cluster().Brokers) == 0 {
			return fmt.Sprintf("any of %q; check the addresses, and that brokers listen there", bootstrapAddresses(h))
		}
		return "the cluster"
	}
	return brokerID(broker)
}

// brokerPatience is how long a broker without an actor is waited for: it is
// being restarted, or it has left and somebody else has to be asked.
const brokerPatience = time.Second

// awaitBroker finds the actor of a broker, once there is one, and the broker's
// own id.
func awaitBroker(ctx context.Context, h *handle.Handle, broker int32) (*actor.PID, int32, error) {
	patience := time.NewTimer(brokerPatience)
	defer patience.Stop()
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for {
		if pid, id := brokerActor(h, broker); pid != nil {
			return pid, id, nil
		}
		select {
		case <-pause.C:
		case <-patience.C:
			return nil, broker, &notAsked{fmt.Errorf("moldau: %s cannot be asked at the moment", askedOf(h, broker))}
		case <-h.Ended():
			return nil, broker, handle.ErrStopped
		case <-ctx.Done():
			return nil, broker, fmt.Errorf("moldau: no answer from %s: %w", askedOf(h, broker), context.Cause(ctx))
		}
	}
}

// brokerActor is where a broker's actor is now; nil if there is none.
func brokerActor(h *handle.Handle, broker int32) (*actor.PID, int32) {
	switch broker {
	case AnyBroker:
		return anyBroker(h, true)
	case Controller:
		// A bootstrap address' actor ends as soon as brokers are known, and what
		// it was asked to change would be unsure.
		if id := h.Cluster().Controller; id >= 0 && h.Broker(id) != nil {
			return h.Broker(id), id
		}
		return anyBroker(h, false) // it hands the request on, or refuses it
	default:
		return h.Broker(broker), broker
	}
}

// anyBroker picks among those that are up, known ones before bootstrap
// addresses.
func anyBroker(h *handle.Handle, bootstrap bool) (*actor.PID, int32) {
	var known, seeds []int32
	for _, node := range h.Nodes() {
		switch {
		case h.Broker(node.ID) == nil:
		case !node.Seed():
			known = append(known, node.ID)
		case bootstrap:
			seeds = append(seeds, node.ID)
		}
	}
	if len(known) == 0 {
		known = seeds
	}
	if len(known) == 0 {
		return nil, -1
	}
	id := known[rand.IntN(len(known))]
	return h.Broker(id), id
}
