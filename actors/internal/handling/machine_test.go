package handling

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/behaviors"
)

// shell plays the handler actor, its consumer and its worker around a core. The log
// has a record at each offset, in sets of up to five.
type shell struct {
	t     *rapid.T
	core  *Core
	now   time.Time
	alarm time.Time

	floor   int64
	settled map[int64]bool // acked by the worker, skipped or buried
	next    int64          // of the consumer
	reading bool           // the consumer has a subscriber
	paused  bool
	out     []Set // handed out by the consumer, and not acked

	making   bool
	work     *Handle
	has      int64 // what the worker may ack: the end of what it was given
	deciding bool
	bury     *Bury
	choosing bool
	exited   bool
	ended    bool
}

func (s *shell) calls() int {
	n := 0
	for _, on := range []bool{s.making, s.work != nil, s.deciding, s.bury != nil, s.choosing} {
		if on {
			n++
		}
	}
	return n
}

func (s *shell) do(actions []Action) {
	for _, a := range actions {
		require.False(s.t, s.exited || s.ended, "it is over")
		switch a := a.(type) {
		case Subscribe:
			s.subscribe(s.floor)
		case Go:
			s.seek(a.To)
			s.subscribe(s.floor)
		case Handle:
			require.GreaterOrEqual(s.t, a.From, a.Set.First)
			require.False(s.t, s.paused, "it works while it is paused")
			s.work, s.has = &a, a.Set.Last
		case Floor:
			s.raise(a.Next)
		case Ack:
			require.Equal(s.t, s.out[0].Last, a.Last, "in order")
			s.out = s.out[1:]
		case Decide:
			s.deciding = true
		case Bury:
			s.bury = &a
		case Skipped:
			for o := a.First; o <= a.Last; o++ {
				s.settled[o] = true
			}
		case Renew:
			if a.To != nil {
				s.seek(*a.To)
			}
			s.making, s.reading, s.out, s.has = true, false, nil, -1
		case Choose:
			s.choosing = true
		case PauseFetching:
			s.paused = true
		case ResumeFetching:
			s.paused = false
		case Stop:
			s.ended = true
		case Exit:
			s.exited = true
		case Wake:
			if s.alarm.IsZero() || a.At.Before(s.alarm) {
				s.alarm = a.At
			}
		}
		require.LessOrEqual(s.t, s.calls(), 1, "one call at a time")
	}
}

func (s *shell) subscribe(at int64) { s.reading, s.next, s.out, s.has = true, at, nil, -1 }

func (s *shell) seek(to behaviors.Position) { s.floor, _ = to.Offset() }

// raise is the floor: all before it must be settled.
func (s *shell) raise(next int64) {
	require.GreaterOrEqual(s.t, next, s.floor, "the floor goes back")
	for o := s.floor; o < next; o++ {
		require.True(s.t, s.settled[o], "offset %d is lost", o)
	}
	s.floor = next
}

// settle is what the worker says is done: it may, up to the end of what it has.
func (s *shell) settle(to int64) {
	for o := s.floor; o <= to; o++ {
		s.settled[o] = true
	}
}

func (s *shell) event() {
	switch rapid.IntRange(0, 10).Draw(s.t, "event") {
	case 0:
		if s.making {
			s.making = false
			s.do(s.core.Ready())
		}
	case 1, 2:
		if s.reading && !s.paused {
			n := rapid.Int64Range(1, 5).Draw(s.t, "records")
			set := Set{First: s.next, Last: s.next + n - 1, Count: int(n)}
			s.next += n
			s.out = append(s.out, set)
			s.do(s.core.Got(s.now, set))
		}
	case 3, 4, 5:
		s.handled()
	case 6:
		if s.has >= s.floor {
			to := rapid.Int64Range(s.floor, s.has).Draw(s.t, "ack")
			s.settle(to)
			s.do(s.core.AckedLater(s.now, to))
		}
	case 7:
		s.do(s.core.Fail(s.now, boom))
	case 8:
		if rapid.Bool().Draw(s.t, "pause") {
			s.do(s.core.Pause())
		} else {
			s.do(s.core.Resume(s.now))
		}
	case 9:
		if rapid.IntRange(0, 3).Draw(s.t, "seek") == 0 {
			s.do(s.core.Seek(s.now, behaviors.At(rapid.Int64Range(0, 50).Draw(s.t, "to"))))
		}
	default:
		s.advance(s.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(s.t, "ms")) * time.Millisecond))
	}
}

