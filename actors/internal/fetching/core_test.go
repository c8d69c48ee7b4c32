package fetching

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	maxWait = 500 * time.Millisecond
	hotWait = 10 * time.Millisecond
)

func newCore() *Core { return New(Config{MaxWait: maxWait, HotWait: hotWait}) }

func want(partition int32, number uint64) Want {
	return Want{Key: Key{"t", partition}, Number: number, Offset: int64(number), Consumer: "c"}
}

func never(Key) bool  { return false }
func always(Key) bool { return true }

func hot(wants ...Want) []Request {
	return []Request{{Lane: Hot, MaxWait: hotWait, Wants: wants, Epoch: -1}}
}

// idle is a core whose cold request carries partition 0.
func idle(t *testing.T) *Core {
	t.Helper()
	c := newCore()
	r := c.Add(want(0, 1))
	for range coldAfter {
		require.Equal(t, hot(want(0, 1)), r)
		r = c.HotDone(r[0].Wants, never)
	}
	require.Equal(t, []Request{{Lane: Cold, MaxWait: hotWait, Wants: []Want{want(0, 1)}}}, r)
	return c
}

func TestHotFirstThenCold(t *testing.T) {
	c := idle(t)
	require.Equal(t, []Want{want(0, 1)}, c.Parked())
	require.Equal(t, []Want{want(0, 1)}, c.Waiting(Key{"t", 0}))
	r := c.ColdDone(nil, 77)
	require.Equal(t, []Request{{Lane: Cold, MaxWait: 2 * hotWait, Wants: r[0].Wants, Session: 77, Epoch: 1}}, r, "the session goes on")
	require.Empty(t, r[0].Wants, "and names nothing anew")
	require.Empty(t, c.ColdDone([]Key{{"t", 0}}, 77), "answered: nothing is wanted any more")
	require.Empty(t, c.Parked())
	require.Equal(t, hot(want(0, 2)), c.Add(want(0, 2)), "what had data is hot")
}

// The longer nobody joins, the longer the session's request may be parked; who
// joins waits no longer than it has been silent.
func TestTheSessionIsParkedLongerEachTime(t *testing.T) {
	c := idle(t)
	for _, wait := range []time.Duration{20, 40, 80, 160, 320, 500, 500} {
		r := c.ColdDone(nil, 7)
		require.Len(t, r, 1)
		require.Equal(t, wait*time.Millisecond, r[0].MaxWait)
	}
	r := c.Add(want(1, 1))
	for range coldAfter {
		r = c.HotDone(r[0].Wants, never)
	}
	require.Equal(t, hot(want(1, 1)), r, "the session's request is away")
	require.Empty(t, c.ColdDone(nil, 7), "it waits for the one that is to join")
	r = c.HotDone(r[0].Wants, never)
	require.Equal(t, []Request{{Lane: Cold, MaxWait: hotWait, Wants: []Want{want(1, 1)}, Session: 7, Epoch: 8}}, r)
}

// A broker that keeps no session is not asked for every partition more often
// than it has to be.
func TestWithoutASessionTheRequestIsParkedLong(t *testing.T) {
	c := idle(t)
	require.Equal(t, []Request{{Lane: Cold, MaxWait: maxWait, Wants: []Want{want(0, 1)}}}, c.ColdDone(nil, 0))
}

func TestNeverBehindAParkedPoll(t *testing.T) {
	c := idle(t)
	r := c.Add(want(1, 1))
	require.Equal(t, hot(want(1, 1)), r)
	require.Empty(t, c.Add(want(2, 1)), "both lanes are busy")
	require.Equal(t, hot(want(2, 1)), c.HotDone(r[0].Wants, always))
}

func TestANewWantWaitsForTheOldAnswer(t *testing.T) {
	c := newCore()
	old := c.Add(want(0, 1))
	require.Empty(t, c.Add(want(0, 2)))
	require.Equal(t, hot(want(0, 2)), c.HotDone(old[0].Wants, always), "the answer was to the old number")
}

func TestANewWantLeavesTheSession(t *testing.T) {
	c := idle(t)
	require.Equal(t, hot(want(0, 2)), c.Add(want(0, 2)))
	require.Empty(t, c.Waiting(Key{"t", 0}), "what the parked request brings is of the old offset")
	require.Empty(t, c.ColdDone([]Key{{"t", 0}}, 5), "the session is empty: nothing to ask for")
}

func TestRemove(t *testing.T) {
	c := idle(t)
	c.Remove(Key{"t", 0}, "another")
	require.Len(t, c.Parked(), 1, "not the consumer's own")
	c.Remove(Key{"t", 0}, "c")
	require.Empty(t, c.Parked())
	require.Empty(t, c.ColdDone(nil, 5))

	r := c.Add(want(1, 1))
	c.Remove(Key{"t", 1}, "c")
	require.Empty(t, c.Add(want(1, 2)), "the old request still names it")
	require.Equal(t, hot(want(1, 2)), c.HotDone(r[0].Wants, always))
	c.Remove(Key{"t", 9}, "c")
}

func TestTwoConsumersOfOnePartition(t *testing.T) {
	c := newCore()
	mine, yours := want(0, 1), want(0, 1)
	yours.Consumer = "d"
	require.Equal(t, hot(mine), c.Add(mine))
	require.Empty(t, c.Add(yours))
	require.Equal(t, hot(yours), c.HotDone([]Want{mine}, always))
	mine.Number = 2
	require.Empty(t, c.Add(mine))
	require.Equal(t, hot(mine), c.HotDone([]Want{yours}, never), "who waited longest")
}

func TestALostSession(t *testing.T) {
	c := idle(t)
	require.Empty(t, c.ColdLost(true), "its consumers know")
	require.Empty(t, c.Parked())
	c = idle(t)
	r := c.ColdLost(false)
	require.Equal(t, []Request{{Lane: Cold, MaxWait: hotWait, Wants: []Want{want(0, 1)}}}, r, "asked for again, in a new session")
}

func TestSessionNumbers(t *testing.T) {
	s := session{}
	require.True(t, s.whole())
	s.answered(0)
	require.True(t, s.whole(), "a broker that keeps none")
	s.answered(9)
	require.Equal(t, session{id: 9, epoch: 1}, s)
	s.answered(9)
	require.Equal(t, session{id: 9, epoch: 2}, s)
	s.epoch = math.MaxInt32
	s.answered(9)
	require.Equal(t, session{id: 9, epoch: 1}, s, "epochs wrap to 1")
	s.answered(10)
	require.Equal(t, session{id: 10, epoch: 1}, s)
}

func TestEverybodyIsFirstAtSomeTime(t *testing.T) {
	c := idle(t)
	first := map[Key]bool{}
	c.Add(want(9, 1))
	number := uint64(1)
	c.Add(want(1, number))
	c.Add(want(2, number))
	r := c.HotDone([]Want{want(9, 1)}, always)
	for range 20 {
		first[r[0].Wants[0].Key] = true
		sent := r[0].Wants
		number++
		for _, w := range sent {
			w.Number = number
			c.Add(w)
		}
		c.ColdDone(nil, 5)
		r = c.HotDone(sent, always)
	}
	require.Len(t, first, 2)
}
