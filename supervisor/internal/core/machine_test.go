package core

import (
	"errors"
	"flag"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// world is what surrounds a machine: children that start, stop and fail when
// the generator says so, timers, and whoever asks.
type world struct {
	t       *rapid.T
	m       *Machine
	cfg     Config
	now     time.Duration
	state   map[Inc]string // starting, running, stopping
	ids     map[Inc]string
	timers  map[TimerID]time.Duration
	asked   map[uint64]bool
	number  uint64
	stopped []string // ids, in the order they were told to stop since the last Stop
	exited  bool
}

func (w *world) do(ev Event) {
	for _, action := range w.m.Handle(w.now, ev) {
		if _, reply := action.(Reply); w.exited && !reply {
			w.t.Fatalf("action after Exit: %#v", action)
		}
		w.obey(action)
	}
}

func (w *world) obey(action Action) {
	switch a := action.(type) {
	case Start:
		for inc, id := range w.ids {
			if id == a.ID {
				w.t.Fatalf("%s started as %d while %d lives", id, a.Inc, inc)
			}
		}
		w.state[a.Inc], w.ids[a.Inc] = "starting", a.ID
	case StopChild:
		if s := w.state[a.Inc]; s != "starting" && s != "running" {
			w.t.Fatalf("%s told to stop while %q", a.ID, s)
		}
		w.state[a.Inc] = "stopping"
		w.stopped = append(w.stopped, a.ID)
	case Abandon:
		if w.state[a.Inc] == "" {
			w.t.Fatalf("%s abandoned but gone", a.ID)
		}
		w.gone(a.Inc)
	case Arm:
		w.timers[a.Timer] = w.now + a.After
	case Cancel:
		if _, armed := w.timers[a.Timer]; !armed {
			w.t.Fatalf("timer %d cancelled but not armed", a.Timer)
		}
		delete(w.timers, a.Timer)
	case Reply:
		if !w.asked[a.Number] {
			w.t.Fatalf("request %d answered twice or never asked", a.Number)
		}
		delete(w.asked, a.Number)
	case Exit:
		w.exited = true
		if len(w.state) > 0 || len(w.timers) > 0 || len(w.asked) > 0 {
			w.t.Fatalf("exit leaves children %v, timers %v, requests %v", w.ids, w.timers, w.asked)
		}
	}
}

func (w *world) gone(inc Inc) { delete(w.state, inc); delete(w.ids, inc) }

// pick draws one of the incarnations in a state.
func (w *world) pick(states ...string) (Inc, bool) {
	var all []Inc
	for inc, s := range w.state {
		if slices.Contains(states, s) {
			all = append(all, inc)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return rapid.SampledFrom(all).Draw(w.t, "child"), true
}

func (w *world) exit(inc Inc, reason error) {
	w.gone(inc)
	w.do(Exited{Inc: inc, Reason: reason})
}

func (w *world) ask(op Op, child Child) {
	w.number++
	w.asked[w.number] = true
	w.do(Request{Number: w.number, Op: op, ID: child.ID, Child: child})
}

var errCrash = errors.New("crash")

func drawReason(t *rapid.T) error {
	return rapid.SampledFrom([]error{nil, errCrash, errCrash, ErrShutdown, ErrRestart}).Draw(t, "reason")
}

func drawChild(t *rapid.T, id string) Child {
	c := Child{ID: id, Shutdown: 5 * time.Second, Startup: NoLimit}
	c.Kind = Kind(rapid.IntRange(0, 3).Draw(t, "kind"))
	if c.Kind != Temporary && rapid.Bool().Draw(t, "delayed") {
		c.Delay = time.Duration(rapid.IntRange(1, 5).Draw(t, "delay")) * time.Second
	}
	c.Shutdown = rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, NoLimit, BrutalKill}).Draw(t, "shutdown")
	c.Startup = rapid.SampledFrom([]time.Duration{NoLimit, 3 * time.Second}).Draw(t, "startup")
	c.NoWait = rapid.IntRange(0, 9).Draw(t, "nowait") == 0
	return c
}

func newWorld(t *rapid.T) *world {
	cfg := Config{
		Strategy:    Strategy(rapid.IntRange(0, 3).Draw(t, "strategy")),
		MaxRestarts: rapid.IntRange(0, 3).Draw(t, "max"),
		Within:      time.Duration(rapid.IntRange(1, 10).Draw(t, "within")) * time.Second,
	}
	n := rapid.IntRange(0, 5).Draw(t, "children")
	if cfg.Strategy == SimpleOneForOne {
		n = 1
	}
	for i := range n {
		cfg.Children = append(cfg.Children, drawChild(t, strconv.Itoa(i)))
	}
	return &world{
		t: t, m: New(cfg), cfg: cfg, state: map[Inc]string{}, ids: map[Inc]string{},
		timers: map[TimerID]time.Duration{}, asked: map[uint64]bool{},
	}
}

// next fires the timer that is due first, or answers false.
func (w *world) next() bool {
	var first TimerID
	for id, at := range w.timers {
		if first == 0 || at < w.timers[first] || (at == w.timers[first] && id < first) {
			first = id
		}
	}
	if first == 0 {
		return false
	}
	w.now = max(w.now, w.timers[first])
	delete(w.timers, first)
	w.do(Fired{Timer: first})
	return true
}

// act does one random thing.
func (w *world) act() {
	switch rapid.IntRange(0, 11).Draw(w.t, "what") {
	case 0, 1:
		if inc, ok := w.pick("starting"); ok {
			w.state[inc] = "running"
			w.do(Started{Inc: inc})
		}
	case 2:
		if inc, ok := w.pick("starting"); ok {
			w.exit(inc, rapid.SampledFrom([]error{errCrash, ErrIgnore, nil}).Draw(w.t, "start"))
		}
	case 3, 4:
		if inc, ok := w.pick("running"); ok {
			w.exit(inc, drawReason(w.t))
		}
	case 5, 6:
		if inc, ok := w.pick("stopping"); ok {
			w.exit(inc, ErrShutdown)
		}
	case 7:
		w.next()
	case 8:
		w.now += time.Duration(rapid.IntRange(0, 3000).Draw(w.t, "ms")) * time.Millisecond
	default:
		op := Op(rapid.IntRange(0, int(OpAwait)).Draw(w.t, "op"))
		w.ask(op, drawChild(w.t, strconv.Itoa(rapid.IntRange(0, 6).Draw(w.t, "id"))))
	}
}

// rest lets everything under way come to its end.
func (w *world) rest() {
	for range 10_000 {
		inc, stopping := first(w.state, "stopping")
		switch starting, found := first(w.state, "starting"); {
		case stopping:
			w.exit(inc, ErrShutdown)
		case found:
			w.state[starting] = "running"
			w.do(Started{Inc: starting})
		case !w.next():
			return
		}
	}
	w.t.Fatalf("it never comes to rest")
}

func first(states map[Inc]string, want string) (found Inc, ok bool) {
	for inc, s := range states {
		if s == want && (!ok || inc < found) {
			found, ok = inc, true
		}
	}
	return found, ok
}

// checkRest: nothing waits, nobody is unanswered, permanent children run.
func (w *world) checkRest() {
	m := w.m
	if m.job != nil || m.inFlight != 0 || len(m.queue) != 0 || len(w.asked) != 0 {
		w.t.Fatalf("at rest: job %+v, in flight %d, queue %d, unanswered %v", m.job, m.inFlight, len(m.queue), w.asked)
	}
	if m.Live() != len(w.state) || m.timers.Len() != len(w.timers) {
		w.t.Fatalf("the machine has %d children, %d timers; there are %d, %d", m.Live(), m.timers.Len(), len(w.state), len(w.timers))
	}
	for _, c := range m.Children() {
		if c.State != Running && c.State != Stopped {
			w.t.Fatalf("at rest %s is in state %d", c.ID, c.State)
		}
	}
}

// TestRandomHistories: whatever happens, in whatever order, a machine keeps its
// promises. The world checks each action, this the quiet moments.
func TestRandomHistories(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() == checks.DefValue {
		histories := "5000"
		if os.Getenv("MOLDAU_SOAK") != "" {
			histories = "200000"
		}
		require.NoError(t, checks.Value.Set(histories))
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
	}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.do(Init{})
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			w.act()
		}
		if w.exited {
			require.True(t, w.m.Done())
			return
		}
		kill := rapid.IntRange(0, 4).Draw(t, "end") == 0
		if !kill && rapid.Bool().Draw(t, "rest") {
			w.rest()
			if !w.exited {
				w.checkRest()
			}
		}
		w.end(kill)
		if !w.exited || !w.m.Done() {
			t.Fatalf("no exit")
		}
		w.ask(OpStart, Child{ID: "late"})
		require.Empty(t, w.asked, "a request after the exit is answered, too")
	})
}