// handled ends the call that is under way.
func (s *shell) handled() {
	switch {
	case s.work != nil:
		w := *s.work
		s.work = nil
		o := Outcome{Record: -1}
		switch o.Result = Result(rapid.IntRange(0, 2).Draw(s.t, "result")); o.Result {
		case Acked:
			for r := w.From; r <= w.Set.Last; r++ {
				s.settled[r] = true
			}
		case Failed:
			o = s.failure(w.From, w.Set.Last)
		}
		s.do(s.core.Handled(s.now, o))
	case s.deciding:
		s.deciding = false
		s.do(s.core.Decided(s.now, s.failure(s.floor, s.has)))
	case s.bury != nil:
		s.bury = nil
		s.do(s.core.Buried(s.now, nil))
	}
}

// failure may name a record; then all that is before it is done.
func (s *shell) failure(from, to int64) Outcome {
	o := Outcome{Result: Failed, Err: boom, Record: -1, Panicked: rapid.Bool().Draw(s.t, "panicked")}
	o.Decision = rapid.SampledFrom([]behaviors.Decision{
		behaviors.RetryAfter(100 * time.Millisecond), behaviors.RetryAfter(0), behaviors.Skip, behaviors.DeadLetter("dead"), behaviors.Pause,
	}).Draw(s.t, "decision")
	if from <= to && rapid.Bool().Draw(s.t, "names it") {
		o.Record = rapid.Int64Range(from, to).Draw(s.t, "record")
		s.settle(o.Record - 1)
	}
	return o
}

func (s *shell) advance(to time.Time) {
	for !s.alarm.IsZero() && !s.alarm.After(to) {
		if s.alarm.After(s.now) {
			s.now = s.alarm
		}
		s.alarm = time.Time{}
		s.do(s.core.Tick(s.now))
	}
	s.now = to
}

// Whatever happens, one call is made at a time, the floor passes only what is done
// with, and all is handled in the end.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &shell{t: t, now: epoch, core: New(false), making: true, has: -1, settled: map[int64]bool{}}
		for range rapid.IntRange(1, 150).Draw(t, "events") {
			if s.event(); s.exited {
				return
			}
		}
		s.do(s.core.Resume(s.now))
		goal := max(s.floor, s.has, s.next) + 20
		for range 200 {
			s.advance(s.now.Add(time.Second))
			if s.making {
				s.making = false
				s.do(s.core.Ready())
			}
			if s.reading && !s.paused && len(s.out) < 2 {
				set := Set{First: s.next, Last: s.next, Count: 1}
				s.next++
				s.out = append(s.out, set)
				s.do(s.core.Got(s.now, set))
			}
			if s.work != nil {
				w := *s.work
				s.work = nil
				for r := w.From; r <= w.Set.Last; r++ {
					s.settled[r] = true
				}
				s.do(s.core.Handled(s.now, Outcome{Result: Acked, Record: -1}))
			} else if s.calls() == 0 && s.has >= s.floor {
				s.settle(s.has)
				s.do(s.core.AckedLater(s.now, s.has))
			} else if s.calls() > 0 {
				s.handled()
				s.do(s.core.Resume(s.now))
			}
			if s.exited || s.floor >= goal {
				return
			}
		}
		require.GreaterOrEqual(t, s.floor, goal, "it stands still: %s", s.core.State())
	})
}
