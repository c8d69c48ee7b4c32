package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// tick is what an alarm sends. A late one does no harm: cores look at the time.
type tick struct{}

// alarm wakes an actor at the earliest of the times that it was asked for. It
// belongs to the actor's turn and must be stopped with it.
type alarm struct {
	timer *time.Timer
	at    time.Time
}

func (a *alarm) set(ctx actor.Context, at time.Time) {
	if a.timer != nil && !a.at.After(at) {
		return
	}
	a.stop()
	root, self := ctx.ActorSystem().Root, ctx.Self()
	a.at = at
	a.timer = time.AfterFunc(time.Until(at), func() { root.Send(self, tick{}) })
}

// rang makes room for the next time; it is called when the tick arrives.
func (a *alarm) rang() { a.timer = nil }

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
