package actors

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// relayEvents gives what the supervisors of a tree do to its client's telemetry.
func relayEvents(system *actor.ActorSystem, h *handle.Handle, root string) *eventstream.Subscription {
	return relay(system, h, func(e *supervisor.Event) bool {
		path, below := strings.CutPrefix(e.Supervisor.Id, root)
		return below && (path == "" || path[0] == '/')
	})
}

// relayChildEvents does so for a tree that is a child of the user's supervisor,
// whatever the number of its incarnation.
func relayChildEvents(system *actor.ActorSystem, h *handle.Handle, owner, id string) *eventstream.Subscription {
	return relay(system, h, func(e *supervisor.Event) bool {
		return e.Supervisor.Id == owner && e.ID == id || strings.HasPrefix(e.Supervisor.Id, owner+"/"+id+"$")
	})
}

func relay(system *actor.ActorSystem, h *handle.Handle, ours func(*supervisor.Event) bool) *eventstream.Subscription {
	return system.EventStream.Subscribe(func(event any) {
		if e, ok := event.(*supervisor.Event); ok && e.Supervisor != nil && ours(e) {
			h.Emit(telemetry.ActorChanged{
				Supervisor: e.Supervisor.Id, Child: e.ID, State: e.State.String(), Failed: failure(e.State), Reason: e.Reason, Delay: e.Delay,
			})
		}
	})
}

func failure(state supervisor.State) bool {
	switch state {
	case supervisor.Failed, supervisor.StartFailed, supervisor.Abandoned, supervisor.GaveUp, supervisor.Delayed, supervisor.PanicIgnored:
		return true
	}
	return false
}
