package simulator

import (
	"fmt"
	"runtime/debug"
	"time"
)

// check is a named condition.
type check struct {
	name  string
	holds func() error
}

// Result tells of a run that came to its end.
type Result struct {
	// Hash is a digest of the whole trace: two runs of a seed have the same one.
	Hash uint64
	// Steps counts the events that happened.
	Steps int
	// Elapsed is the virtual time at the end.
	Elapsed time.Duration
	// Dropped counts the messages that were lost on the way.
	Dropped int
	// Crashes counts the incarnations that ended.
	Crashes int
	// TimedOut tells that Config.Time ended the run, with events still to come.
	TimedOut bool
}

// Run runs the world to its end. The error is a *Violation or nil. A World runs
// once.
func (w *World) Run() (result Result, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = w.violation("no panic", fmt.Errorf("%v\n%s", cause, debug.Stack()))
		}
	}()
	timedOut, err := w.loop()
	if err == nil {
		err = w.verify(w.finals)
	}
	return Result{Hash: w.trace.hash, Steps: w.steps, Elapsed: w.now, Dropped: w.dropped, Crashes: w.crashes,
		TimedOut: timedOut}, err
}

// loop runs one event after another until there is a reason to end.
func (w *World) loop() (timedOut bool, err error) {
	for w.heap.len() > 0 {
		if w.heap.events[0].at > w.config.Time {
			w.now = w.config.Time
			return true, nil
		}
		if w.steps >= w.config.Steps {
			return false, w.violation("step limit",
				fmt.Errorf("%d events did not bring the run to its end: raise Config.Steps or look for a circle", w.steps))
		}
		e := w.heap.pop()
		w.now = e.at
		w.steps++
		w.happen(e)
		if err := w.verify(w.invariants); err != nil {
			return false, err
		}
		if w.until != nil && w.until() {
			return false, nil
		}
	}
	return false, nil
}

// happen lets one event take effect.
func (w *World) happen(e event) {
	switch e.kind {
	case kindCall:
		w.trace.add(w.now, "-", "do", e.label)
		e.call()
	case kindRestart:
		w.start(e.node, e.incarnation)
	case kindDrain:
		w.drain(e)
	default:
		w.deliver(e)
	}
}

// deliver brings an event to its node, unless it has become void on the way.
func (w *World) deliver(e event) {
	n := e.node
	if e.kind == kindTimer && !e.timer.armed {
		return // stopped, replaced, or its incarnation is gone
	}
	if e.kind == kindMessage && e.epoch != e.direction.epoch {
		w.drop(n, e.input, "cut in flight")
		return
	}
	if !n.alive(e.incarnation) {
		w.drop(n, e.input, "receiver crashed")
		return
	}
	if n.paused || len(n.held) > 0 {
		n.hold(w, e)
		return
	}
	w.take(e)
}

// take gives an event that has arrived to its node's core.
func (w *World) take(e event) {
	n := e.node
	if e.kind == kindTimer {
		if !e.timer.armed {
			return // stopped while it waited
		}
		n.disarm(e.timer.name)
	}
	w.trace.add(w.now, n.name, "event", e.input.String())
	n.handle(w, e.input)
}

func (w *World) verify(checks []check) error {
	for _, c := range checks {
		if err := c.holds(); err != nil {
			return w.violation(c.name, err)
		}
	}
	return nil
}

func (w *World) violation(name string, cause error) *Violation {
	return &Violation{Seed: w.seed, At: w.now, Step: w.steps, Invariant: name, Cause: cause,
		Hash: w.trace.hash, Tail: w.trace.tail()}
}
