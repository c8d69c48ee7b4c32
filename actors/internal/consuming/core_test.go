package consuming

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

var (
	epoch      = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	notLeader  = &wire.Error{Code: wire.NotLeaderOrFollower, API: 1}
	outOfRange = &wire.Error{Code: wire.OffsetOutOfRange, API: 1}
	plain      = errors.New("what was read is garbage")
)

func at(d time.Duration) time.Time { return epoch.Add(d) }

func newCore() *Core {
	return New(Config{PrefetchBytes: 100, BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second}, func() float64 { return 0 })
}

// reading is a core that wants offset 10 of node 3, and the number of its want.
func reading(t *testing.T) (*Core, uint64) {
	t.Helper()
	c := newCore()
	require.Equal(t, []Action{FindLeader{}}, c.Subscribe(epoch, behaviors.At(10)))
	out := c.Leader(epoch, 3)
	require.Equal(t, []Action{Want{Node: 3, Number: c.Number(), Offset: 10, Epoch: -1}}, out)
	return c, c.Number()
}

func TestNothingWithoutSubscriber(t *testing.T) {
	c := newCore()
	require.Empty(t, c.Tick(epoch))
	require.Empty(t, c.Leader(epoch, 3))
	require.Empty(t, c.Ack(epoch, 5))
	require.Empty(t, c.Unsubscribe())
}

func TestPositionsAreLookedUp(t *testing.T) {
	for position, timestamp := range map[behaviors.Position]int64{
		behaviors.Latest: -1, behaviors.Earliest: -2, behaviors.Since(time.UnixMilli(777)): 777,
	} {
		c := newCore()
		c.Subscribe(epoch, position)
		require.Equal(t, []Action{Resolve{Node: 3, Timestamp: timestamp}}, c.Leader(epoch, 3))
		require.Nil(t, c.Resolved(epoch, c.Number()+1, 5, nil), "not asked for")
		out := c.Resolved(epoch, c.Number(), 42, nil)
		require.Equal(t, []Action{Want{Node: 3, Number: c.Number(), Offset: 42, Epoch: -1}}, out)
		require.Nil(t, c.Resolved(epoch, c.Number(), 43, nil), "told twice")
		require.Equal(t, int64(42), c.Position())
	}
}

func TestAFailedLookUpIsTriedAgain(t *testing.T) {
	c := newCore()
	c.Subscribe(epoch, behaviors.Earliest)
	c.Leader(epoch, 3)
	require.Equal(t, []Action{Failed{plain}, Wake{at(50 * time.Millisecond)}}, c.Resolved(epoch, c.Number(), 0, plain))
	require.Equal(t, []Action{Resolve{Node: 3, Timestamp: -2}}, c.Tick(at(50*time.Millisecond)))
}

func TestOneSetAfterAnother(t *testing.T) {
	c, n := reading(t)
	out := c.Fetched(epoch, n, got(20, Set{ID: 1, Bytes: 60, Last: 19}))
	require.Equal(t, []Action{Hand{1}, Want{Node: 3, Number: n + 1, Offset: 20, Epoch: -1}}, out)
	require.Zero(t, c.Buffered(), "what is handed out is the subscriber's")
	out = c.Fetched(epoch, n+1, got(30, Set{ID: 2, Bytes: 60, Last: 29}))
	require.Equal(t, []Action{Want{Node: 3, Number: n + 2, Offset: 30, Epoch: -1}}, out, "below the limit")
	require.Empty(t, c.Fetched(epoch, n+2, got(40, Set{ID: 3, Bytes: 60, Last: 39})), "the prefetch limit is reached")
	require.Equal(t, 120, c.Buffered())

	require.Empty(t, c.Ack(epoch, 18), "not the whole set")
	require.Equal(t, []Action{Hand{2}, Want{Node: 3, Number: n + 3, Offset: 40, Epoch: -1}}, c.Ack(epoch, 19))
	require.Equal(t, []Action{Hand{3}}, c.Ack(epoch, 100), "more than the set")
	require.Empty(t, c.Ack(epoch, 39))
	require.Empty(t, c.Ack(epoch, 39), "nothing is handed out")
}

func TestAnswersWithoutASetMoveOn(t *testing.T) {
	c, n := reading(t)
	require.Equal(t, []Action{Want{Node: 3, Number: n + 1, Offset: 15, Epoch: -1}}, c.Fetched(epoch, n, got(15)))
	require.Nil(t, c.Fetched(epoch, n, got(16)), "an old number")
	require.Equal(t, []Action{Drop{9}}, c.Fetched(epoch, n, got(16, Set{ID: 9})), "an old number with a set")
}

