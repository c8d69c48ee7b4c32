package moldau

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// eventRelay gives what supervisors of this client do to its telemetry.
type eventRelay struct {
	system       *actor.ActorSystem
	subscription *eventstream.Subscription
}

func relayEvents(system *actor.ActorSystem, tree *actors.Client) *eventRelay {
	h, root := tree.Handle, tree.Supervisor.Id
	subscription := system.EventStream.Subscribe(func(event any) {
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
	return &eventRelay{system: system, subscription: subscription}
}

func failure(state supervisor.State) bool {
	switch state {
	case supervisor.Failed, supervisor.StartFailed, supervisor.Abandoned, supervisor.GaveUp, supervisor.Delayed, supervisor.PanicIgnored:
		return true
	}
	return false
}

func (r *eventRelay) stop() { r.system.EventStream.Unsubscribe(r.subscription) }
