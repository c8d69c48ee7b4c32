package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// script is a core made of a function.
type script func(in Input) []Action

func (s script) Handle(in Input) []Action { return s(in) }

// quiet does nothing.
func quiet(Input) []Action { return nil }

// addNode adds a node whose every incarnation runs the same function.
func addNode(w *World, name string, handle func(in Input) []Action) {
	w.Add(Node{Name: name, Start: func(int) Core { return script(handle) }})
}

// journal records what a node was given, with the time.
type journal struct{ lines []string }

func (j *journal) handle(in Input) []Action {
	j.lines = append(j.lines, fmt.Sprintf("%s %s", in.Elapsed, in.Event))
	return nil
}

func mustRun(t *testing.T, w *World) Result {
	t.Helper()
	result, err := w.Run()
	require.NoError(t, err)
	return result
}

func TestTiesRunInInsertionOrder(t *testing.T) {
	w := New(1, Config{})
	var order []string
	for _, name := range []string{"a", "b", "c", "d"} {
		w.At(time.Second, name, func() { order = append(order, name) })
	}
	w.At(0, "first", func() { order = append(order, "first") })
	mustRun(t, w)
	require.Equal(t, []string{"first", "a", "b", "c", "d"}, order)
}

func TestTimeOnlyGoesForward(t *testing.T) {
	w := New(1, Config{})
	var at []time.Duration
	w.At(time.Second, "", func() {
		at = append(at, w.Elapsed())
		w.At(0, "past", func() { at = append(at, w.Elapsed()) })
	})
	mustRun(t, w)
	require.Equal(t, []time.Duration{time.Second, time.Second}, at)
	require.Equal(t, Epoch().Add(time.Second), w.Now())
}

func TestStartedThenInput(t *testing.T) {
	w := New(1, Config{})
	var j journal
	addNode(w, "n", j.handle)
	w.At(2*time.Second, "poke", func() { require.True(t, w.Inject("n", Text("poke"))) })
	mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "2s poke"}, j.lines)
}

// Every message arrives within the latency range of its link and in the order in
// which it was sent.
func TestLatencyBoundsAndOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lo := rapid.IntRange(0, 50).Draw(rt, "min")
		hi := rapid.IntRange(lo, 100).Draw(rt, "max")
		latency := Range{Min: time.Duration(lo) * time.Millisecond, Max: time.Duration(hi) * time.Millisecond}
		w := New(rapid.Uint64().Draw(rt, "seed"), Config{Link: Link{Latency: latency}})
		var sentAt, took []time.Duration
		var order []int
		addNode(w, "a", func(in Input) []Action {
			if len(sentAt) == 50 {
				return nil
			}
			sentAt = append(sentAt, in.Elapsed)
			return []Action{Send{To: "b", Body: numbered(len(sentAt) - 1)},
				StartTimer{Name: "next", After: time.Duration(in.Rand.IntN(20)) * time.Millisecond}}
		})
		addNode(w, "b", func(in Input) []Action {
			if m, ok := in.Event.(Message); ok {
				order = append(order, int(m.Body.(numbered)))
				took = append(took, in.Elapsed-sentAt[m.Body.(numbered)])
			}
			return nil
		})
		_, err := w.Run()
		require.NoError(rt, err)
		require.Len(rt, order, 50)
		require.True(rt, slices.IsSorted(order), "%v", order)
		require.GreaterOrEqual(rt, slices.Min(took), latency.Min)
		require.LessOrEqual(rt, slices.Max(took), latency.Max)
	})
}

type numbered int

func (n numbered) String() string { return fmt.Sprint(int(n)) }

// Messages of different senders to one receiver do reorder.
func TestDifferentLinksReorder(t *testing.T) {
	reordered := 0
	for seed := range uint64(50) {
		w := New(seed, Config{Link: Link{Latency: Range{Max: time.Second}}})
		var got string
		addNode(w, "r", func(in Input) []Action {
			if m, ok := in.Event.(Message); ok {
				got += m.From
			}
			return nil
		})
		for i, name := range []string{"a", "b"} {
			addNode(w, name, quiet)
			w.At(time.Duration(i)*time.Millisecond, "send", func() { w.send(w.mustNode(name), w.mustNode("r"), Message{name, Text("x")}) })
		}
		mustRun(t, w)
		require.Len(t, got, 2)
		if got == "ba" {
			reordered++
		}
	}
	require.NotZero(t, reordered)
	require.Less(t, reordered, 50)
}