func TestErrorsBackOff(t *testing.T) {
	c, n := reading(t)
	now := epoch
	for _, pause := range []time.Duration{50, 100, 200, 400, 800, 1000, 1000} {
		now = now.Add(pause * time.Millisecond)
		require.Equal(t, []Action{Failed{plain}, Wake{now}}, c.Fetched(now.Add(-pause*time.Millisecond), n, refusal(plain)))
		require.Equal(t, []Action{Wake{now}}, c.Tick(now.Add(-1)))
		out := c.Tick(now)
		n++
		require.Equal(t, []Action{Want{Node: 3, Number: n, Offset: 10, Epoch: -1}}, out)
	}
	n = c.Number()
	c.Fetched(now, n, got(11))
	require.Equal(t, []Action{Failed{plain}, Wake{now.Add(50 * time.Millisecond)}}, c.Fetched(now, n+1, refusal(plain)), "after a good answer it begins anew")
}

func TestLeaderErrors(t *testing.T) {
	c, n := reading(t)
	require.Equal(t, []Action{Failed{notLeader}, FindLeader{Stale: true}}, c.Fetched(epoch, n, refusal(notLeader)), "at once")
	require.Empty(t, c.Tick(at(time.Second)), "asked once")
	require.Equal(t, []Action{Failed{notLeader}, Wake{at(time.Second + 100*time.Millisecond)}}, c.NoLeader(at(time.Second), notLeader), "then with a pause")
	require.Equal(t, []Action{FindLeader{Stale: true}}, c.Tick(at(time.Second+100*time.Millisecond)))
	require.Equal(t, []Action{Want{Node: 4, Number: c.Number() + 1, Offset: 10, Epoch: -1}}, c.Leader(at(2*time.Second), 4))
}

func TestAnOldLeaderHasItsPause(t *testing.T) {
	c, n := reading(t)
	c.Fetched(epoch, n, refusal(notLeader))
	require.Equal(t, []Action{Wake{at(50 * time.Millisecond)}}, c.Leader(at(1), 3), "the one that refused, again")
	c, n = reading(t)
	c.Fetched(epoch, n, refusal(notLeader))
	require.Len(t, c.Leader(at(1), 4), 1, "a new one has none")
}

func TestBrokerDown(t *testing.T) {
	c, n := reading(t)
	require.Nil(t, c.BrokerDown(epoch, 1, notLeader), "another broker")
	require.Contains(t, c.BrokerDown(epoch, 3, notLeader), Action(FindLeader{Stale: true}))
	require.Equal(t, []Action{Drop{1}}, c.Fetched(epoch, n, got(20, Set{ID: 1})), "an answer from behind")
}

func TestOutOfRangeMoves(t *testing.T) {
	c, n := reading(t)
	require.Equal(t, []Action{Failed{outOfRange}, Resolve{Node: 3, Timestamp: -2}}, c.Fetched(epoch, n, refusal(outOfRange)))
	out := c.Resolved(epoch, c.Number(), 500, nil)
	require.Equal(t, Moved{From: 10, To: 500, Err: outOfRange}, out[0])
	pause, ok := out[1].(Wake)
	require.True(t, ok, "a range that is left again and again is not asked for without a pause")
	require.Equal(t, []Action{Want{Node: 3, Number: c.Number() + 1, Offset: 500, Epoch: -1}}, c.Tick(pause.At))
}

func TestSubscribeAgainForgets(t *testing.T) {
	c, n := reading(t)
	c.Fetched(epoch, n, got(20, Set{ID: 1, Bytes: 10, Last: 19}))
	c.Fetched(epoch, n+1, got(30, Set{ID: 2, Bytes: 10, Last: 29}))
	out := c.Subscribe(epoch, behaviors.At(5))
	require.Equal(t, []Action{Unwant{3}, Drop{2}, Want{Node: 3, Number: c.Number(), Offset: 5, Epoch: -1}}, out)
	require.Greater(t, c.Number(), n+2)
	require.Zero(t, c.Buffered())
	require.Equal(t, []Action{Drop{3}}, c.Fetched(epoch, n+2, got(40, Set{ID: 3, Bytes: 10, Last: 39})))
	require.Empty(t, c.Ack(epoch, 19), "of before")
	require.Equal(t, Hand{4}, c.Fetched(epoch, c.Number(), got(10, Set{ID: 4, Bytes: 10, Last: 9}))[0])
}

func TestUnsubscribeForgets(t *testing.T) {
	c, n := reading(t)
	c.Fetched(epoch, n, got(20, Set{ID: 1, Bytes: 10, Last: 19}))
	c.Fetched(epoch, n+1, got(30, Set{ID: 2, Bytes: 10, Last: 29}))
	require.Equal(t, []Action{Unwant{3}, Drop{2}}, c.Unsubscribe())
	require.Equal(t, []Action{Drop{3}}, c.Fetched(epoch, n+2, got(40, Set{ID: 3, Last: 39})))
	require.Empty(t, c.Tick(at(time.Hour)))
}

