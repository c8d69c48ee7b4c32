package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"
)

// Ref is a monitor. Refs are comparable.
type Ref struct{ monitor monitor }

// Down tells a monitor's owner, once, that its target has ended.
type Down struct {
	Ref Ref
	Who *actor.PID // as given to Monitor
	// Reason is the exit's reason: nil is a normal exit, ErrNoProcess that it was
	// dead already. For an actor outside of any tree of this package it is nil.
	Reason error
}

// monitor is a link between two actors of our trees, or a watch where one of
// them is none.
type monitor interface {
	// end ends it; only the first call does anything.
	end(tell bool, reason error)
}

// Monitor makes ctx's actor get a *Down when the actor of pid ends, exactly
// one; at once if there is none. It is Watch with a reason. Of a stable
// address, it monitors the incarnation that lives now. It does not block.
func Monitor(ctx actor.Context, pid *actor.PID) Ref {
	ext := extensionOf(ctx.ActorSystem())
	living := Living(ext.system, pid)
	owner, target := guardOf(ctx), ext.guardOf(living)
	if owner != nil && target != nil {
		return ext.link(owner, target, pid)
	}
	return ext.watch(ctx.Self(), pid, living, target)
}

// Demonitor ends a monitor: no Down comes any more, unless it is in the
// mailbox already. Safe to call twice.
func Demonitor(_ actor.Context, ref Ref) {
	if ref.monitor != nil {
		ref.monitor.end(false, nil)
	}
}