func TestLossDropsItsShare(t *testing.T) {
	w := New(7, Config{Link: Link{Loss: 0.3}})
	got := 0
	addNode(w, "r", func(in Input) []Action { got++; return nil })
	addNode(w, "s", func(in Input) []Action {
		var actions []Action
		for range 10_000 {
			actions = append(actions, Send{To: "r", Body: Text("x")})
		}
		return actions
	})
	result := mustRun(t, w)
	require.Equal(t, 10_000, got-1+result.Dropped)
	require.InDelta(t, 3000, result.Dropped, 200)
}

func TestCutDropsInFlightAndLater(t *testing.T) {
	w := New(1, Config{Link: Link{Latency: Range{Min: time.Second}}})
	var j journal
	addNode(w, "a", quiet)
	addNode(w, "b", j.handle)
	send := func(text string) {
		w.send(w.mustNode("a"), w.mustNode("b"), Message{"a", Text(text)})
	}
	w.At(0, "", func() { send("arrives") })
	w.At(1500*time.Millisecond, "", func() { send("in flight") })
	w.At(2*time.Second, "", func() { w.Cut("a", "b"); w.Cut("a", "b") })
	w.At(2100*time.Millisecond, "", func() { send("while cut") })
	w.At(2200*time.Millisecond, "", func() { w.Heal("a", "b"); w.Heal("b", "a") })
	w.At(3*time.Second, "", func() { send("healed") })
	result := mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "1s a: arrives", "4s a: healed"}, j.lines)
	require.Equal(t, 2, result.Dropped)
}

func TestCutOneWay(t *testing.T) {
	w := New(1, Config{})
	var a, b journal
	addNode(w, "a", a.handle)
	addNode(w, "b", b.handle)
	w.At(1, "", func() {
		w.CutOneWay("a", "b")
		w.send(w.mustNode("a"), w.mustNode("b"), Message{"a", Text("no")})
		w.send(w.mustNode("b"), w.mustNode("a"), Message{"b", Text("yes")})
		w.HealAll()
		w.send(w.mustNode("a"), w.mustNode("b"), Message{"a", Text("again")})
	})
	mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "1ns b: yes"}, a.lines)
	require.Equal(t, []string{"0s started 1", "1ns a: again"}, b.lines)
}

func TestNotifyTellsBothEnds(t *testing.T) {
	w := New(1, Config{Link: Link{Latency: Range{Min: time.Millisecond}, Notify: true}})
	var a, b journal
	addNode(w, "a", a.handle)
	w.Add(Node{Name: "b", Start: func(int) Core { return script(b.handle) }, RestartAfter: Range{Min: time.Second}})
	w.At(1*time.Second, "", func() { w.Cut("a", "b") })
	w.At(2*time.Second, "", func() { w.Heal("a", "b") })
	w.At(3*time.Second, "", func() { w.Crash("b"); w.Crash("b") })
	mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "1ms up b", "1.001s down b", "2.001s up b", "3.001s down b", "4.001s up b"}, a.lines)
	require.Equal(t, []string{"0s started 1", "1ms up a", "1.001s down a", "2.001s up a", "4s started 2", "4.001s up a"}, b.lines)
}

