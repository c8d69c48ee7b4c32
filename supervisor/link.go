package supervisor

import "github.com/asynkron/protoactor-go/actor"

// link is a monitor between two guards. Both have it in a list, so that it ends
// with whichever ends first; it is no process and costs the actors nothing else.
// Its fields belong to the extension's lock.
type link struct {
	owner, target *guard
	who           *actor.PID // as the user gave it
	ended         bool

	prev, next   *link // among those that monitor the target
	older, newer *link // among those that the owner has
}

// link makes one. If the target's last turn is over, the Down is sent at once.
func (e *extension) link(owner, target *guard, who *actor.PID) Ref {
	l := &link{owner: owner, target: target, who: who}
	e.mu.Lock()
	missed := target.over
	l.ended = missed || owner.over
	if !l.ended {
		l.join()
	}
	e.mu.Unlock()
	if missed {
		l.tell(ErrNoProcess)
	}
	return Ref{monitor: l}
}

// join puts it in front of both lists.
func (l *link) join() {
	if l.next = l.target.watchers; l.next != nil {
		l.next.prev = l
	}
	if l.older = l.owner.watching; l.older != nil {
		l.older.newer = l
	}
	l.target.watchers, l.owner.watching = l, l
}

// leave takes it out of both lists; false if it has ended already.
func (l *link) leave() bool {
	if l.ended {
		return false
	}
	l.ended = true
	if l.next != nil {
		l.next.prev = l.prev
	}
	if l.prev != nil {
		l.prev.next = l.next
	} else {
		l.target.watchers = l.next
	}
	if l.older != nil {
		l.older.newer = l.newer
	}
	if l.newer != nil {
		l.newer.older = l.older
	} else {
		l.owner.watching = l.older
	}
	l.prev, l.next, l.older, l.newer = nil, nil, nil, nil
	return true
}

// end implements monitor. The owner is told without the lock: its turn may begin
// at once.
func (l *link) end(tell bool, reason error) {
	ext := l.owner.ext
	ext.mu.Lock()
	first := l.leave()
	ext.mu.Unlock()
	if first && tell {
		l.tell(reason)
	}
}

func (l *link) tell(reason error) {
	l.owner.mailbox.PostUserMessage(&Down{Ref: Ref{monitor: l}, Who: l.who, Reason: reason})
}

// unlink ends the guard's links, once its last turn is over: its own, and those
// of others to it, who are told.
func (g *guard) unlink() {
	for {
		g.ext.mu.Lock()
		own, theirs := g.watching, g.watchers
		g.over = own == nil && theirs == nil
		g.ext.mu.Unlock()
		switch {
		case own != nil:
			own.end(false, nil)
		case theirs != nil:
			theirs.end(true, g.why())
		default:
			return
		}
	}
}
