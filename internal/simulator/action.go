package simulator

import "time"

// Action is one thing that a core wants done: [Send], [Tell], [StartTimer],
// [StopTimer], [Note], [Do] or [Crash]. The world carries a list out in order.
type Action interface {
	apply(w *World, n *node)
}

// Send gives Body to the link to the node named To. It may be lost.
type Send struct {
	// To is the receiver's name; an unknown one ends the run with a Violation.
	To string
	// Body arrives in a Message.
	Body Event
}

// Tell hands Event to the node itself, at the same instant and behind everything
// that is already scheduled for it. It dies with the incarnation.
type Tell struct {
	// Event is handed over as it is.
	Event Event
}

// StartTimer arms the node's timer Name; one that is armed is replaced.
type StartTimer struct {
	// Name tells the node's timers apart.
	Name string
	// After is the delay; zero and less is "at this instant, behind what is
	// already scheduled for it".
	After time.Duration
}

// StopTimer disarms the node's timer Name. It is no error if it is not armed. A
// timer that was stopped never fires, even at the instant at which it was due.
type StopTimer struct {
	// Name is the one that StartTimer was given.
	Name string
}

// Note puts Text into the trace (and its hash) and does nothing else.
type Note struct {
	// Text is free.
	Text string
}

// Do runs a function of the scenario: for an effect outside the simulated world,
// such as "this was acknowledged to the user". A crash in the middle of an action
// list prevents it, as it would prevent the real effect.
type Do struct {
	// Text says in the trace what is done.
	Text string
	// Run is called once; it must not touch the world's nodes other than by the
	// world's own methods.
	Run func()
}

// Crash ends the node's incarnation at once; the actions behind it are dropped.
type Crash struct {
	// Reason goes into the trace.
	Reason string
}

func (a Send) apply(w *World, n *node) {
	w.send(n, w.mustNode(a.To), Message{From: n.name, Body: a.Body})
}

func (a Tell) apply(w *World, n *node) {
	w.schedule(event{at: w.now, kind: kindInput, node: n, incarnation: n.incarnation, input: a.Event})
}

func (a StartTimer) apply(w *World, n *node) { n.startTimer(w, a.Name, a.After) }

func (a StopTimer) apply(w *World, n *node) { n.stopTimer(w, a.Name) }

func (a Note) apply(w *World, n *node) { w.trace.add(w.now, n.name, "note", a.Text) }

func (a Do) apply(w *World, n *node) {
	w.trace.add(w.now, n.name, "do", a.Text)
	a.Run()
}

func (a Crash) apply(w *World, n *node) { w.crash(n, a.Reason) }
