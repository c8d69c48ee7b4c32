package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
)

// Purpose:  ends the handle of an embedded client with the supervisor that it was
// given to, or when that supervisor forgets it; tells the client's telemetry
// what supervisors do to the tree.
// Parent:   none: it outlives the tree, and ends with the handle.
// Children: none.
// Messages: in treeStarts, supervisor.Down of the owner and of an incarnation,
// supervisor.ChildFound, supervisor.Refused, tick; out supervisor.FindChild to
// the owner.
// Restart:  none.
// Crash:    loses nothing; nothing in it can fail.
type ownerWatch struct {
	client *Embedded
	handle *handle.Handle
	owner  *actor.PID
	id     string // of the client's child spec

	events      *eventstream.Subscription
	owning      supervisor.Ref // monitors the owner
	incarnation supervisor.Ref // monitors the last incarnation of the tree
	start       int            // its number
	down        bool           // it has ended
	alarm       alarm
}

// treeStarts tells of an incarnation of the tree.
type treeStarts struct {
	pid    *actor.PID
	number int
}

// lookEvery is how often the owner is asked whether it still knows of a tree
// that is down. What it forgets it does not tell.
const lookEvery = time.Second

// Receive implements actor.Actor.
func (w *ownerWatch) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		w.owning = supervisor.Monitor(ctx, w.owner)
		w.events = relayChildEvents(ctx.ActorSystem(), w.handle, w.owner.Id, w.id)
	case *actor.Stopping:
		w.alarm.stop()
		w.handle.Stop(handle.ErrStopped)
		ctx.ActorSystem().EventStream.Unsubscribe(w.events)
	case *treeStarts:
		supervisor.Demonitor(ctx, w.incarnation)
		w.alarm.stop()
		w.incarnation, w.start, w.down = supervisor.Monitor(ctx, m.pid), m.number, false
	case *supervisor.Down:
		switch m.Ref {
		case w.owning:
			ctx.Stop(ctx.Self())
		case w.incarnation:
			w.down = true
			w.look(ctx)
		}
	case tick:
		w.alarm.rang()
		w.look(ctx)
	case *supervisor.ChildFound:
		if w.down { // even if the owner has yet to learn that it is
			w.alarm.set(ctx, time.Now().Add(lookEvery))
		}
	case *supervisor.Refused:
		if errors.Is(m.Err, supervisor.ErrNotFound) && w.client.forgotten(w.handle, w.start) {
			ctx.Stop(ctx.Self())
		}
	}
}

func (w *ownerWatch) look(ctx actor.Context) {
	ctx.Request(w.owner, &supervisor.FindChild{ID: w.id})
}
