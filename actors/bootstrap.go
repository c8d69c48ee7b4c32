package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/metadata"
)

// seedsResolved brings the client actor what Config.BrokersFunc gave, and what
// was wrong with it.
type seedsResolved struct {
	seeds []metadata.Broker
	err   error
}

// resolver calls Config.BrokersFunc for one incarnation of the client actor.
type resolver struct {
	life   context.Context
	config *handle.Config
	busy   atomic.Bool // a call runs, maybe one that was given up
}

var (
	errResolveTimeout = fmt.Errorf("moldau: BrokersFunc did not return within Config.ConnectTimeout: %w", context.DeadlineExceeded)
	errResolveBusy    = errors.New("moldau: BrokersFunc was not called, as the call before has not returned")
	errResolveGoexit  = errors.New("moldau: BrokersFunc called runtime.Goexit")
)

// resolvePanic is a BrokersFunc that panicked.
type resolvePanic struct {
	value any
	stack string
}

func (e *resolvePanic) Error() string {
	return fmt.Sprintf("moldau: BrokersFunc panicked: %v", e.value)
}

// stackOf is the stack of a panic of the user's code among the causes of an error.
func stackOf(err error) string {
	if p := (*resolvePanic)(nil); errors.As(err, &p) {
		return p.stack
	}
	if p := (*HandlerPanic)(nil); errors.As(err, &p) {
		return string(p.Stack)
	}
	return ""
}

// resolve calls the function beside the actor, which is told of the outcome
// unless it has ended by then.
func (r *resolver) resolve(ctx actor.Context) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	go func() {
		answer := &seedsResolved{}
		entries, err := r.call()
		if err != nil {
			answer.err = err
		} else {
			answer.seeds, answer.err = r.config.Resolved(entries)
		}
		if r.life.Err() == nil {
			root.Send(self, answer)
		}
	}()
}

// call bounds the function, whatever it does. One that does not heed its ctx is
// left behind, and not called again before it has returned.
func (r *resolver) call() ([]string, error) {
	if !r.busy.CompareAndSwap(false, true) {
		return nil, errResolveBusy
	}
	ctx, cancel := context.WithTimeoutCause(r.life, r.config.ConnectTimeout, errResolveTimeout)
	defer cancel()
	type outcome struct {
		entries []string
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		out := outcome{err: errResolveGoexit}
		defer func() {
			if value := recover(); value != nil {
				out = outcome{err: &resolvePanic{value, string(debug.Stack())}}
			}
			r.busy.Store(false)
			done <- out
		}()
		entries, err := r.config.BrokersFunc(ctx)
		out = outcome{entries, err}
	}()
	select {
	case out := <-done:
		return out.entries, out.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// bootstrapAddresses are the bootstrap addresses as people wrote them, and
// those that BrokersFunc gave.
func bootstrapAddresses(h *handle.Handle) []string {
	list := h.Config().Bootstrap()
	if h.Config().BrokersFunc != nil {
		list = nil
		for _, seed := range h.Seeds() {
			list = append(list, address(seed))
		}
	}
	return list
}
