package handling

import (
	"time"

	"github.com/moldau-go/moldau/behaviors"
)

// Fail tells of a failure from outside of a call: the worker's own goroutines have
// failed. It is decided about when the call that is under way has ended.
func (c *Core) Fail(now time.Time, err error) []Action {
	switch c.phase {
	case starting, resting, parked, stopped:
		return nil
	}
	if c.told == nil {
		c.told = err
	}
	return c.step(now, nil)
}

// Decided is the answer to Decide.
func (c *Core) Decided(now time.Time, o Outcome) []Action {
	if c.phase != deciding {
		return nil
	}
	c.phase = idle
	o.Panicked = true // whatever it was: the worker's goroutines have ended
	return c.failed(now, o, nil)
}

// failed carries out a decision. The same worker goes on only after an error of the
// one set that it has.
func (c *Core) failed(now time.Time, o Outcome, out []Action) []Action {
	kind := o.Decision.Kind()
	if !c.has(o.Record) && (kind == behaviors.KindSkip || kind == behaviors.KindDeadLetter) {
		return append(out, Exit{o.Err}) // it names a record that the worker does not have
	}
	if c.has(o.Record) {
		out = c.ackTo(o.Record-1, out)
	}
	c.fail = failure{record: o.Record, err: o.Err, fresh: o.Panicked || len(c.out) != 1}
	switch kind {
	case behaviors.KindRetry:
		return c.retry(now, now.Add(o.Decision.Delay()), out)
	case behaviors.KindSkip:
		return c.skip(now, out)
	case behaviors.KindDeadLetter:
		return c.bury(o.Decision.Topic(), out)
	case behaviors.KindPause:
		return c.pauseFor(out)
	case behaviors.KindStop:
		c.forget()
		c.phase = stopped
		return append(out, Stop{o.Err})
	}
	return append(out, Exit{o.Err})
}

// has says whether a record is in a set that the worker has; -1, for none, is.
func (c *Core) has(record int64) bool {
	for _, e := range c.out {
		if record >= e.First && record <= e.Last {
			return true
		}
	}
	return record < 0
}

func (c *Core) retry(now, at time.Time, out []Action) []Action {
	c.wakeAt = at
	if c.fail.fresh {
		c.forget()
		c.phase = resting
		return append(out, Wake{at})
	}
	c.held = true
	return c.step(now, out)
}

func (c *Core) pauseFor(out []Action) []Action {
	if c.fail.fresh {
		c.forget()
		c.phase = parked
	} else {
		c.held, c.wakeAt = true, time.Time{}
	}
	if !c.paused {
		c.paused = true
		out = append(out, PauseFetching{})
	}
	return append(out, Paused{c.fail.err})
}

// skip goes on behind what has failed.
func (c *Core) skip(now time.Time, out []Action) []Action {
	n := len(c.out)
	if n == 0 {
		return c.onward(now, out)
	}
	first, last := c.out[0].from, c.out[n-1].Last
	if c.fail.record >= 0 {
		first, last = c.fail.record, c.fail.record
	}
	out = append(out, Skipped{first, last, c.fail.err})
	return c.onward(now, c.ackTo(last, out))
}

// onward goes on after a failure that is settled.
func (c *Core) onward(now time.Time, out []Action) []Action {
	if c.fail.fresh {
		return c.renew(out)
	}
	c.held, c.wakeAt = len(c.out) > 0, time.Time{}
	return c.step(now, out)
}

func (c *Core) bury(topic string, out []Action) []Action {
	c.phase = burying
	sets := make([]Set, len(c.out))
	for i, e := range c.out {
		sets[i] = e.Set
	}
	from := int64(0)
	if len(c.out) > 0 {
		from = c.out[0].from
	}
	return append(out, Bury{Topic: topic, Sets: sets, From: from, Record: c.fail.record, Err: c.fail.err})
}

// Buried tells that Bury is done, or could not be: then this incarnation ends, and
// the failure comes again.
func (c *Core) Buried(now time.Time, err error) []Action {
	if c.phase != burying {
		return nil
	}
	c.phase = idle
	noted := c.noted
	c.noted = -1
	if err != nil {
		return []Action{Exit{err}}
	}
	if c.seek != nil {
		return c.step(now, nil)
	}
	return c.skip(now, c.ackTo(min(noted, c.buriedBefore()), nil))
}

// buriedBefore is the end of what an ack may settle that came meanwhile: what is
// being skipped is settled by that.
func (c *Core) buriedBefore() int64 {
	if len(c.out) == 0 {
		return -1
	}
	if c.fail.record >= 0 {
		return c.fail.record - 1
	}
	return c.out[len(c.out)-1].Last - 1
}