// end stops the machine; those told to stop must be in reverse start order.
func (w *world) end(kill bool) {
	if w.exited {
		return
	}
	order := map[string]int{}
	for i, c := range w.m.Children() {
		order[c.ID] = i
	}
	w.stopped = nil
	if kill {
		w.do(Kill{})
	} else {
		w.do(Stop{Reason: ErrShutdown})
	}
	w.rest()
	last := len(order)
	for _, id := range w.stopped {
		if order[id] >= last {
			w.t.Fatalf("stopped in the order %v", w.stopped)
		}
		last = order[id]
	}
}

// TestStopIsOneAtATime: the next child is told only when the one before is gone.
func TestStopIsOneAtATime(t *testing.T) {
	m := New(Config{Children: []Child{
		{ID: "a", Shutdown: NoLimit, NoWait: true}, {ID: "b", Shutdown: NoLimit, NoWait: true}}})
	m.Handle(0, Init{})
	require.Equal(t, []Action{StopChild{ID: "b", Inc: 2}}, slices.Clone(m.Handle(0, Stop{})))
	actions := slices.Clone(m.Handle(0, Exited{Inc: 2}))
	require.Equal(t, []Action{Report{Note: NoteStopped, ID: "b", Inc: 2}, StopChild{ID: "a", Inc: 1}}, actions)
}
