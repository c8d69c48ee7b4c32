package supervisor

import (
	"context"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// name is a stable address: a process of the registry that forwards to the
// living incarnation of a child. Between two incarnations messages are dead
// letters. Who watches it is told Terminated at each end of an incarnation.
//
// Whoever keeps the PID over the end of the supervisor itself reaches whatever
// has the name then.
type name struct {
	ext   *extension
	pid   *actor.PID
	owner context.Context // the life of the supervisor that claimed it

	mu       sync.Mutex
	living   *actor.PID
	watchers map[string]*actor.PID
	released bool
}

// claim registers a name. One whose owner was told to stop, or left behind, may
// be taken over.
func (e *extension) claim(id string, owner context.Context) (*name, error) {
	n := &name{ext: e, pid: e.system.NewLocalPID(id), owner: owner, watchers: map[string]*actor.PID{}}
	if _, free := e.system.ProcessRegistry.Add(n, id); free {
		return n, nil
	}
	p, _ := e.system.ProcessRegistry.GetLocal(id)
	if old, ok := p.(*name); ok && old.owner.Err() != nil {
		old.release()
		if _, free := e.system.ProcessRegistry.Add(n, id); free {
			return n, nil
		}
	}
	return nil, ErrNameTaken
}

// Whereis gives the stable address of a child that has this Name; nil if no
// child has. The child may be between two incarnations; see Living.
func Whereis(system *actor.ActorSystem, id string) *actor.PID {
	if n := nameOf(system, system.NewLocalPID(id)); n != nil {
		return n.pid
	}
	return nil
}

// Living gives the PID of the incarnation that lives behind a stable address
// now; nil if none does. For any other PID it gives that PID.
func Living(system *actor.ActorSystem, pid *actor.PID) *actor.PID {
	if n := nameOf(system, pid); n != nil {
		return n.target()
	}
	return pid
}

func nameOf(system *actor.ActorSystem, pid *actor.PID) *name {
	if pid == nil {
		return nil
	}
	p, _ := system.ProcessRegistry.Get(pid)
	n, _ := p.(*name)
	return n
}

func (n *name) target() *actor.PID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.living
}

// become: pid is the living incarnation from now on.
func (n *name) become(pid *actor.PID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.living = pid
}

// vacate: the incarnation is gone; its watchers are told.
func (n *name) vacate(pid *actor.PID) {
	n.mu.Lock()
	if n.living != pid {
		n.mu.Unlock()
		return
	}
	n.living = nil
	told := n.watchers
	n.watchers = map[string]*actor.PID{}
	n.mu.Unlock()
	for _, w := range told {
		n.ext.sendSystem(w, &actor.Terminated{Who: n.pid})
	}
}

// release gives the name back.
func (n *name) release() {
	n.mu.Lock()
	already, living := n.released, n.living
	n.released = true
	n.mu.Unlock()
	if already {
		return
	}
	n.ext.system.ProcessRegistry.Remove(n.pid)
	n.vacate(living)
}

// process is what a message goes to: the living incarnation's, or, where the
// name was given back, whatever has the name now.
func (n *name) process() (actor.Process, *actor.PID, bool) {
	n.mu.Lock()
	to, released := n.living, n.released
	n.mu.Unlock()
	if released {
		p, ok := n.ext.system.ProcessRegistry.GetLocal(n.pid.Id)
		return p, n.pid, ok && p != actor.Process(n)
	}
	if to == nil {
		return nil, nil, false
	}
	p, ok := n.ext.system.ProcessRegistry.Get(to)
	return p, to, ok
}

// SendUserMessage forwards.
func (n *name) SendUserMessage(pid *actor.PID, msg any) {
	if p, to, ok := n.process(); ok {
		p.SendUserMessage(to, msg)
		return
	}
	n.ext.deadLetter(pid, msg)
}

// SendSystemMessage keeps the watchers and forwards the rest.
func (n *name) SendSystemMessage(pid *actor.PID, msg any) {
	switch m := msg.(type) {
	case *actor.Watch:
		if n.watch(m.Watcher) {
			return
		}
	case *actor.Unwatch:
		n.mu.Lock()
		delete(n.watchers, m.Watcher.Id)
		n.mu.Unlock()
		return
	}
	if p, to, ok := n.process(); ok {
		p.SendSystemMessage(to, msg)
	} else if m, ok := msg.(*actor.Watch); ok {
		n.ext.sendSystem(m.Watcher, &actor.Terminated{Who: pid, Why: actor.TerminatedReason_NotFound})
	}
}

// watch takes the watcher if there is an incarnation to watch.
func (n *name) watch(who *actor.PID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.living == nil || n.released {
		return false
	}
	n.watchers[who.Id] = who
	return true
}

// Stop stops the living incarnation.
func (n *name) Stop(*actor.PID) {
	if p, to, ok := n.process(); ok {
		p.Stop(to)
	}
}
