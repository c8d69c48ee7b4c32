package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
)

// Purpose:  ends the handle with its tree, and tells the client's telemetry what
// the tree's supervisors do.
// Parent:   the system supervisor, its first child: the last to stop.
// Children: none.
// Messages: in the supervisors' events, outside of its turn.
// Restart:  permanent.
// Crash:    loses nothing; nothing in it can fail.
type keeper struct {
	handle *handle.Handle
	events *eventstream.Subscription
}

// keeperSpec is the spec of the actor that ends a handle with its tree.
func keeperSpec(h *handle.Handle) supervisor.ChildSpec {
	return worker("handle", "", supervisor.Permanent, func(context.Context) actor.Actor { return &keeper{handle: h} })
}

// Receive implements actor.Actor.
func (k *keeper) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		k.events = relayEvents(ctx.ActorSystem(), k.handle, ctx.Parent().Id)
	case *actor.Stopping:
		k.handle.Stop(handle.ErrStopped)
		ctx.ActorSystem().EventStream.Unsubscribe(k.events)
	}
}
