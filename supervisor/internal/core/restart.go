package core

import (
	"errors"
	"time"
)

// takeExit decides what the exit of a running child means.
func (m *Machine) takeExit(c *child) {
	if c.removed || c.state != Ended {
		return // a group's restart settled it
	}
	c.state = Stopped
	switch {
	case c.Kind == Temporary:
		m.remove(c)
	case c.Kind == Permanent || abnormal(c.reason):
		m.restart(c, c.reason)
	case c.Kind == Intrinsic:
		m.close(ErrShutdown)
	case m.cfg.Strategy == SimpleOneForOne:
		m.remove(c)
	default:
		m.requeue(c)
	}
}

// restart starts the child and its group again, if the intensity allows; else
// it parks a delayed spec and gives up for any other.
func (m *Machine) restart(c *child, reason error) {
	switch {
	case m.permits(c):
		m.regroup(c, 0)
	case c.Delay > 0:
		m.park(c, reason)
	default:
		m.note(NoteGaveUp, c, reason)
		m.close(&IntensityError{ID: c.ID, Cause: reason})
	}
}

// permits counts a restart: against the child where its spec is a delayed one,
// else against the supervisor.
func (m *Machine) permits(c *child) bool {
	counted := &m.recent
	if c.Delay > 0 {
		counted = &c.recent
	}
	*counted = append(within(*counted, m.now-m.cfg.Within), m.now)
	return len(*counted) <= m.cfg.MaxRestarts
}

// within drops what happened before the time given. What happened just then
// still counts, as in OTP.
func within(times []time.Duration, since time.Duration) []time.Duration {
	keep := times[:0]
	for _, t := range times {
		if t >= since {
			keep = append(keep, t)
		}
	}
	return keep
}

// regroup starts the child and its group; a group is stopped before. delay is
// how long they were parked for it.
func (m *Machine) regroup(c *child, delay time.Duration) {
	m.do(Report{Note: NoteRestarting, ID: c.ID, Reason: c.last, Delay: delay})
	if !m.grouped() {
		c.retried = true
		m.startAlone(c)
		return
	}
	m.job = &job{kind: jobRegroup, stop: reversed(m.others(c)), start: m.group(c)}
}

// startFailed decides what a failed start means; that depends on who wanted it.
func (m *Machine) startFailed(c *child, reason error) {
	if errors.Is(reason, ErrIgnore) {
		m.ignored(c)
		return
	}
	if reason == nil {
		reason = ErrShutdown // it ended, normally, before it had started
	}
	c.last, c.retried = reason, false
	m.note(NoteStartFailed, c, reason)
	c.inc, c.state = 0, Stopped
	j := m.job
	switch {
	case j != nil && j.waiting == c && j.kind == jobInit:
		m.job = nil
		m.close(&StartError{ID: c.ID, Cause: reason})
	case j != nil && j.waiting == c:
		m.job = nil
		m.requeue(c)
		m.retry(append([]*child{c}, j.start...), reason)
	case c.ask != nil || c.fresh:
		if c.fresh {
			m.remove(c)
		}
		m.over(c, reason)
	default:
		m.over(c, nil)
		m.retry([]*child{c}, reason)
	}
}

// ignored: the child wanted no incarnation. Its spec stays, as in OTP, but a
// temporary or dynamic one's does not.
func (m *Machine) ignored(c *child) {
	c.inc, c.state, c.retried = 0, Stopped, false
	c.fresh = false
	if c.Kind == Temporary || m.cfg.Strategy == SimpleOneForOne {
		m.remove(c)
	}
	m.over(c, nil)
}
