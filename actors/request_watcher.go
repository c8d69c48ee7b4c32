package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor"
)

// Purpose:  tells a goroutine that waits for an actor's answer of that actor's end.
// Parent:   none: it belongs to the goroutine, which stops it.
// Children: none.
// Messages: in supervisor.Down.
// Restart:  none.
// Crash:    loses the notice; the goroutine's ctx ends its wait.
type watcher struct {
	target *actor.PID
	gone   chan struct{}
}

// Receive implements actor.Actor.
func (w *watcher) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		supervisor.Monitor(ctx, w.target)
	case *supervisor.Down:
		close(w.gone)
	}
}
