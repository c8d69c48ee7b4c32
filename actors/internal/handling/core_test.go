package handling

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
)

var (
	epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	boom  = errors.New("boom")
)

func at(d time.Duration) time.Time { return epoch.Add(d) }

// set is ten records from first on.
func set(first int64) Set { return Set{First: first, Last: first + 9, Count: 10} }

// working is a core whose worker has the set from 0 to 9.
func working(t *testing.T) *Core {
	t.Helper()
	c := New(false)
	require.Empty(t, c.Got(epoch, set(5)), "of a former subscription")
	require.Equal(t, []Action{Subscribe{}}, c.Ready())
	require.Empty(t, c.Ready(), "once")
	require.Equal(t, []Action{Handle{set(0), 0}}, c.Got(epoch, set(0)))
	return c
}

func acked() Outcome { return Outcome{Result: Acked, Record: -1} }
func later() Outcome { return Outcome{Result: Later, Record: -1} }

func failedWith(record int64, d behaviors.Decision) Outcome {
	return Outcome{Result: Failed, Err: boom, Record: record, Decision: d}
}

func TestOneSetAfterAnother(t *testing.T) {
	c := working(t)
	require.Empty(t, c.Got(epoch, set(10)), "one call at a time")
	require.Equal(t, "handling", c.State())
	require.Equal(t, []Action{Floor{10, 10}, Ack{9}, Handle{set(10), 10}}, c.Handled(epoch, acked()))
	require.Equal(t, []Action{Floor{20, 10}, Ack{19}}, c.Handled(epoch, acked()))
	require.Empty(t, c.Handled(epoch, acked()), "nothing is in work")
	require.Equal(t, "waiting", c.State())
}

func TestAcksInAnyOrder(t *testing.T) {
	c := working(t)
	c.Got(epoch, set(10))
	c.Got(epoch, set(20))
	require.Equal(t, []Action{Handle{set(10), 10}}, c.Handled(epoch, later()))
	require.Equal(t, []Action{Handle{set(20), 20}}, c.Handled(epoch, acked()), "the first is not acked")
	require.Empty(t, c.AckedLater(epoch, 500), "more than it has")
	require.Equal(t, []Action{Floor{5, 0}}, c.AckedLater(epoch, 4))
	require.Empty(t, c.AckedLater(epoch, 3), "never back")
	require.Empty(t, c.Handled(epoch, later()))
	require.Equal(t, []Action{Floor{10, 10}, Ack{9}, Floor{20, 10}, Ack{19}}, c.AckedLater(epoch, 9))
	require.Equal(t, []Action{Floor{30, 10}, Ack{29}}, c.AckedLater(epoch, 29))
	require.Empty(t, c.AckedLater(epoch, 29))
}

func TestAnAckOfTheSetInWorkCountsAtTheEnd(t *testing.T) {
	c := working(t)
	require.Empty(t, c.AckedLater(epoch, 9))
	require.Empty(t, c.AckedLater(epoch, 4), "less than before")
	require.Equal(t, []Action{Floor{10, 10}, Ack{9}}, c.Handled(epoch, later()))

	c = working(t)
	c.Got(epoch, set(10))
	c.Handled(epoch, later())
	require.Equal(t, []Action{Floor{10, 10}, Ack{9}}, c.AckedLater(epoch, 12), "the one before is acked")
	require.Equal(t, []Action{Floor{13, 0}}, c.Handled(epoch, later()))
}

func TestFailuresRestart(t *testing.T) {
	c := working(t)
	require.Equal(t, []Action{Exit{boom}}, c.Handled(epoch, failedWith(-1, behaviors.Restart)))
	c = working(t)
	require.Equal(t, []Action{Floor{4, 0}, Exit{boom}}, c.Handled(epoch, failedWith(4, behaviors.Restart)), "what is before the record is acked")
}

