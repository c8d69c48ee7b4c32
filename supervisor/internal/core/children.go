package core

import "time"

// child is a spec and where it stands.
type child struct {
	Child
	state   State
	removed bool
	retried bool // the start under way is an automatic one
	single  bool // the start or stop under way is not part of a job
	fresh   bool // never came up: a failed start removes it

	restarts int32
	inc      Inc             // the living incarnation
	timer    TimerID         // its limit, while starting or stopping
	reason   error           // of the exit that waits for its turn
	recent   []time.Duration // restarts that count against the child; delayed specs only
	last     error

	ask     *Request  // waits for the start or stop under way
	waiting []Request // wait until that start or stop is over
	hold    *hold     // parked in

	prev, next *child
}

// add appends the child: start order is list order.
func (m *Machine) add(spec Child) *child {
	c := &child{Child: spec, prev: m.tail}
	if m.tail == nil {
		m.head = c
	} else {
		m.tail.next = c
	}
	m.tail = c
	m.byID.Set(spec.ID, c)
	return c
}

// remove forgets the child and its spec.
func (m *Machine) remove(c *child) {
	if c.removed {
		return
	}
	c.removed, c.state = true, Stopped
	if c.prev == nil {
		m.head = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		m.tail = c.prev
	} else {
		c.next.prev = c.prev
	}
	m.byID.Delete(c.ID)
	m.do(Forget{ID: c.ID})
	m.requeue(c)
}

// group lists, in start order, those that a restart of c restarts.
func (m *Machine) group(c *child) []*child {
	from := c
	switch m.cfg.Strategy {
	case OneForAll:
		from = m.head
	case RestForOne:
	default:
		return []*child{c}
	}
	var all []*child
	for ; from != nil; from = from.next {
		all = append(all, from)
	}
	return all
}

// reversed lists them last started first.
func reversed(children []*child) []*child {
	out := make([]*child, 0, len(children))
	for i := len(children) - 1; i >= 0; i-- {
		out = append(out, children[i])
	}
	return out
}

// grouped tells whether a restart may concern more than one child; then one
// thing is done at a time.
func (m *Machine) grouped() bool {
	return m.cfg.Strategy == OneForAll || m.cfg.Strategy == RestForOne
}
