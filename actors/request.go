package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/wire"
)

// Controller is the Broker of Request that stands for the cluster's controller.
const Controller int32 = -1 << 31

// Request sends a request to a broker on its control lane and waits for the
// answer. While no broker is known yet it waits for one, until ctx ends.
func Request(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, broker int32, req kmsg.Request) (kmsg.Response, error) {
	pid, err := awaitBroker(ctx, system, h, broker)
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
	timeout := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(deadline), time.Millisecond)
	}
	system.Root.Send(pid, &brokerCall{request: req, timeout: timeout, reply: func(resp kmsg.Response, err error) { reply <- outcome{resp, err} }})
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
		return nil, context.Cause(ctx)
	}
}

// watcher tells a goroutine of an actor's end.
type watcher struct {
	target *actor.PID
	gone   chan struct{}
}

func (w *watcher) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		supervisor.Monitor(ctx, w.target)
	case *supervisor.Down:
		close(w.gone)
	}
}

// awaitBroker finds the actor of a broker, once there is one.
func awaitBroker(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, broker int32) (*actor.PID, error) {
	for {
		view := h.Cluster()
		node := broker
		if broker == Controller {
			node = view.Controller
		}
		if pid := h.Broker(node); pid != nil && len(view.Brokers) > 0 {
			return pid, nil
		}
		pause := time.NewTimer(50 * time.Millisecond)
		select {
		case <-pause.C:
		case <-h.Ended():
			pause.Stop()
			return nil, handle.ErrStopped
		case <-ctx.Done():
			pause.Stop()
			return nil, fmt.Errorf("moldau: no broker of %q is reachable: %w (%w)", h.Config().Brokers, wire.ErrConnection, context.Cause(ctx))
		}
	}
}
