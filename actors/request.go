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
	if broker == Controller {
		if err := reach(ctx, system, h); err != nil {
			return nil, err
		}
	}
	pid, err := awaitBroker(ctx, h, broker)
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
	system.Root.Send(pid, &brokerCall{request: req, reply: func(resp kmsg.Response, err error) { reply <- outcome{resp, err} }})
	select {
	case out := <-reply:
		return out.resp, out.err
	case <-gone:
		select {
		case out := <-reply:
			return out.resp, out.err
		default:
			return nil, errBrokerGone(broker, nil)
		}
	case <-h.Ended():
		return nil, handle.ErrStopped
	case <-ctx.Done():
		return nil, fmt.Errorf("moldau: no answer from %s: %w", askedOf(h, broker), context.Cause(ctx))
	}
}

// askedOf names a broker to people.
func askedOf(h *handle.Handle, broker int32) string {
	if broker == AnyBroker || broker == Controller {
		if len(h.Cluster().Brokers) == 0 {
			return fmt.Sprintf("any of %q; check the addresses, and that brokers listen there", h.Config().Bootstrap())
		}
		return "the cluster"
	}
	return brokerID(broker)
}

// brokerPatience is how long a broker without an actor is waited for: it is
// being restarted, or it has left and somebody else has to be asked.
const brokerPatience = time.Second

// awaitBroker finds the actor of a broker, once there is one.
func awaitBroker(ctx context.Context, h *handle.Handle, broker int32) (*actor.PID, error) {
	patience := time.NewTimer(brokerPatience)
	defer patience.Stop()
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for {
		if pid := brokerActor(h, broker); pid != nil {
			return pid, nil
		}
		select {
		case <-pause.C:
		case <-patience.C:
			return nil, errNotThere(h, broker)
		case <-h.Ended():
			return nil, handle.ErrStopped
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func errNotThere(h *handle.Handle, broker int32) error {
	if broker != AnyBroker && broker != Controller {
		return errBrokerGone(broker, nil)
	}
	return fmt.Errorf("moldau: the client of %q is being restarted: %w", h.Config().Bootstrap(), wire.ErrConnection)
}

// brokerActor is where a broker's actor is now; nil if there is none.
func brokerActor(h *handle.Handle, broker int32) *actor.PID {
	switch broker {
	case AnyBroker:
		return anyBroker(h)
	case Controller:
		if view := h.Cluster(); len(view.Brokers) > 0 {
			if pid := h.Broker(view.Controller); pid != nil {
				return pid
			}
		}
		if len(h.Cluster().Brokers) == 0 {
			return nil // a bootstrap address' actor ends as soon as brokers are known, and the outcome would be unsure
		}
		return anyBroker(h) // brokers hand it on, or name the controller
	default:
		return h.Broker(broker)
	}
}

// anyBroker picks among those that are up, known ones before bootstrap
// addresses.
func anyBroker(h *handle.Handle) *actor.PID {
	var known, seeds []*actor.PID
	for _, node := range h.Nodes() {
		pid := h.Broker(node.ID)
		switch {
		case pid == nil:
		case node.Seed():
			seeds = append(seeds, pid)
		default:
			known = append(known, pid)
		}
	}
	if len(known) == 0 {
		known = seeds
	}
	if len(known) == 0 {
		return nil
	}
	return known[rand.IntN(len(known))]
}
