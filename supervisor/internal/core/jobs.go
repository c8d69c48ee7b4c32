package core

// job is work in order: stops, one at a time, then starts, one at a time.
// One job runs at a time and nothing else changes meanwhile.
type job struct {
	kind     jobKind
	stop     []*child
	start    []*child
	waiting  *child // being stopped or started
	parallel bool   // stop all at once
	hold     *hold  // parking: filled when all are stopped
	reason   error  // closing: the exit's
}

type jobKind uint8

const (
	jobInit jobKind = iota
	jobRegroup
	jobPark
	jobClose
)

// init starts the configured children in order.
func (m *Machine) init() {
	if m.cfg.Strategy == SimpleOneForOne {
		m.becomeReady()
		return
	}
	j := &job{kind: jobInit}
	for _, spec := range m.cfg.Children {
		j.start = append(j.start, m.add(spec))
	}
	m.cfg.Children = nil // they have records now
	m.job = j
}

func (m *Machine) becomeReady() {
	m.ready = true
	m.do(Ready{})
	for _, r := range m.awaiting {
		m.do(Reply{Number: r.Number, Op: r.Op})
	}
	m.awaiting = nil
}

// advance goes on with the job until it has to wait or is done.
func (m *Machine) advance() {
	for m.job != nil && m.job.waiting == nil {
		j := m.job
		switch {
		case len(j.stop) > 0:
			c := j.stop[0]
			j.stop = j.stop[1:]
			m.stopFor(j, c)
		case j.parallel && m.live.Len() > 0:
			return
		case len(j.start) > 0:
			c := j.start[0]
			j.start = j.start[1:]
			m.startFor(j, c)
		default:
			m.finish(j)
		}
	}
}

// stopFor stops one child of a job, if it has to be stopped at all.
func (m *Machine) stopFor(j *job, c *child) {
	m.release(c)
	switch c.state {
	case Running, Starting:
		if !j.parallel {
			j.waiting = c
		}
		m.stop(c)
	case Stopping:
		if !j.parallel {
			j.waiting = c
		}
	default: // nothing lives; an exit that waits for its turn is settled by this
		c.state = Stopped
		if c.Kind == Temporary {
			m.remove(c)
		}
	}
}

func (m *Machine) startFor(j *job, c *child) {
	if c.removed {
		return
	}
	j.waiting = c
	c.retried = j.kind == jobRegroup
	m.start(c)
}

func (m *Machine) finish(j *job) {
	m.job = nil
	switch j.kind {
	case jobInit:
		m.becomeReady()
	case jobPark:
		m.fill(j.hold)
	case jobClose:
		m.done = true
		m.do(Exit{Reason: j.reason})
	}
}

// close answers everything that waits and stops the children, last started
// first; those of a simple_one_for_one all at once.
func (m *Machine) close(reason error) {
	if m.closing {
		return
	}
	m.refuseAll()
	m.job = &job{
		kind:     jobClose,
		stop:     reversed(m.all()),
		parallel: m.cfg.Strategy == SimpleOneForOne,
		reason:   reason,
	}
}

// kill tells every child to stop and waits for none.
func (m *Machine) kill() {
	if m.done {
		return
	}
	m.refuseAll()
	m.job = &job{kind: jobClose, parallel: true, reason: ErrKilled}
	for _, c := range reversed(m.all()) {
		m.release(c)
		if c.state != Running && c.state != Starting && c.state != Stopping {
			continue
		}
		m.cancel(&c.timer)
		if c.state != Stopping {
			c.state = Stopping
			m.do(StopChild{ID: c.ID, Inc: c.inc})
		}
		m.overdue(c)
	}
}

// refuseAll turns the machine to closing: nothing that waits will happen.
func (m *Machine) refuseAll() {
	m.closing = true
	if m.job != nil && m.job.hold != nil {
		m.cancel(&m.job.hold.timer) // it was about to park
	}
	for _, t := range m.queue {
		if t.request != nil {
			m.refuse(*t.request, ErrShutdown)
		}
	}
	m.queue = nil
	for _, r := range m.awaiting {
		m.refuse(r, ErrShutdown)
	}
	m.awaiting = nil
	for c := m.head; c != nil; c = c.next {
		if c.ask != nil {
			m.refuse(*c.ask, ErrShutdown)
			c.ask = nil
		}
		for _, r := range c.waiting {
			m.refuse(r, ErrShutdown)
		}
		c.waiting = nil
	}
}

func (m *Machine) all() []*child {
	out := make([]*child, 0, m.byID.Len())
	for c := m.head; c != nil; c = c.next {
		out = append(out, c)
	}
	return out
}
