package simulator

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Config bounds and shapes a run. Its zero value is usable.
type Config struct {
	// Steps is the number of events after which the run is given up as a
	// Violation, since something goes round in circles. 0 means 1,000,000.
	Steps int
	// Time is the virtual time at which the run ends. 0 means one hour.
	Time time.Duration
	// Tail is the number of trace lines that a Violation has. 0 means 60.
	Tail int
	// Link is the link between two nodes that SetLink said nothing about.
	Link Link
	// KeepTrace keeps every line of the trace for World.Trace, not only the tail.
	KeepTrace bool
}

func (c Config) withDefaults() Config {
	if c.Steps == 0 {
		c.Steps = 1_000_000
	}
	if c.Time == 0 {
		c.Time = time.Hour
	}
	if c.Tail == 0 {
		c.Tail = 60
	}
	return c
}

// World is one simulated run. Build it with New, add nodes, faults and
// invariants, then call Run once.
type World struct {
	config     Config
	seed       uint64
	now        time.Duration
	seq        uint64
	heap       eventHeap
	nodes      []*node
	directions []*direction
	invariants []check
	finals     []check
	until      func() bool
	random     *rand.Rand
	trace      trace
	steps      int
	dropped    int
	crashes    int
}

// New makes an empty world. Everything random in it follows from the seed.
func New(seed uint64, config Config) *World {
	config = config.withDefaults()
	w := &World{config: config, seed: seed, trace: newTrace(config.Tail, config.KeepTrace)}
	w.random = w.generator("scenario")
	return w
}

// generator makes a random generator of its own for each list of names.
func (w *World) generator(names ...string) *rand.Rand {
	hash := fnv.New64a()
	for _, name := range names {
		hash.Write([]byte(name))
		hash.Write([]byte{0})
	}
	return rand.New(rand.NewPCG(w.seed, hash.Sum64()))
}

// Seed is the seed that New was given.
func (w *World) Seed() uint64 { return w.seed }

// Rand is the scenario's own generator, for its faults and its input.
func (w *World) Rand() *rand.Rand { return w.random }

// Elapsed is the virtual time since the start of the run.
func (w *World) Elapsed() time.Duration { return w.now }

// Now is the virtual time as the cores see it.
func (w *World) Now() time.Time { return Epoch().Add(w.now) }

// Add puts a node into the world. It starts when the run starts, in the order of
// Add; one that is added during the run starts at that instant.
func (w *World) Add(n Node) {
	if w.find(n.Name) != nil {
		w.misuse("there are two nodes named " + n.Name)
	}
	added := &node{Node: n, name: n.Name, index: len(w.nodes),
		random: w.generator("node", n.Name), fate: w.generator("fate", n.Name)}
	w.nodes = append(w.nodes, added)
	w.schedule(event{at: w.now, kind: kindRestart, node: added})
}

// At runs call at a virtual time; a time that is past counts as this instant. The
// label goes into the trace.
func (w *World) At(at time.Duration, label string, call func()) {
	w.schedule(event{at: max(at, w.now), kind: kindCall, label: label, call: call})
}

// After runs call when the delay is over, as At does.
func (w *World) After(delay time.Duration, label string, call func()) {
	w.At(w.now+delay, label, call)
}

// Inject hands an event to a node at this instant, from outside its links. A
// node that is down loses it; the result says whether the node was up.
func (w *World) Inject(name string, input Event) bool {
	n := w.mustNode(name)
	if !n.up {
		w.drop(n, input, "node is down")
		return false
	}
	w.schedule(event{at: w.now, kind: kindInput, node: n, incarnation: n.incarnation, input: input})
	return true
}

// Up tells whether a node is running (a paused one is).
func (w *World) Up(name string) bool { return w.mustNode(name).up }

// Incarnation counts the starts of a node so far.
func (w *World) Incarnation(name string) int { return w.mustNode(name).incarnation }

// Core is the core that lives in a node now, nil when it is down. Invariants use
// it to look inside.
func (w *World) Core(name string) Core { return w.mustNode(name).core }

// Invariant adds a condition that is checked after every event.
func (w *World) Invariant(name string, holds func() error) {
	w.invariants = append(w.invariants, check{name, holds})
}

// Finally adds a condition that is checked once, when the run has come to its end.
func (w *World) Finally(name string, holds func() error) {
	w.finals = append(w.finals, check{name, holds})
}

// Until makes the run end after the first event after which done is true. Without
// it a run ends when nothing is left to happen, or at Config.Time.
func (w *World) Until(done func() bool) { w.until = done }

// Trace is every line of the trace so far with Config.KeepTrace, else its tail.
func (w *World) Trace() []string { return w.trace.lines() }

func (w *World) schedule(e event) {
	w.seq++
	e.seq = w.seq
	w.heap.push(e)
}

func (w *World) find(name string) *node {
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

func (w *World) mustNode(name string) *node {
	n := w.find(name)
	if n == nil {
		w.misuse("there is no node named " + name)
	}
	return n
}

// misuse is a mistake of the scenario. Run turns it into a Violation.
func (w *World) misuse(what string) { panic("simulator: " + what) }
