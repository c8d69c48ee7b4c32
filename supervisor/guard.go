package supervisor

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// guard stands around every actor of a supervision tree, supervisors too.
//
// Purpose: whatever the actor does, it ends, its end has a reason, and the
// messages it did not handle become dead letters.
// Parent: a supervisor; for the root of a tree, anybody.
// Children: none of its own; the actor's are the actor's.
// In: everything sent to the actor (guard_invoker.go); Stop for a supervisor
// becomes a stopRequest, which it carries out in order.
// Out: childStarted to its supervisor; dead letters; *Event for swallowed panics.
// Restart: never; each incarnation has a guard of its own.
// A crash loses: the message at hand; what waited becomes dead letters.
type guard struct {
	ext   *extension
	id    string // the child spec's
	inc   uint64 // the incarnation, for the supervisor
	order *order // what is to be started
	life  life
	boss  *guard // the supervisor's: it is told when the actor has started
	name  *name  // its stable address, if it has one
	outer bool   // isolation is done by middleware, around the user's
	final bool   // a supervisor whose children are gone
	phase atomic.Int32

	mailbox *mailbox
	real    actor.MessageInvoker // protoactor's context of this actor
	self    *actor.PID
	parent  *actor.PID
	inner   actor.Actor
	sup     *supervisor // inner, if it is one

	mu      sync.Mutex
	decided bool
	reason  error

	// The extension's lock guards these.
	over     bool  // the last turn is over
	watchers *link // those who monitor this actor
	watching *link // whom it monitors
}

// The phases of a guard. From failing on, the actor gets no message but
// Stopping and Stopped.
const (
	phaseStarting int32 = iota
	phaseRunning
	phaseFailing // failed or leaving; its Stop is on the way
	phaseStopping
	phaseStopped
)

func newGuard(ext *extension, id string, start func(context.Context) (actor.Actor, error)) *guard {
	return newChildGuard(ext, id, &order{spec: &ChildSpec{Start: func(life context.Context, _ any) (actor.Actor, error) { return start(life) }}})
}

func newChildGuard(ext *extension, id string, o *order) *guard {
	return &guard{ext: ext, id: id, order: o}
}

// attach takes protoactor's context of the actor.
func (g *guard) attach(real actor.MessageInvoker) {
	g.real = real
	if ctx, ok := real.(actor.Context); ok {
		g.self, g.parent = ctx.Self(), ctx.Parent()
		g.ext.guards.Store(g.self.Id, g)
		if g.name != nil {
			g.name.become(g.self) // before the actor's first turn
		}
	}
}

// Receive hands the actor its messages; the first makes it.
func (g *guard) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		if g.inner == nil {
			g.begin(ctx)
			return
		}
	case *actor.Stopping, *actor.Terminated:
		if g.phase.Load() >= phaseFailing {
			g.isolate(func() { g.deliver(ctx) })
			return
		}
	case *actor.Stopped:
		if g.phase.Load() == phaseStopping {
			g.end(ctx)
			return
		}
	}
	g.deliver(ctx)
}

func (g *guard) deliver(ctx actor.Context) {
	if g.inner != nil {
		g.inner.Receive(ctx)
	}
}

// begin makes the actor and gives it its Started message.
func (g *guard) begin(ctx actor.Context) {
	inner, err := g.order.spec.Start(&g.life, g.order.arg)
	if err == nil && inner == nil {
		err = errNilActor
	}
	if err != nil {
		g.leave(err)
		return
	}
	if p, ok := inner.(*pendingSupervisor); ok {
		inner = newSupervisor(g.ext, p.spec, p.init)
	}
	g.inner = inner
	if sup, ok := inner.(*supervisor); ok {
		g.sup, sup.guard = sup, g
	}
	inner.Receive(ctx)
	if g.phase.CompareAndSwap(phaseStarting, phaseRunning) && g.sup == nil {
		g.acknowledge()
	}
}

// acknowledge tells the supervisor that the child is up. It goes the way of
// system messages, so that the child's end cannot overtake it.
func (g *guard) acknowledge() {
	if g.boss != nil {
		g.boss.mailbox.PostSystemMessage(&childStarted{inc: g.inc})
	}
}

// end is the actor's last turn.
func (g *guard) end(ctx actor.Context) {
	g.phase.Store(phaseStopped)
	g.life.cancel()
	g.isolate(func() { g.deliver(ctx) })
	g.bury()
}

// bury takes the guard out of the system. Whoever monitors the actor is told.
func (g *guard) bury() {
	g.ext.guards.Delete(g.self.Id)
	g.unlink()
}

// leave ends the actor with a reason; it handles nothing from here on.
func (g *guard) leave(reason error) {
	g.decide(reason)
	if g.phase.Load() < phaseFailing {
		g.phase.Store(phaseFailing)
	}
	g.final = true
	g.life.cancel()
	g.mailbox.PostSystemMessage(&actor.Stop{})
}

// never: the spawn failed half-way; what it left is taken back.
func (g *guard) never() {
	g.life.cancel()
	if g.self == nil {
		return
	}
	g.ext.guards.Delete(g.self.Id)
	if g.name != nil {
		g.name.vacate(g.self)
	}
}

// decide sets the exit's reason; the first one counts.
func (g *guard) decide(reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.decided {
		g.reason, g.decided = reason, true
	}
}

// overrule sets the reason whatever was decided.
func (g *guard) overrule(reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reason, g.decided = reason, true
}

// why is the exit's reason; nil is normal.
func (g *guard) why() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reason
}
