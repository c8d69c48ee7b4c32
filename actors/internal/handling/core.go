// Package handling is the pure core of the handler actor: which message sets of a
// partition the user's worker has, what of them is acked, and what becomes of a
// failure. It does no I/O and reads no clock.
package handling

import (
	"time"

	"github.com/moldau-go/moldau/behaviors"
)

// Set is a message set that a consumer has handed out.
type Set struct {
	First, Last int64
	Count       int
	Ref         any // the shell's
}

// phase is what the worker's goroutine does.
type phase uint8

const (
	starting phase = iota // the worker is being made
	idle
	handling // the last set of out
	burying  // writing dead letters
	deciding
	choosing // a position
	resting  // until wakeAt, and then a fresh worker is made
	parked   // until Resume, and then a fresh worker is made
	stopped
)

// Core is the state machine of one partition's handler.
type Core struct {
	phase  phase
	queue  []Set
	out    []entry // the worker has them or had; the last may be in work or be held
	noted  int64   // what was acked of the set in work; -1: nothing
	held   bool    // the last of out is to be tried again: at wakeAt, or at Resume
	wakeAt time.Time
	paused bool
	told   error               // a failure that came while user code ran
	seek   *behaviors.Position // to go to when user code has ended
	fail   failure             // that is being decided or carried out
}

type entry struct {
	Set
	from int64 // the first record that is not done with
	done bool  // acked, but not all before it
}

// failure is what the worker failed with.
type failure struct {
	record int64 // -1: it names none
	fresh  bool  // the worker is not to be used again
	err    error
}

// New makes a core whose worker is being made, of a partition that is paused or not.
func New(paused bool) *Core { return &Core{noted: -1, paused: paused} }

// NewStopped makes the core of a partition that a decision has stopped before.
func NewStopped() *Core { return &Core{phase: stopped} }

// Result is how a worker is done with a set.
type Result uint8

// The results.
const (
	Acked Result = iota
	Later
	Failed
)

// Outcome is what became of a call of the worker.
type Outcome struct {
	Result   Result
	Err      error // of Failed
	Record   int64 // that failed; -1: none is named
	Panicked bool
	Decision behaviors.Decision
}

// Ready tells that the worker is made, and reads.
func (c *Core) Ready() []Action {
	if c.phase != starting {
		return nil
	}
	c.phase = idle
	if c.seek != nil {
		return c.step(time.Time{}, nil)
	}
	out := []Action{Subscribe{}}
	if c.paused {
		out = append(out, PauseFetching{})
	}
	return out
}

// Got takes a set from the consumer.
func (c *Core) Got(now time.Time, set Set) []Action {
	if c.phase == stopped || c.phase == starting || c.phase == resting || c.phase == parked {
		return nil // of a subscription that is given up; it comes again
	}
	c.queue = append(c.queue, set)
	return c.step(now, nil)
}

// Handled is the outcome of Handle.
func (c *Core) Handled(now time.Time, o Outcome) []Action {
	if c.phase != handling {
		return nil
	}
	c.phase = idle
	noted := c.noted
	c.noted = -1
	if c.seek != nil {
		return c.step(now, nil)
	}
	out := c.ackTo(noted, nil)
	switch o.Result {
	case Failed:
		c.told = nil // the worker has failed anyway
		return c.failed(now, o, out)
	case Acked:
		out = c.settle(out)
	}
	return c.step(now, out)
}

// settle acks the last set of out.
func (c *Core) settle(out []Action) []Action {
	if n := len(c.out); n > 0 {
		c.out[n-1].done = true
	}
	return c.advance(out)
}

// advance takes the sets from out that are done, as far as all before them are.
func (c *Core) advance(out []Action) []Action {
	for len(c.out) > 0 && c.out[0].done {
		set := c.out[0]
		c.out = c.out[1:]
		out = append(out, Floor{set.Last + 1, set.Count}, Ack{set.Last})
	}
	if len(c.out) == 0 {
		c.out = nil // an idle partition keeps no answer of its broker
	}
	return out
}

// AckedLater acks everything up to an offset that the worker has. What is acked of
// the set in work counts when the call ends: one call at a time.
func (c *Core) AckedLater(now time.Time, offset int64) []Action {
	n := len(c.out)
	if n == 0 || offset > c.out[n-1].Last || c.seek != nil {
		return nil
	}
	var out []Action
	if c.busy() && offset >= c.out[n-1].First {
		c.noted = max(c.noted, offset)
		if n > 1 {
			out = c.ackTo(c.out[n-2].Last, nil)
		}
		return out
	}
	out = c.ackTo(offset, nil)
	c.held = c.held && len(c.out) > 0
	return c.step(now, out)
}

