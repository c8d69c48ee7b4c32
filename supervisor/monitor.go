package supervisor

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Ref is a monitor. Refs are comparable.
type Ref struct{ id string }

// Down tells a monitor's owner, once, that its target has ended.
type Down struct {
	Ref Ref
	Who *actor.PID // as given to Monitor
	// Reason is the exit's reason: nil is a normal exit, ErrNoProcess that it was
	// dead already. For an actor outside of any tree of this package it is nil.
	Reason error
}

// Monitor makes ctx's actor get a *Down when the actor of pid ends, exactly
// one; at once if there is none. It is Watch with a reason. Of a stable
// address, it monitors the incarnation that lives now. It does not block.
func Monitor(ctx actor.Context, pid *actor.PID) Ref {
	ext := extensionOf(ctx.ActorSystem())
	target := Living(ext.system, pid)
	m := &monitor{ext: ext, who: pid, target: target, owner: ctx.Self(), guard: ext.guardOf(target)}
	m.self, _ = ext.system.ProcessRegistry.Add(m, "monitor"+ext.system.ProcessRegistry.NextId())
	ref := Ref{id: m.self.Id}
	ext.sendSystem(m.owner, &actor.Watch{Watcher: m.self})
	if target == nil || !ext.sendSystem(target, &actor.Watch{Watcher: m.self}) {
		m.end(true, ErrNoProcess)
	}
	return ref
}

// Demonitor ends a monitor: no Down comes any more, unless it is in the
// mailbox already. Safe to call twice.
func Demonitor(ctx actor.Context, ref Ref) {
	system := ctx.ActorSystem()
	p, _ := system.ProcessRegistry.GetLocal(ref.id)
	if m, ok := p.(*monitor); ok {
		m.end(false, nil)
	}
}

// monitor is a process, not an actor: it watches both sides, so that it ends
// with whichever ends first.
type monitor struct {
	ext    *extension
	self   *actor.PID
	who    *actor.PID // as the user gave it
	target *actor.PID
	owner  *actor.PID
	guard  *guard // of the target; nil for actors outside of our trees
	ended  atomic.Bool
}

// end happens once.
func (m *monitor) end(tell bool, reason error) {
	if !m.ended.CompareAndSwap(false, true) {
		return
	}
	m.ext.system.ProcessRegistry.Remove(m.self)
	m.ext.sendSystem(m.owner, &actor.Unwatch{Watcher: m.self})
	if m.target != nil {
		m.ext.sendSystem(m.target, &actor.Unwatch{Watcher: m.self})
	}
	if !tell {
		return
	}
	if p, alive := m.ext.system.ProcessRegistry.Get(m.owner); alive {
		p.SendUserMessage(m.owner, &Down{Ref: Ref{id: m.self.Id}, Who: m.who, Reason: reason})
	}
}

// SendSystemMessage takes the Terminated of either side.
func (m *monitor) SendSystemMessage(_ *actor.PID, msg any) {
	t, ok := msg.(*actor.Terminated)
	switch {
	case !ok:
	case m.target != nil && t.Who.Equal(m.target):
		m.end(true, m.why(t))
	case t.Who.Equal(m.owner):
		m.end(false, nil)
	}
}

func (m *monitor) why(t *actor.Terminated) error {
	switch {
	case m.guard != nil:
		return m.guard.why()
	case t.Why == actor.TerminatedReason_Stopped:
		return nil
	}
	return ErrNoProcess
}

// SendUserMessage makes the monitor a process; nobody sends to it.
func (m *monitor) SendUserMessage(pid *actor.PID, msg any) { m.ext.deadLetter(pid, msg) }

// Stop ends the monitor.
func (m *monitor) Stop(*actor.PID) { m.end(false, nil) }