// A crash drops the node's timers and what is on its way to it, even when the
// next incarnation is there before it would have arrived; what the node had sent
// arrives.
func TestCrashDropsTimersAndInFlight(t *testing.T) {
	w := New(1, Config{Link: Link{Latency: Range{Min: time.Second}}})
	var a journal
	addNode(w, "a", a.handle)
	var b journal
	w.Add(Node{Name: "b", RestartAfter: Range{Min: 100 * time.Millisecond}, Start: func(incarnation int) Core {
		return script(func(in Input) []Action {
			b.handle(in)
			if incarnation == 1 && in.Elapsed == 0 {
				return []Action{StartTimer{Name: "t", After: 5 * time.Second}, Send{To: "a", Body: Text("last words")}}
			}
			return nil
		})
	}})
	w.At(0, "", func() { w.send(w.mustNode("a"), w.mustNode("b"), Message{"a", Text("too late")}) })
	w.At(500*time.Millisecond, "", func() { w.Crash("b") })
	result := mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "600ms started 2"}, b.lines)
	require.Equal(t, []string{"0s started 1", "1s b: last words"}, a.lines)
	require.Equal(t, 1, result.Dropped)
	require.Equal(t, 1, result.Crashes)
}

func TestDownNodeLosesWhatIsSentAndInjected(t *testing.T) {
	w := New(1, Config{})
	var j journal
	addNode(w, "a", quiet)
	addNode(w, "b", j.handle)
	w.At(1, "", func() {
		w.Crash("b")
		require.False(t, w.Up("b"))
		require.Nil(t, w.Core("b"))
		require.False(t, w.Inject("b", Text("injected")))
		w.send(w.mustNode("a"), w.mustNode("b"), Message{"a", Text("sent")})
	})
	w.At(2, "", func() { w.Restart("b"); w.Restart("b") })
	result := mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "2ns started 2"}, j.lines)
	require.Equal(t, 2, result.Dropped)
	require.Equal(t, 2, w.Incarnation("b"))
}

func TestTimersReplaceStopAndFireOnce(t *testing.T) {
	w := New(1, Config{})
	var j journal
	addNode(w, "n", func(in Input) []Action {
		j.handle(in)
		switch in.Event.String() {
		case "started 1":
			return []Action{
				StartTimer{Name: "replaced", After: time.Second}, StartTimer{Name: "replaced", After: 3 * time.Second},
				StartTimer{Name: "stopper", After: 2 * time.Second}, StartTimer{Name: "stopped", After: 2 * time.Second},
				StopTimer{Name: "unknown"}, StartTimer{Name: "past", After: -time.Second}, Tell{Text("told")},
			}
		case "timer stopper":
			return []Action{StopTimer{Name: "stopped"}}
		}
		return nil
	})
	mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "0s timer past", "0s told", "2s timer stopper", "3s timer replaced"}, j.lines)
}

func TestPauseHoldsInOrder(t *testing.T) {
	w := New(1, Config{})
	var j journal
	addNode(w, "n", func(in Input) []Action {
		j.handle(in)
		switch in.Event.String() {
		case "started 1":
			return []Action{StartTimer{Name: "late", After: 2 * time.Second}, StartTimer{Name: "stopped", After: 2 * time.Second}}
		case "one":
			return []Action{StopTimer{Name: "stopped"}}
		}
		return nil
	})
	// This was scheduled before what waits, yet it arrives after it.
	w.At(4*time.Second, "", func() { w.Resume("n"); w.Resume("n"); w.Inject("n", Text("new")) })
	w.At(time.Second, "", func() { w.Pause("n"); w.Pause("n"); w.Inject("n", Text("one")) })
	w.At(3*time.Second, "", func() { w.Inject("n", Text("two")) })
	mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "4s one", "4s timer late", "4s two", "4s new"}, j.lines)
}

func TestCrashDropsWhatAPauseHeld(t *testing.T) {
	w := New(1, Config{})
	var j journal
	w.Add(Node{Name: "n", RestartAfter: Range{Min: time.Second}, Start: func(int) Core { return script(j.handle) }})
	w.At(1, "", func() { w.Pause("n"); w.Inject("n", Text("held")) })
	w.At(2, "", func() { w.Crash("n") })
	result := mustRun(t, w)
	require.Equal(t, []string{"0s started 1", "1.000000002s started 2"}, j.lines)
	require.Equal(t, 1, result.Dropped)
}