func TestRetry(t *testing.T) {
	c := working(t)
	require.Equal(t, []Action{Floor{4, 0}, Wake{at(time.Second)}}, c.Handled(epoch, failedWith(4, behaviors.RetryAfter(time.Second))))
	require.Empty(t, c.AckedLater(epoch, 99))
	require.Equal(t, []Action{Wake{at(time.Second)}}, c.Got(at(1), set(10)), "in its turn")
	require.Equal(t, []Action{Handle{set(0), 4}}, c.Tick(at(time.Second)))
	require.Equal(t, []Action{Floor{10, 10}, Ack{9}, Handle{set(10), 10}}, c.Handled(epoch, acked()))
}

func TestRetryOfWhatIsAckedMeanwhile(t *testing.T) {
	c := working(t)
	c.Handled(epoch, failedWith(-1, behaviors.RetryAfter(time.Second)))
	require.Equal(t, []Action{Floor{10, 10}, Ack{9}}, c.AckedLater(epoch, 9))
	require.Empty(t, c.Tick(at(time.Second)))
}

// After a panic, and where other sets are with the worker, a fresh one is made.
func TestRetryWithAFreshWorker(t *testing.T) {
	for name, fails := range map[string]func(c *Core) []Action{
		"panic": func(c *Core) []Action {
			o := failedWith(-1, behaviors.RetryAfter(time.Second))
			o.Panicked = true
			return c.Handled(epoch, o)
		},
		"others": func(c *Core) []Action {
			c.Got(epoch, set(10))
			c.Handled(epoch, later())
			return c.Handled(epoch, failedWith(-1, behaviors.RetryAfter(time.Second)))
		},
		"from outside": func(c *Core) []Action {
			require.Empty(t, c.Fail(epoch, boom), "when the call has ended")
			require.Equal(t, []Action{Decide{boom}}, c.Handled(epoch, later()))
			return c.Decided(epoch, failedWith(-1, behaviors.RetryAfter(time.Second)))
		},
	} {
		c := working(t)
		require.Equal(t, []Action{Wake{at(time.Second)}}, fails(c), name)
		require.Empty(t, c.Got(epoch, set(20)), name)
		require.Equal(t, []Action{Wake{at(time.Second)}}, c.Tick(at(1)), name)
		require.Equal(t, []Action{Renew{}}, c.Tick(at(time.Second)), name)
		require.Equal(t, []Action{Subscribe{}}, c.Ready(), name)
		require.Equal(t, []Action{Handle{set(0), 0}}, c.Got(epoch, set(0)), name)
	}
}

func TestSkip(t *testing.T) {
	c := working(t)
	require.Equal(t, []Action{Floor{4, 0}, Skipped{4, 4, boom}, Floor{5, 0}, Handle{set(0), 5}}, c.Handled(epoch, failedWith(4, behaviors.Skip)))
	require.Equal(t, []Action{Floor{9, 0}, Skipped{9, 9, boom}, Floor{10, 10}, Ack{9}}, c.Handled(epoch, failedWith(9, behaviors.Skip)), "the last record")
	c.Got(epoch, set(10))
	require.Equal(t, []Action{Skipped{10, 19, boom}, Floor{20, 10}, Ack{19}}, c.Handled(epoch, failedWith(-1, behaviors.Skip)), "the set")
}

func TestARecordThatIsNotThereIsNotSkipped(t *testing.T) {
	for _, d := range []behaviors.Decision{behaviors.Skip, behaviors.DeadLetter("dead")} {
		c := working(t)
		require.Equal(t, []Action{Exit{boom}}, c.Handled(epoch, failedWith(50, d)))
	}
}

func TestDeadLetters(t *testing.T) {
	c := working(t)
	require.Equal(t, []Action{Floor{4, 0}, Bury{"dead", []Set{set(0)}, 4, 4, boom}}, c.Handled(epoch, failedWith(4, behaviors.DeadLetter("dead"))))
	require.Empty(t, c.Got(epoch, set(10)))
	require.Equal(t, []Action{Skipped{4, 4, boom}, Floor{5, 0}, Handle{set(0), 5}}, c.Buried(epoch, nil))
	require.Empty(t, c.Buried(epoch, nil))

	c = working(t)
	c.Handled(epoch, failedWith(-1, behaviors.DeadLetter("dead")))
	require.Equal(t, []Action{Exit{boom}}, c.Buried(epoch, boom), "nothing is given up that is not written")
}

