package core

import (
	"time"

	"github.com/moldau-go/moldau/supervisor/internal/table"
)

// Machine is one supervisor. Make it with New; feed it with Handle.
type Machine struct {
	cfg Config
	now time.Duration
	out []Action

	head, tail *child
	byID       table.Table[string, *child]
	live       table.Table[Inc, *child]
	timers     table.Table[TimerID, timer]
	lastInc    Inc
	lastTimer  TimerID
	instances  uint64 // SimpleOneForOne: children made so far

	recent   []time.Duration // restarts that count against the supervisor
	job      *job
	inFlight int // single starts and stops under way
	queue    []task
	awaiting []Request // OpAwait

	ready, closing, done bool
}

// timer says what a timer is for: a child's limit or a hold's delay.
type timer struct {
	child *child
	hold  *hold
}

// task is something that waits for its turn. One field is set.
type task struct {
	exit    *child
	hold    *hold
	request *Request
}

// New makes a machine. The configuration must be valid: unique ids, one
// template under SimpleOneForOne.
func New(cfg Config) *Machine {
	return &Machine{cfg: cfg}
}

// Handle takes one event at the time now and says what to do. Time must not
// go backwards. The slice is valid until the next call.
func (m *Machine) Handle(now time.Duration, ev Event) []Action {
	m.now = now
	clear(m.out)
	m.out = m.out[:0]
	switch ev := ev.(type) {
	case Init:
		m.init()
	case Started:
		m.started(ev.Inc)
	case Exited:
		m.exited(ev.Inc, ev.Reason)
	case Fired:
		m.fired(ev.Timer)
	case Stop:
		m.close(ev.Reason)
	case Kill:
		m.kill()
	case Request:
		m.request(ev)
	}
	m.settle()
	return m.out
}

// Done tells whether Exit was given.
func (m *Machine) Done() bool { return m.done }

// Live is how many incarnations there are that were not left behind.
func (m *Machine) Live() int { return m.live.Len() }

func (m *Machine) do(a Action) { m.out = append(m.out, a) }

func (m *Machine) note(n Note, c *child, reason error) {
	m.do(Report{Note: n, ID: c.ID, Inc: c.inc, Reason: reason})
}

// blocked tells whether changes have to wait: a job is under way or, where
// children depend on each other, anything at all.
func (m *Machine) blocked() bool {
	return m.job != nil || (m.grouped() && m.inFlight > 0)
}

// settle goes on with the job and then takes up what waited, in the order it
// came, until there is nothing to do but wait.
func (m *Machine) settle() {
	for m.advance(); !m.blocked() && len(m.queue) > 0 && !m.closing; m.advance() {
		t := m.queue[0]
		m.queue[0] = task{}
		m.queue = m.queue[1:]
		switch {
		case t.exit != nil:
			m.takeExit(t.exit)
		case t.hold != nil:
			m.takeHold(t.hold)
		case t.request != nil:
			m.change(*t.request)
		}
	}
	if len(m.queue) == 0 {
		m.queue = nil
	}
}

func (m *Machine) arm(after time.Duration, t timer) TimerID {
	m.lastTimer++
	m.timers.Set(m.lastTimer, t)
	m.do(Arm{Timer: m.lastTimer, After: after})
	return m.lastTimer
}

func (m *Machine) cancel(id *TimerID) {
	if _, armed := m.timers.Get(*id); armed {
		m.timers.Delete(*id)
		m.do(Cancel{Timer: *id})
	}
	*id = 0
}

func (m *Machine) fired(id TimerID) {
	t, armed := m.timers.Get(id)
	if !armed {
		return
	}
	m.timers.Delete(id)
	if t.hold != nil {
		t.hold.timer = 0
		m.queue = append(m.queue, task{hold: t.hold})
		return
	}
	t.child.timer = 0
	m.overdue(t.child)
}