// With CrashOdds a prefix of the action list is carried out, every length of it
// in some run.
func TestCrashInTheMiddleOfAnActionList(t *testing.T) {
	seen := map[int]bool{}
	for seed := range uint64(100) {
		w := New(seed, Config{})
		done := 0
		w.Add(Node{Name: "n", CrashOdds: 1, Start: func(int) Core {
			return script(func(Input) []Action {
				step := Do{Text: "step", Run: func() { done++ }}
				return []Action{step, step, step}
			})
		}})
		require.Equal(t, 1, mustRun(t, w).Crashes)
		seen[done] = true
	}
	require.Equal(t, map[int]bool{0: true, 1: true, 2: true, 3: true}, seen)
}

func TestCrashActionEndsTheList(t *testing.T) {
	w := New(1, Config{KeepTrace: true})
	addNode(w, "n", func(Input) []Action { return []Action{Note{"before"}, Crash{"own will"}, Note{"after"}} })
	require.Equal(t, 1, mustRun(t, w).Crashes)
	trace := strings.Join(w.Trace(), "\n")
	require.Contains(t, trace, "before")
	require.Contains(t, trace, "own will")
	require.NotContains(t, trace, "after")
}

func TestEndOfARun(t *testing.T) {
	ticking := func(w *World) {
		addNode(w, "n", func(Input) []Action { return []Action{StartTimer{Name: "tick", After: time.Second}} })
	}
	t.Run("time", func(t *testing.T) {
		w := New(1, Config{Time: 10 * time.Second})
		ticking(w)
		result := mustRun(t, w)
		require.True(t, result.TimedOut)
		require.Equal(t, 10*time.Second, result.Elapsed)
		require.Equal(t, 11, result.Steps)
	})
	t.Run("until", func(t *testing.T) {
		w := New(1, Config{})
		ticking(w)
		w.Until(func() bool { return w.Elapsed() == 3*time.Second })
		result := mustRun(t, w)
		require.False(t, result.TimedOut)
		require.Equal(t, 4, result.Steps)
	})
	t.Run("steps", func(t *testing.T) {
		w := New(1, Config{Steps: 5})
		ticking(w)
		_, err := w.Run()
		var violation *Violation
		require.ErrorAs(t, err, &violation)
		require.Equal(t, "step limit", violation.Invariant)
		require.Equal(t, 5, violation.Step)
	})
	t.Run("finally", func(t *testing.T) {
		w := New(1, Config{})
		w.Finally("progress", func() error { return errors.New("nothing was done") })
		_, err := w.Run()
		require.ErrorContains(t, err, `invariant "progress" does not hold: nothing was done`)
	})
}

func TestViolationReport(t *testing.T) {
	w := New(42, Config{Tail: 3})
	count := 0
	addNode(w, "counter", func(Input) []Action {
		count++
		return []Action{StartTimer{Name: "tick", After: time.Second}}
	})
	broken := errors.New("counted too far")
	w.Invariant("small", func() error {
		if count > 5 {
			return broken
		}
		return nil
	})
	_, err := w.Run()
	require.ErrorIs(t, err, broken)
	var violation *Violation
	require.ErrorAs(t, err, &violation)
	require.Equal(t, uint64(42), violation.Seed)
	require.Equal(t, 5*time.Second, violation.At)
	require.Equal(t, 6, violation.Step)
	require.Len(t, violation.Tail, 3)
	require.Contains(t, violation.Tail[2], "timer tick")
	require.Contains(t, err.Error(), "seed 42, virtual time 5s, step 6")
}

func TestPanicAndMisuseAreViolations(t *testing.T) {
	for name, handle := range map[string]func(Input) []Action{
		"index out of range":          func(Input) []Action { return []Action{nil}[1:][:0:0][0:1:1] },
		"there is no node named gone": func(Input) []Action { return []Action{Send{To: "gone", Body: Text("x")}} },
	} {
		w := New(9, Config{})
		addNode(w, "n", handle)
		_, err := w.Run()
		var violation *Violation
		require.ErrorAs(t, err, &violation, name)
		require.Equal(t, "no panic", violation.Invariant)
	}
	w := New(9, Config{})
	addNode(w, "twice", quiet)
	require.Panics(t, func() { addNode(w, "twice", quiet) })
}
