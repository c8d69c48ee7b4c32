package core

// start spawns the child. Whoever calls says, in the child, what the start
// is part of.
func (m *Machine) start(c *child) {
	m.lastInc++
	c.inc, c.state, c.reason = m.lastInc, Starting, nil
	m.live.Set(c.inc, c)
	m.do(Start{ID: c.ID, Inc: c.inc, Payload: c.Payload})
	if c.NoWait {
		m.started(c.inc)
		return
	}
	if c.Startup > 0 {
		c.timer = m.arm(c.Startup, timer{child: c})
	}
}

// startAlone starts the child outside a job.
func (m *Machine) startAlone(c *child) {
	c.single = true
	m.inFlight++
	m.start(c)
}

func (m *Machine) started(inc Inc) {
	c := m.live.At(inc)
	if c == nil || c.state != Starting {
		return
	}
	m.cancel(&c.timer)
	c.state, c.fresh = Running, false
	if c.retried {
		c.restarts++
		c.retried = false
	}
	m.note(NoteStarted, c, nil)
	m.over(c, nil)
}

// stop tells the child to stop and gives it its limit.
func (m *Machine) stop(c *child) {
	m.cancel(&c.timer)
	c.state = Stopping
	m.do(StopChild{ID: c.ID, Inc: c.inc})
	switch {
	case c.Shutdown == BrutalKill:
		m.overdue(c)
	case c.Shutdown > 0:
		c.timer = m.arm(c.Shutdown, timer{child: c})
	}
}

// overdue: the child did not start or stop within its limit.
func (m *Machine) overdue(c *child) {
	reason := ErrKilled
	if c.state == Starting {
		reason = ErrStartTimeout
	}
	m.do(Abandon{ID: c.ID, Inc: c.inc})
	m.note(NoteAbandoned, c, reason)
	m.exited(c.inc, reason)
}

func (m *Machine) exited(inc Inc, reason error) {
	c := m.live.At(inc)
	if c == nil {
		return
	}
	m.cancel(&c.timer)
	m.live.Delete(inc)
	switch c.state {
	case Starting:
		m.startFailed(c, reason)
	case Stopping:
		m.note(NoteStopped, c, reason)
		c.inc, c.state = 0, Stopped
		m.stopped(c)
	default:
		c.state, c.reason = Ended, reason
		m.noteExit(c, reason)
		c.inc = 0
		m.queue = append(m.queue, task{exit: c})
	}
}

func (m *Machine) noteExit(c *child, reason error) {
	if abnormal(reason) {
		c.last = reason
		m.note(NoteFailed, c, reason)
		return
	}
	m.note(NoteExited, c, reason)
}

// stopped: a child that was told to stop is gone.
func (m *Machine) stopped(c *child) {
	if c.Kind == Temporary || c.fresh || m.cfg.Strategy == SimpleOneForOne {
		m.remove(c)
	}
	m.over(c, nil)
}

// over ends a start or stop: its job may go on, or whoever asked is answered.
func (m *Machine) over(c *child, err error) {
	if c.single {
		c.single = false
		m.inFlight--
	}
	if ask := c.ask; ask != nil {
		c.ask = nil
		m.reply(*ask, Reply{Err: err, ID: c.ID, Inc: c.inc})
	}
	m.requeue(c)
	if m.job != nil && m.job.waiting == c {
		m.job.waiting = nil
	}
}

// requeue gives those that waited for the child another turn.
func (m *Machine) requeue(c *child) {
	for i := range c.waiting {
		m.queue = append(m.queue, task{request: &c.waiting[i]})
	}
	c.waiting = nil
}
