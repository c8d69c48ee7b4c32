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
	return system.EventStream.Subscribe(func(event any) {
		e, ok := event.(*supervisor.Event)
		if !ok || e.Supervisor == nil {
			return
		}
		if path, below := strings.CutPrefix(e.Supervisor.Id, root); below && (path == "" || path[0] == '/') {
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
