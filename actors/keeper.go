package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
)

// Purpose:  ends the handle with its tree.
// Parent:   the system supervisor, its first child: the last to stop.
// Children: none.
// Messages: none.
// Restart:  permanent.
// Crash:    loses nothing; nothing in it can fail.
type keeper struct{ handle *handle.Handle }

// keeperSpec is the spec of the actor that ends a handle with its tree.
func keeperSpec(h *handle.Handle) supervisor.ChildSpec {
	return worker("handle", "", supervisor.Permanent, func(context.Context) actor.Actor { return &keeper{h} })
}

// Receive implements actor.Actor.
func (k *keeper) Receive(ctx actor.Context) {
	if _, stopping := ctx.Message().(*actor.Stopping); stopping {
		k.handle.Stop(handle.ErrStopped)
	}
}
