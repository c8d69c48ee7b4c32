package simulator

import (
	"math/rand/v2"
	"time"
)

// Node describes a place where incarnations of a core live one after another.
type Node struct {
	// Name is unique in its world.
	Name string
	// Start makes the core of one incarnation, counted from 1. What must survive
	// a crash (a disk, a handle) is what the function closes over.
	Start func(incarnation int) Core
	// RestartAfter is the delay after which a crashed node starts again, drawn
	// for each crash. The zero Range leaves it down until World.Restart.
	RestartAfter Range
	// CrashOdds is the chance, 0 to 1, that the node crashes while it handles an
	// event: the event is consumed, and a random number of its actions, none or
	// all included, are carried out.
	CrashOdds float64
}

// Range is an interval of time, both ends included. The zero value is "none".
type Range struct {
	// Min is the least value; not negative.
	Min time.Duration
	// Max is the greatest value; less than Min counts as Min.
	Max time.Duration
}

func (r Range) draw(random *rand.Rand) time.Duration {
	if r.Max <= r.Min {
		return r.Min
	}
	return r.Min + time.Duration(random.Int64N(int64(r.Max-r.Min)+1))
}

// node is a Node in a world.
type node struct {
	Node
	name        string
	index       int          // in World.nodes
	out         []*direction // by index of the other end; nil until used
	core        Core
	up          bool
	paused      bool
	incarnation int
	random      *rand.Rand // what cores draw from
	fate        *rand.Rand // crashes and restart delays
	timers      []*timer   // the armed ones; few, and a slice has an order
	held        []event    // what arrived while the node was paused
}

// timer is one arming of a node's timer.
type timer struct {
	name  string
	armed bool
}

func (n *node) startTimer(w *World, name string, after time.Duration) {
	n.disarm(name)
	t := &timer{name: name, armed: true}
	n.timers = append(n.timers, t)
	w.schedule(event{at: w.now + max(after, 0), kind: kindTimer, node: n, incarnation: n.incarnation, timer: t,
		input: TimerFired{Name: name}})
}

func (n *node) stopTimer(w *World, name string) {
	if n.disarm(name) {
		w.trace.add(w.now, n.name, "stop", name)
	}
}

// disarm forgets the armed timer of this name, if there is one.
func (n *node) disarm(name string) bool {
	for i, t := range n.timers {
		if t.name == name {
			t.armed = false
			n.timers = append(n.timers[:i], n.timers[i+1:]...)
			return true
		}
	}
	return false
}

// dropTimers is what a crash does to timers.
func (n *node) dropTimers() {
	for _, t := range n.timers {
		t.armed = false
	}
	n.timers = nil
}

// handle gives one event to the core and carries out what it answers.
func (n *node) handle(w *World, input Event) {
	actions := n.core.Handle(Input{Now: w.Now(), Elapsed: w.now, Rand: n.random, Event: input})
	incarnation, keep := n.incarnation, len(actions)
	doomed := n.CrashOdds > 0 && n.fate.Float64() < n.CrashOdds
	if doomed {
		keep = n.fate.IntN(len(actions) + 1)
	}
	for _, action := range actions[:keep] {
		if !n.alive(incarnation) {
			return // one of the actions ended this incarnation
		}
		action.apply(w, n)
	}
	if doomed && n.alive(incarnation) {
		w.crash(n, "chance")
	}
}

func (n *node) alive(incarnation int) bool { return n.up && n.incarnation == incarnation }
