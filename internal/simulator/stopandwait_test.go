package simulator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A protocol to try the simulator on: stop and wait with retransmission. The
// sender keeps one numbered item on the wire and sends it again until it is
// acknowledged; the receiver delivers each number once. Both keep their number
// on a "disk" that survives crashes. Delivery and number are stored together, so
// exactly once is to hold under any fault.

const items = 20

type item struct{ number int }

func (i item) String() string { return fmt.Sprintf("item %d", i.number) }

type ack struct{ number int }

func (a ack) String() string { return fmt.Sprintf("ack %d", a.number) }

// disk is what survives the nodes' crashes.
type disk struct {
	unacked   int // the sender's
	expected  int // the receiver's
	delivered []int
}

type sender struct{ disk *disk }

func (s *sender) Handle(in Input) []Action {
	switch event := in.Event.(type) {
	case Message:
		if event.Body.(ack).number != s.disk.unacked {
			return nil // an old one
		}
		s.disk.unacked++
	case Started, TimerFired:
	}
	if s.disk.unacked == items {
		return []Action{StopTimer{Name: "again"}}
	}
	return []Action{Send{To: "receiver", Body: item{s.disk.unacked}}, StartTimer{Name: "again", After: 50 * time.Millisecond}}
}

type receiver struct {
	disk *disk
	// forgetful is the planted bug: a duplicate is delivered again.
	forgetful bool
}

func (r *receiver) Handle(in Input) []Action {
	message, ok := in.Event.(Message)
	if !ok {
		return nil
	}
	number := message.Body.(item).number
	if number != r.disk.expected && !r.forgetful {
		return []Action{Send{To: "sender", Body: ack{number}}}
	}
	deliver := Do{Text: "deliver " + message.Body.String(), Run: func() {
		r.disk.delivered = append(r.disk.delivered, number)
		r.disk.expected = number + 1
	}}
	return []Action{deliver, Send{To: "sender", Body: ack{number}}}
}

// stopAndWait builds the scenario: loss, latency, cuts, pauses, crashes, also in
// the middle of action lists.
func stopAndWait(forgetful bool) Scenario {
	return Play(func(w *World) {
		d := &disk{}
		restart := Range{Min: time.Millisecond, Max: 200 * time.Millisecond}
		w.Add(Node{Name: "sender", RestartAfter: restart, CrashOdds: 0.02,
			Start: func(int) Core { return &sender{d} }})
		w.Add(Node{Name: "receiver", RestartAfter: restart, CrashOdds: 0.02,
			Start: func(int) Core { return &receiver{d, forgetful} }})
		w.Unleash(Chaos{
			End:   5 * time.Second,
			Crash: Range{Min: 100 * time.Millisecond, Max: time.Second},
			Cut:   Range{Min: 100 * time.Millisecond, Max: time.Second}, CutFor: Range{Max: 500 * time.Millisecond},
			Pause: Range{Min: 100 * time.Millisecond, Max: time.Second}, PauseFor: Range{Max: 500 * time.Millisecond},
		})
		w.Invariant("exactly once, in order", func() error {
			if !slices.IsSorted(d.delivered) || len(slices.Compact(slices.Clone(d.delivered))) != len(d.delivered) {
				return fmt.Errorf("delivered %v", d.delivered)
			}
			return nil
		})
		w.Finally("all delivered", func() error {
			if len(d.delivered) != items {
				return fmt.Errorf("only %d of %d were delivered", len(d.delivered), items)
			}
			return nil
		})
		w.Until(func() bool { return d.unacked == items })
	})
}

func lossy() Config {
	return Config{Time: time.Minute, Link: Link{Loss: 0.2, Latency: Range{Min: time.Millisecond, Max: 80 * time.Millisecond}}}
}

func TestStopAndWaitHolds(t *testing.T) {
	Explore(t, Seeds{Count: 500, Soak: 100_000}, lossy(), stopAndWait(false))
}

// The planted bug turns the same scenario red, with a seed that brings it back.
func TestStopAndWaitFindsThePlantedBug(t *testing.T) {
	recorder := &recorder{name: t.Name()}
	exploreWith(t, recorder, nil, Seeds{Count: 500}, lossy(), stopAndWait(true))
	require.Contains(t, recorder.fatal, `invariant "exactly once, in order" does not hold: delivered [`)
	require.Contains(t, recorder.fatal, "go test -count=1 -v -run '^"+t.Name()+"$'")
	require.NotContains(t, recorder.fatal, notDeterministic)

	var seed uint64
	_, err := fmt.Sscanf(recorder.fatal, "seed %d:", &seed)
	require.NoError(t, err)
	replay := &recordedReplay{}
	exploreWith(t, &replay.recorder, map[string]string{EnvSeed: fmt.Sprint(seed)}, Seeds{}, lossy(), stopAndWait(true))
	require.Equal(t, firstLines(recorder.fatal, 2), firstLines(replay.fatal, 2))
	require.NotEmpty(t, replay.logs, "a replay logs its whole trace")
}

type recordedReplay struct{ recorder }

func firstLines(text string, n int) []string { return strings.SplitN(text, "\n", n+1)[:n] }

func TestSameSeedSameTrace(t *testing.T) {
	hashes := map[uint64]bool{}
	for seed := range uint64(50) {
		first, err := stopAndWait(false)(New(seed, lossy()))
		require.NoError(t, err)
		second, err := stopAndWait(false)(New(seed, lossy()))
		require.NoError(t, err)
		require.Equal(t, first, second)
		hashes[first.Hash] = true
	}
	require.Len(t, hashes, 50, "different seeds go different ways")
}

func BenchmarkStopAndWait(b *testing.B) {
	steps := 0
	for i := range b.N {
		result, err := stopAndWait(false)(New(uint64(i), lossy()))
		if err != nil {
			b.Fatal(err)
		}
		steps += result.Steps
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/event")
}
