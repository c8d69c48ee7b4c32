package core

import "time"

// hold is a group of children that waits to be started again: after a delay
// (parked, clean) or as soon as what else waits had its turn (a failed start).
type hold struct {
	timer   TimerID
	leader  *child
	members map[*child]struct{}
	clean   bool          // the attempt is not counted
	delay   time.Duration // clean: how long they wait
	reason  error         // else: the failure that the attempt is counted for
}

// fill puts the group of the hold's leader into it. The timer runs already.
func (m *Machine) fill(h *hold) {
	for _, c := range m.group(h.leader) {
		m.putInto(h, c, Delayed)
	}
}

// putInto marks c as waiting. A child that an earlier turn already left
// waiting elsewhere changes over.
func (m *Machine) putInto(h *hold, c *child, s State) {
	if c.removed || c.Kind == Temporary {
		return
	}
	m.release(c)
	c.hold, c.state = h, s
	h.members[c] = struct{}{}
	m.requeue(c)
}

// release takes the child out of its hold. The hold goes on without it, led by
// another if it led; the last one out cancels it.
func (m *Machine) release(c *child) {
	h := c.hold
	if h == nil {
		return
	}
	c.hold, c.state = nil, Stopped
	delete(h.members, c)
	if len(h.members) == 0 {
		m.cancel(&h.timer)
		return
	}
	if h.leader == c {
		h.leader = m.firstOf(h)
	}
}

// firstOf is the member that was started first. It is on the way of a rare
// request, so it may look at all.
func (m *Machine) firstOf(h *hold) *child {
	for c := m.head; c != nil; c = c.next {
		if c.hold == h {
			return c
		}
	}
	return nil
}

// takeHold tries the start that the hold stands for.
func (m *Machine) takeHold(h *hold) {
	if len(h.members) == 0 {
		return
	}
	leader := h.leader
	for c := range h.members {
		c.hold, c.state = nil, Stopped
	}
	clear(h.members)
	if h.clean {
		leader.recent = nil
		m.regroup(leader, h.delay)
		return
	}
	m.restart(leader, h.reason)
}

// park stops the child's group and holds it for the child's delay, which
// counts from now.
func (m *Machine) park(c *child, reason error) {
	h := &hold{leader: c, members: map[*child]struct{}{}, clean: true, delay: c.Delay}
	m.do(Report{Note: NoteDelayed, ID: c.ID, Reason: reason, Delay: c.Delay})
	h.timer = m.arm(c.Delay, timer{hold: h})
	if !m.grouped() {
		m.fill(h)
		return
	}
	m.job = &job{kind: jobPark, stop: reversed(m.others(c)), hold: h}
}

// others is the child's group without the child.
func (m *Machine) others(c *child) []*child {
	var out []*child
	for _, o := range m.group(c) {
		if o != c {
			out = append(out, o)
		}
	}
	return out
}

// retry holds the children for an attempt that is made, and counted, as soon
// as what waits already had its turn.
func (m *Machine) retry(children []*child, reason error) {
	h := &hold{leader: children[0], members: map[*child]struct{}{}, reason: reason}
	h.timer = m.arm(time.Duration(0), timer{hold: h})
	for _, c := range children {
		m.putInto(h, c, Restarting)
	}
}
