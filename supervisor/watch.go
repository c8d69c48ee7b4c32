package supervisor

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// watch makes a monitor where the owner or the target has no guard; target is
// the living incarnation, guard its guard if it has one.
func (e *extension) watch(owner, who, target *actor.PID, guard *guard) Ref {
	w := &watch{ext: e, who: who, target: target, owner: owner, guard: guard}
	w.self, _ = e.system.ProcessRegistry.Add(w, "monitor"+e.system.ProcessRegistry.NextId())
	e.sendSystem(owner, &actor.Watch{Watcher: w.self})
	if target == nil || !e.sendSystem(target, &actor.Watch{Watcher: w.self}) {
		w.end(true, ErrNoProcess)
	}
	return Ref{monitor: w}
}

// watch is a monitor for actors outside of our trees: a process, not an actor. It
// watches both sides, so that it ends with whichever ends first.
type watch struct {
	ext    *extension
	self   *actor.PID
	who    *actor.PID // as the user gave it
	target *actor.PID
	owner  *actor.PID
	guard  *guard // of the target; nil for actors outside of our trees
	ended  atomic.Bool
}

// end implements monitor.
func (w *watch) end(tell bool, reason error) {
	if !w.ended.CompareAndSwap(false, true) {
		return
	}
	w.ext.system.ProcessRegistry.Remove(w.self)
	w.ext.sendSystem(w.owner, &actor.Unwatch{Watcher: w.self})
	if w.target != nil {
		w.ext.sendSystem(w.target, &actor.Unwatch{Watcher: w.self})
	}
	if !tell {
		return
	}
	if p, alive := w.ext.system.ProcessRegistry.Get(w.owner); alive {
		p.SendUserMessage(w.owner, &Down{Ref: Ref{monitor: w}, Who: w.who, Reason: reason})
	}
}

// SendSystemMessage takes the Terminated of either side.
func (w *watch) SendSystemMessage(_ *actor.PID, msg any) {
	t, ok := msg.(*actor.Terminated)
	switch {
	case !ok:
	case w.target != nil && t.Who.Equal(w.target):
		w.end(true, w.why(t))
	case t.Who.Equal(w.owner):
		w.end(false, nil)
	}
}

func (w *watch) why(t *actor.Terminated) error {
	switch {
	case w.guard != nil:
		return w.guard.why()
	case t.Why == actor.TerminatedReason_Stopped:
		return nil
	}
	return ErrNoProcess
}

// SendUserMessage makes the watch a process; nobody sends to it.
func (w *watch) SendUserMessage(pid *actor.PID, msg any) { w.ext.deadLetter(pid, msg) }

// Stop ends the watch.
func (w *watch) Stop(*actor.PID) { w.end(false, nil) }
