package simulator

import "time"

// Crash ends a node's incarnation between two events. It starts again after its
// Node.RestartAfter, or by Restart. Crashing a node that is down does nothing.
func (w *World) Crash(name string) {
	if n := w.mustNode(name); n.up {
		w.crash(n, "fault")
	}
}

func (w *World) crash(n *node, reason string) {
	w.trace.add(w.now, n.name, "crash", reason)
	w.crashes++
	n.up, n.paused, n.core = false, false, nil
	n.dropTimers()
	held := n.held
	n.held = nil
	for _, e := range held {
		if e.kind != kindTimer {
			w.drop(n, e.input, "receiver crashed")
		}
	}
	w.tellPeers(n, PeerDown{Peer: n.name})
	if n.RestartAfter != (Range{}) {
		w.schedule(event{at: w.now + n.RestartAfter.draw(n.fate), kind: kindRestart, node: n, incarnation: n.incarnation})
	}
}

// Restart starts a node that is down, at this instant. It does nothing to a node
// that is up, and what Node.RestartAfter had scheduled is void then.
func (w *World) Restart(name string) {
	n := w.mustNode(name)
	w.schedule(event{at: w.now, kind: kindRestart, node: n, incarnation: n.incarnation})
}

// start begins the incarnation that follows the given one.
func (w *World) start(n *node, after int) {
	if n.up || n.incarnation != after {
		return // started meanwhile
	}
	n.incarnation++
	n.up = true
	n.core = n.Start(n.incarnation)
	started := Started{Incarnation: n.incarnation}
	w.trace.add(w.now, n.name, "event", started.String())
	w.greet(n)
	n.handle(w, started)
}

// Pause makes a node handle nothing until Resume; what arrives meanwhile waits,
// timers that fall due included. Pausing a paused node or one that is down does
// nothing.
func (w *World) Pause(name string) {
	n := w.mustNode(name)
	if !n.up || n.paused {
		return
	}
	w.trace.add(w.now, n.name, "pause", "")
	n.paused = true
}

// Resume ends a pause. What waited is handled at this instant, in the order in
// which it arrived and before what arrives from now on.
func (w *World) Resume(name string) {
	n := w.mustNode(name)
	if !n.paused {
		return
	}
	w.trace.add(w.now, n.name, "resume", "")
	n.paused = false
	for range n.held {
		n.scheduleDrain(w)
	}
}

// hold keeps an event for later: the node is paused, or has older ones to handle.
func (n *node) hold(w *World, e event) {
	n.held = append(n.held, e)
	if !n.paused {
		n.scheduleDrain(w)
	}
}

func (n *node) scheduleDrain(w *World) {
	w.schedule(event{at: w.now, kind: kindDrain, node: n, incarnation: n.incarnation})
}

// drain handles the oldest event that waits. One too many does nothing.
func (w *World) drain(e event) {
	n := e.node
	if !n.alive(e.incarnation) || n.paused || len(n.held) == 0 {
		return
	}
	oldest := n.held[0]
	n.held = n.held[1:]
	w.take(oldest)
}

// Chaos is a plan of random faults. A zero interval leaves that fault out.
type Chaos struct {
	// Nodes are the names of those to crash and pause, and the ends of the links
	// to cut. Empty means every node that is there when the plan begins.
	Nodes []string
	// Begin is when the plan begins.
	Begin time.Duration
	// End is when no new fault begins any more; everything is healed, resumed and
	// restarted then, so that what comes after it can be checked for progress.
	End time.Duration
	// Crash is the time between two crashes of random nodes.
	Crash Range
	// Down is how long a node that the plan crashed stays down if it has no
	// RestartAfter of its own.
	Down Range
	// Cut is the time between two cuts of random links.
	Cut Range
	// CutFor is how long a cut lasts.
	CutFor Range
	// Pause is the time between two pauses of random nodes.
	Pause Range
	// PauseFor is how long a pause lasts.
	PauseFor Range
}

// Unleash schedules a plan of random faults, drawn from the seed.
func (w *World) Unleash(plan Chaos) {
	w.At(plan.Begin, "chaos begins", func() {
		names := plan.Nodes
		if len(names) == 0 {
			for _, n := range w.nodes {
				names = append(names, n.name)
			}
		}
		w.every(plan.Crash, plan.End, "crash", func() { w.crashOne(names, plan.Down) })
		w.every(plan.Pause, plan.End, "pause", func() { w.pauseOne(names, plan.PauseFor) })
		if len(names) > 1 {
			w.every(plan.Cut, plan.End, "cut", func() { w.cutOne(names, plan.CutFor) })
		}
		w.At(plan.End, "chaos ends", func() { w.calm(names) })
	})
}

// every runs fault again and again, at random intervals, until the end.
func (w *World) every(interval Range, end time.Duration, label string, fault func()) {
	if interval == (Range{}) {
		return
	}
	random := w.generator("chaos", label)
	var next func()
	next = func() {
		at := w.now + max(interval.draw(random), 1)
		if at < end {
			w.At(at, "chaos: "+label, func() { fault(); next() })
		}
	}
	next()
}

func (w *World) crashOne(names []string, down Range) {
	n := w.mustNode(names[w.random.IntN(len(names))])
	if !n.up {
		return
	}
	w.crash(n, "chaos")
	if n.RestartAfter == (Range{}) {
		w.After(down.draw(w.random), "restart "+n.name, func() { w.Restart(n.name) })
	}
}

func (w *World) pauseOne(names []string, length Range) {
	name := names[w.random.IntN(len(names))]
	w.Pause(name)
	w.After(length.draw(w.random), "resume "+name, func() { w.Resume(name) })
}

func (w *World) cutOne(names []string, length Range) {
	i := w.random.IntN(len(names))
	j := (i + 1 + w.random.IntN(len(names)-1)) % len(names)
	a, b := names[i], names[j]
	w.Cut(a, b)
	w.After(length.draw(w.random), "heal "+a+" "+b, func() { w.Heal(a, b) })
}

// calm ends every fault.
func (w *World) calm(names []string) {
	w.HealAll()
	for _, name := range names {
		w.Resume(name)
		w.Restart(name)
	}
}
