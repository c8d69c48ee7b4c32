package core

import "strconv"

// request answers a question at once and lines a change up.
func (m *Machine) request(r Request) {
	switch r.Op {
	case OpFind, OpWhich, OpCount:
		m.answer(r)
	case OpAwait:
		m.await(r)
	default:
		if m.closing {
			m.refuse(r, ErrShutdown)
			return
		}
		m.queue = append(m.queue, task{request: &r})
	}
}

func (m *Machine) await(r Request) {
	switch {
	case m.closing:
		m.refuse(r, ErrShutdown)
	case m.ready:
		m.do(Reply{Number: r.Number, Op: r.Op})
	default:
		m.awaiting = append(m.awaiting, r)
	}
}

func (m *Machine) answer(r Request) {
	reply := Reply{Number: r.Number, Op: r.Op}
	switch r.Op {
	case OpFind:
		if c := m.find(r); c != nil {
			reply.ID, reply.Inc, reply.Children = c.ID, c.inc, []Info{c.info()}
		} else {
			reply.Err = ErrNotFound
		}
	case OpWhich:
		reply.Children = m.Children()
	case OpCount:
		reply.Counts = m.count()
	}
	m.do(reply)
}

func (c *child) info() Info {
	return Info{
		ID: c.ID, Inc: c.inc, State: c.state, Kind: c.Kind, Delay: c.Delay,
		Supervisor: c.Supervisor, Restarts: int(c.restarts), LastFailure: c.last,
	}
}

func (m *Machine) count() Counts {
	n := Counts{Specs: m.byID.Len()}
	if m.cfg.Strategy == SimpleOneForOne {
		n.Specs = 1
	}
	for c := m.head; c != nil; c = c.next {
		if c.inc != 0 {
			n.Active++
		}
		if c.Supervisor {
			n.Supervisors++
		} else {
			n.Workers++
		}
	}
	return n
}

func (m *Machine) find(r Request) *child {
	if r.Inc != 0 {
		return m.live.At(r.Inc)
	}
	return m.byID.At(r.ID)
}

// change carries a request out, or lets it wait for the child it is about.
func (m *Machine) change(r Request) {
	if r.Op == OpStart {
		m.changeStart(r)
		return
	}
	if m.cfg.Strategy == SimpleOneForOne && r.Op != OpTerminate {
		m.refuse(r, ErrSimpleOneForOne)
		return
	}
	c := m.find(r)
	switch {
	case c == nil:
		m.refuse(r, ErrNotFound)
	case m.mustWait(c, r.Op):
		c.waiting = append(c.waiting, r)
	case r.Op == OpTerminate:
		m.terminate(c, r)
	case c.state == Running:
		m.refuse(r, ErrRunning)
	case c.state != Stopped:
		m.refuse(r, ErrRestarting)
	case r.Op == OpDelete:
		m.remove(c)
		m.reply(r, Reply{ID: c.ID})
	default: // OpRestart
		c.ask = &r
		m.startAlone(c)
	}
}

// mustWait: a start or stop of the child is under way or its exit has not had
// its turn. Only a terminate may interrupt a start.
func (m *Machine) mustWait(c *child, op Op) bool {
	switch c.state {
	case Starting:
		return op != OpTerminate
	case Stopping, Ended:
		return true
	}
	return false
}

func (m *Machine) changeStart(r Request) {
	spec := r.Child
	if m.cfg.Strategy == SimpleOneForOne {
		spec = m.instance(spec)
	}
	c := m.byID.At(spec.ID)
	switch {
	case c == nil:
		c = m.add(spec)
		c.fresh, c.ask = true, &r
		m.startAlone(c)
	case m.mustWait(c, OpStart):
		c.waiting = append(c.waiting, r)
	case c.state == Running:
		m.reply(r, Reply{Err: ErrAlreadyStarted, ID: c.ID, Inc: c.inc})
	default:
		m.refuse(r, ErrAlreadyPresent)
	}
}

// instance makes a child from the template. It keeps the payload, which has
// the arguments, and the id, if one is given.
func (m *Machine) instance(given Child) Child {
	spec := m.cfg.Children[0]
	spec.Payload = given.Payload
	m.instances++
	spec.ID += "#" + strconv.FormatUint(m.instances, 10)
	if given.ID != "" {
		spec.ID = given.ID
	}
	return spec
}

// terminate stops the child, interrupting its start, or calls its restart off.
func (m *Machine) terminate(c *child, r Request) {
	switch c.state {
	case Running, Starting:
		if c.ask != nil {
			m.refuse(*c.ask, ErrTerminated)
		}
		c.ask = &r
		if !c.single {
			c.single = true
			m.inFlight++
		}
		m.stop(c)
		return
	}
	m.release(c)
	c.state = Stopped
	if m.cfg.Strategy == SimpleOneForOne {
		m.remove(c)
	}
	m.reply(r, Reply{ID: c.ID})
}

func (m *Machine) reply(r Request, with Reply) {
	with.Number, with.Op = r.Number, r.Op
	m.do(with)
}

func (m *Machine) refuse(r Request, err error) {
	m.reply(r, Reply{Err: err, ID: r.ID})
}

// Children tells of every child, in start order.
func (m *Machine) Children() []Info {
	out := make([]Info, 0, m.byID.Len())
	for c := m.head; c != nil; c = c.next {
		out = append(out, c.info())
	}
	return out
}
