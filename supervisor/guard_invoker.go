package supervisor

import (
	"errors"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"
)

var errNilActor = errors.New("Start returned neither an actor nor an error")

// control is a message of this package that goes the way of system messages:
// past whatever the actor has to do yet. Only guards understand it.
type control interface{ control() }

// InvokeUserMessage gives the actor its message, or the dead letters if the
// actor is on its way out.
func (g *guard) InvokeUserMessage(msg any) {
	if g.phase.Load() >= phaseFailing {
		g.ext.deadLetter(g.self, msg)
		return
	}
	g.invoke(msg, false)
}

// InvokeSystemMessage handles control messages, turns a supervisor's Stop and
// Restart into requests, and keeps continuations from an actor on its way out.
func (g *guard) InvokeSystemMessage(msg any) {
	switch m := msg.(type) {
	case *inspect:
		m.answer(g)
	case control:
		if g.sup != nil && g.phase.Load() < phaseFailing {
			g.invoke(m, false)
		}
	case *actor.Stop:
		g.stop(m)
	case *actor.Restart:
		g.restart()
	case *actor.Failure:
		g.failure(m)
	case *actor.Terminated:
		g.invokeEnding(msg)
	case *actor.Started, *actor.Watch, *actor.Unwatch:
		g.invoke(msg, true)
	default:
		if g.phase.Load() < phaseFailing {
			g.invoke(msg, true)
		}
	}
}

// EscalateFailure is not reached: invoke lets nothing through.
func (g *guard) EscalateFailure(reason any, _ any) { g.caught(reason) }

// invoke runs protoactor's handling of the message and catches what comes.
func (g *guard) invoke(msg any, system bool) {
	done := false
	defer func() {
		if !done {
			g.caught(recover())
		}
	}()
	if system {
		g.real.InvokeSystemMessage(msg)
	} else {
		g.real.InvokeUserMessage(msg)
	}
	done = true
}

// caught ends the actor for a panic; a nil value is a runtime.Goexit. An actor
// on its way out goes on ending.
func (g *guard) caught(value any) {
	reason := error(ErrGoexit)
	if value != nil && value != ErrGoexit {
		reason = &PanicError{Value: value, Stack: debug.Stack()}
	}
	if g.phase.Load() >= phaseStopping {
		g.swallowed(reason)
		return
	}
	g.leave(reason)
}

// stop ends the actor; a supervisor is asked, once, to end its children before.
func (g *guard) stop(msg *actor.Stop) {
	if g.sup != nil && !g.final {
		g.invoke(&stopRequest{}, false)
		return
	}
	if g.phase.Load() < phaseStopping {
		g.decide(nil)
		g.phase.Store(phaseStopping)
		g.life.cancel()
	}
	g.invokeEnding(msg)
}

// invokeEnding is invoke for what may be the actor's last message. Middleware of
// the user may have kept Stopped to itself; the end is an end all the same.
func (g *guard) invokeEnding(msg any) {
	g.invoke(msg, true)
	if g.phase.Load() != phaseStopping {
		return
	}
	if _, alive := g.ext.system.ProcessRegistry.GetLocal(g.self.Id); !alive {
		g.phase.Store(phaseStopped)
		g.bury()
	}
}

// restart is protoactor's restart in place, which a foreign parent may order.
// A supervisor does it in order; a child leaves and comes back with a new PID.
func (g *guard) restart() {
	if g.phase.Load() >= phaseFailing {
		return
	}
	if g.sup != nil {
		g.invoke(&restartRequest{}, false)
		return
	}
	g.leave(ErrRestart)
}

// failure of a plain child of the actor: the actor's own strategy decides, if
// it is one, as it would without a guard.
func (g *guard) failure(msg *actor.Failure) {
	strategy, ok := g.inner.(actor.SupervisorStrategy)
	sup, can := g.real.(actor.Supervisor)
	if !ok || !can {
		g.invoke(msg, true)
		return
	}
	done := false
	defer func() {
		if !done {
			g.caught(recover())
		}
	}()
	strategy.HandleFailure(g.ext.system, sup, msg.Who, msg.RestartStats, msg.Reason, msg.Message)
	done = true
}

// isolate runs what the actor does while it ends on a goroutine of its own and
// waits for it: neither a panic nor a Goexit in there stops the ending.
func (g *guard) isolate(do func()) {
	if g.outer || g.sup != nil {
		do()
		return
	}
	g.apart(do)
}

func (g *guard) apart(do func()) {
	over := make(chan error, 1)
	go func() {
		done := false
		defer func() {
			value := recover()
			switch {
			case done:
				over <- nil
			case value == nil:
				over <- ErrGoexit
			default:
				over <- &PanicError{Value: value, Stack: debug.Stack()}
			}
		}()
		do()
		done = true
	}()
	if reason := <-over; reason != nil {
		g.swallowed(reason)
	}
}

// middleware isolates the user's own middleware and decorators as well. It is
// only there if the child spec has props.
func (g *guard) middleware(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(ctx actor.ReceiverContext, env *actor.MessageEnvelope) {
		if g.phase.Load() < phaseFailing {
			next(ctx, env)
			return
		}
		g.apart(func() { next(ctx, env) })
	}
}

// swallowed tells of a panic that changed nothing: the actor was ending anyway.
func (g *guard) swallowed(reason error) {
	g.ext.publish(&Event{
		Supervisor: g.parent, Child: g.self, ID: g.id,
		State: PanicIgnored, Reason: reason,
	})
}