// An error of the leader asks for the leader at once; the pause is between
// asking again, not before asking.
func TestALeaderErrorAsksAtOnce(t *testing.T) {
	c, n := reading(t)
	require.Contains(t, c.Fetched(epoch, n, refusal(notLeader)), Action(FindLeader{Stale: true}))
}

// Nobody is told of errors that are nobody's.
func TestNoErrorsWithoutSubscriber(t *testing.T) {
	c, _ := reading(t)
	c.Unsubscribe()
	require.Empty(t, c.BrokerDown(epoch, 3, notLeader))
}

// Last begins before the end that a broker tells; where records of that place are
// gone, the first fetch goes to the oldest one.
func TestLastBeginsBeforeTheEnd(t *testing.T) {
	c := newCore()
	c.Subscribe(epoch, behaviors.Last(5))
	require.Equal(t, []Action{Resolve{Node: 3, Timestamp: -1}}, c.Leader(epoch, 3))
	require.Equal(t, int64(0), c.Begins(2), "not before the first")
	require.Equal(t, int64(37), c.Begins(42))
	out := c.Resolved(epoch, c.Number(), 37, nil)
	require.Equal(t, []Action{Want{Node: 3, Number: c.Number(), Offset: 37, Epoch: -1}}, out)
	require.Equal(t, int64(40), c.Begins(40), "the oldest record, after a position out of range")
	c.Fetched(epoch, c.Number(), refusal(outOfRange))
	require.Contains(t, c.Resolved(epoch, c.Number(), c.Begins(40), nil), Moved{37, 40, outOfRange})
	require.Equal(t, int64(40), c.Position())
}

// got is an answer with sets, after which next comes.
func got(next int64, sets ...Set) Answer {
	return Answer{Sets: sets, Next: next, Epoch: -1, Replica: -1, Diverged: -1}
}

// refusal is an answer with an error.
func refusal(err error) Answer {
	return Answer{Err: err, Epoch: -1, Replica: -1, Diverged: -1}
}

func TestMoreThanOneSetIsOut(t *testing.T) {
	c := New(Config{PrefetchBytes: 100, PrefetchCount: 10, BackoffMin: time.Second, BackoffMax: time.Second}, func() float64 { return 0 })
	c.Subscribe(epoch, behaviors.At(0))
	c.Leader(epoch, 3)
	out := c.Fetched(epoch, c.Number(), got(16, Set{ID: 1, Count: 6, Last: 5}, Set{ID: 2, Count: 4, Last: 9}, Set{ID: 3, Count: 6, Bytes: 120, Last: 15}))
	require.Equal(t, []Action{Hand{1}, Hand{2}}, out, "ten records are out, and the prefetch limit is reached")
	last, ok := c.Handed()
	require.True(t, ok)
	require.Equal(t, int64(9), last)
	require.Empty(t, c.Ack(epoch, 4))
	require.Equal(t, []Action{Hand{3}, Want{Node: 3, Number: c.Number() + 1, Offset: 16, Epoch: -1}}, c.Ack(epoch, 5))
	require.Empty(t, c.Ack(epoch, 15), "two at once")
	_, ok = c.Handed()
	require.False(t, ok)
}

func TestASetLargerThanTheCountIsOutAlone(t *testing.T) {
	c := New(Config{PrefetchBytes: 100, PrefetchCount: 10}, func() float64 { return 0 })
	c.Subscribe(epoch, behaviors.At(0))
	c.Leader(epoch, 3)
	out := c.Fetched(epoch, c.Number(), got(22, Set{ID: 1, Count: 20, Last: 19}, Set{ID: 2, Count: 1, Last: 21}))
	require.Equal(t, Hand{1}, out[0])
	require.Len(t, out, 2)
	require.Equal(t, Hand{2}, c.Ack(epoch, 19)[0])
}

func TestPauseAndResume(t *testing.T) {
	c, n := reading(t)
	c.Pause()
	require.True(t, c.Paused())
	require.Empty(t, c.Fetched(epoch, n, got(20, Set{ID: 1, Bytes: 60, Last: 19})), "kept, neither handed out nor followed")
	require.Empty(t, c.Tick(at(time.Hour)))
	require.Equal(t, []Action{Hand{1}, Want{Node: 3, Number: n + 1, Offset: 20, Epoch: -1}}, c.Resume(at(time.Hour)))
	c.Pause()
	require.Equal(t, []Action{Unwant{3}}, c.Subscribe(epoch, behaviors.At(5)))
	require.Len(t, c.Resume(epoch), 1)
	c.Pause()
	c.Unsubscribe()
	require.False(t, c.Paused(), "the next subscriber's is another matter")
}