// busy says that the last of out is in work.
func (c *Core) busy() bool { return c.phase == handling || c.phase == burying }

// ackTo marks what is before and at an offset as done with.
func (c *Core) ackTo(offset int64, out []Action) []Action {
	for i := range c.out {
		e := &c.out[i]
		switch {
		case e.Last <= offset:
			e.done = true
		case e.from <= offset && !e.done:
			e.from = offset + 1
			if i == 0 || c.out[i-1].done {
				return append(c.advance(out), Floor{offset + 1, 0})
			}
		}
	}
	return c.advance(out)
}

// Pause hands the worker nothing more until Resume.
func (c *Core) Pause() []Action {
	if c.phase == stopped || c.paused {
		return nil
	}
	c.paused = true
	return []Action{PauseFetching{}}
}

// Resume ends a Pause, the user's or a decision's.
func (c *Core) Resume(now time.Time) []Action {
	if !c.paused {
		return nil
	}
	c.paused = false
	out := []Action{ResumeFetching{}}
	if c.phase == parked {
		return c.renew(out)
	}
	return c.step(now, out)
}

// Seek goes to another position, when a call that is under way has ended. What the
// worker has of before cannot be acked any more.
func (c *Core) Seek(now time.Time, to behaviors.Position) []Action {
	if c.phase == stopped {
		return nil
	}
	c.seek = &to
	if c.phase == resting || c.phase == parked {
		return c.renew(nil)
	}
	return c.step(now, nil)
}

// Refused tells that there is no record at the position: the worker is to choose
// another.
func (c *Core) Refused(err error) []Action {
	if c.phase != idle {
		return nil
	}
	c.phase = choosing
	return []Action{Choose{err}}
}

// Chosen is the outcome of Choose: a position, or a failure.
func (c *Core) Chosen(now time.Time, to behaviors.Position, err error) []Action {
	if c.phase != choosing {
		return nil
	}
	c.phase = idle
	if err != nil {
		return []Action{Exit{err}}
	}
	if c.seek == nil {
		c.seek = &to
	}
	return c.step(now, nil)
}

// Tick is the time that Wake asked for.
func (c *Core) Tick(now time.Time) []Action {
	if c.phase == resting {
		if c.wakeAt.After(now) {
			return []Action{Wake{c.wakeAt}}
		}
		return c.renew(nil)
	}
	return c.step(now, nil)
}

// Ended is the State of a worker that a decision has stopped.
const Ended = "stopped"

// State is what the handler does, in a word.
func (c *Core) State() string {
	switch {
	case c.phase == stopped:
		return Ended
	case c.paused:
		return "paused"
	}
	return [...]string{starting: "starting", idle: "waiting", handling: "handling", burying: "writing dead letters", deciding: "failing", choosing: "choosing a position", resting: "resting", parked: "paused"}[c.phase]
}

// step does what can be done now.
func (c *Core) step(now time.Time, out []Action) []Action {
	if c.phase != idle {
		return out
	}
	if c.seek != nil {
		to := *c.seek
		c.forget()
		return append(out, Go{to})
	}
	if c.told != nil {
		err := c.told
		c.told, c.phase = nil, deciding
		return append(out, Decide{err})
	}
	if c.paused {
		return out
	}
	if c.held {
		if c.wakeAt.After(now) {
			return append(out, Wake{c.wakeAt})
		}
		c.held = false
		return c.handle(out)
	}
	if len(c.queue) == 0 {
		return out
	}
	set := c.queue[0]
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil
	}
	c.out = append(c.out, entry{Set: set, from: set.First})
	return c.handle(out)
}

func (c *Core) handle(out []Action) []Action {
	c.phase, c.noted = handling, -1
	last := &c.out[len(c.out)-1]
	return append(out, Handle{last.Set, last.from})
}

// forget gives up all sets; what is not acked comes again.
func (c *Core) forget() {
	c.queue, c.out, c.held, c.noted, c.told, c.seek = nil, nil, false, -1, nil, nil
}

// renew has a fresh worker made.
func (c *Core) renew(out []Action) []Action {
	seek := c.seek
	c.forget()
	c.phase = starting
	if seek != nil {
		return append(out, Renew{To: seek})
	}
	return append(out, Renew{})
}