func TestDeadLettersOfAFailureFromOutside(t *testing.T) {
	c := working(t)
	c.Got(epoch, set(10))
	c.Handled(epoch, later())
	c.Handled(epoch, later())
	require.Equal(t, []Action{Decide{boom}}, c.Fail(epoch, boom))
	out := c.Decided(epoch, failedWith(12, behaviors.DeadLetter("dead")))
	require.Equal(t, []Action{Floor{10, 10}, Ack{9}, Floor{12, 0}, Bury{"dead", []Set{set(10)}, 12, 12, boom}}, out)
	require.Equal(t, []Action{Skipped{12, 12, boom}, Floor{13, 0}, Renew{}}, c.Buried(epoch, nil))
}

func TestPauseByDecision(t *testing.T) {
	c := working(t)
	require.Equal(t, []Action{PauseFetching{}, Paused{boom}}, c.Handled(epoch, failedWith(-1, behaviors.Pause)))
	require.Equal(t, "paused", c.State())
	require.Empty(t, c.Tick(at(time.Hour)))
	require.Equal(t, []Action{ResumeFetching{}, Handle{set(0), 0}}, c.Resume(epoch))
	require.Empty(t, c.Resume(epoch))

	o := failedWith(-1, behaviors.Pause)
	o.Panicked = true
	c.Handled(epoch, o)
	require.Equal(t, []Action{ResumeFetching{}, Renew{}}, c.Resume(epoch))
}

func TestPause(t *testing.T) {
	c := working(t)
	require.Equal(t, []Action{PauseFetching{}}, c.Pause())
	require.Empty(t, c.Pause())
	require.Empty(t, c.Got(epoch, set(10)))
	require.Equal(t, []Action{Floor{10, 10}, Ack{9}}, c.Handled(epoch, acked()), "a call goes on")
	require.Equal(t, []Action{ResumeFetching{}, Handle{set(10), 10}}, c.Resume(epoch))

	c = New(true)
	require.Equal(t, []Action{Subscribe{}, PauseFetching{}}, c.Ready(), "paused before")
}

func TestStop(t *testing.T) {
	c := working(t)
	require.Equal(t, []Action{Stop{boom}}, c.Handled(epoch, failedWith(-1, behaviors.Stop)))
	require.Equal(t, "stopped", c.State())
	require.Empty(t, c.Got(epoch, set(10)))
	require.Empty(t, c.Pause())
	require.Empty(t, c.Seek(epoch, behaviors.Earliest))
	require.Empty(t, c.Fail(epoch, boom))
}

func TestSeek(t *testing.T) {
	c := working(t)
	c.Got(epoch, set(10))
	require.Empty(t, c.Seek(epoch, behaviors.At(50)))
	require.Empty(t, c.AckedLater(epoch, 5), "of before")
	require.Equal(t, []Action{Go{behaviors.At(50)}}, c.Handled(epoch, acked()), "and that counts no more")
	require.Equal(t, []Action{Handle{set(50), 50}}, c.Got(epoch, set(50)))
	c.Handled(epoch, later())
	require.Equal(t, []Action{Go{behaviors.Earliest}}, c.Seek(epoch, behaviors.Earliest))

	c = New(false)
	require.Empty(t, c.Seek(epoch, behaviors.At(50)))
	require.Equal(t, []Action{Go{behaviors.At(50)}}, c.Ready())

	c = working(t)
	o := failedWith(-1, behaviors.RetryAfter(time.Hour))
	o.Panicked = true
	c.Handled(epoch, o)
	to := behaviors.At(50)
	require.Equal(t, []Action{Renew{To: &to}}, c.Seek(epoch, to))
}

func TestTheWorkerChoosesAPosition(t *testing.T) {
	c := New(false)
	c.Ready()
	require.Equal(t, []Action{Choose{boom}}, c.Refused(boom))
	require.Empty(t, c.Refused(boom))
	require.Equal(t, []Action{Go{behaviors.Latest}}, c.Chosen(epoch, behaviors.Latest, nil))
	c.Refused(boom)
	require.Equal(t, []Action{Exit{boom}}, c.Chosen(epoch, behaviors.Latest, boom))
}
