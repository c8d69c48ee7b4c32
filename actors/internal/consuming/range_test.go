package consuming

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
)

// strayed is a core at offset 10, which the broker has said to be out of range.
func strayed(t *testing.T, reset Reset) (*Core, []Action) {
	t.Helper()
	c, n := reading(t)
	c.cfg.Reset, c.cfg.ResetBack = reset, time.Hour
	out := c.Fetched(epoch, n, refusal(outOfRange))
	require.Equal(t, Failed{outOfRange}, out[0])
	return c, out[1:]
}

func TestWhereToGoOn(t *testing.T) {
	hourAgo := epoch.Add(-time.Hour).UnixMilli()
	for reset, timestamp := range map[Reset]int64{ResetEarliest: -2, ResetLatest: -1, ResetSince: hourAgo, ResetNearest: -2} {
		c, out := strayed(t, reset)
		require.Equal(t, []Action{Resolve{Node: 3, Timestamp: timestamp}}, out, reset)
		out = c.Resolved(at(time.Minute), c.Number(), 500, nil)
		require.Equal(t, []Action{Moved{10, 500, outOfRange}, Want{Node: 3, Number: c.Number(), Offset: 500, Epoch: -1}}, out, reset)
	}
}

func TestTheNearestEnd(t *testing.T) {
	c, _ := strayed(t, ResetNearest)
	require.Equal(t, []Action{Resolve{Node: 3, Timestamp: -1}}, c.Resolved(at(time.Minute), c.Number(), 2, nil), "not before the oldest")
	require.Equal(t, Moved{10, 7, outOfRange}, c.Resolved(at(time.Minute), c.Number(), 7, nil)[0])

	c, _ = strayed(t, ResetNearest)
	c.Resolved(at(time.Minute), c.Number(), 10, nil)
	require.Equal(t, []Action{Want{Node: 3, Number: c.Number() + 1, Offset: 10, Epoch: -1}}, c.Resolved(at(time.Minute), c.Number(), 90, nil)[0:1], "it is in range by now")
}

func TestALookUpThatFailsIsMadeAgain(t *testing.T) {
	c, _ := strayed(t, ResetLatest)
	c.Resolved(at(time.Second), c.Number(), 0, plain)
	out := c.Tick(at(time.Minute))
	require.Equal(t, []Action{Want{Node: 3, Number: c.Number(), Offset: 10, Epoch: -1}}, out)
	require.Equal(t, Resolve{Node: 3, Timestamp: -1}, c.Fetched(at(time.Minute), c.Number(), refusal(outOfRange))[1])
}

func TestTheSubscriberChoosesAfterAllOfBefore(t *testing.T) {
	c, n := reading(t)
	c.cfg.Reset = ResetRefused
	c.Fetched(epoch, n, got(20, Set{ID: 1, Bytes: 1, Last: 19}))
	c.Fetched(epoch, c.Number(), got(30, Set{ID: 2, Bytes: 1, Last: 29}))
	require.Equal(t, []Action{Failed{outOfRange}}, c.Fetched(epoch, c.Number(), refusal(outOfRange)))
	require.Equal(t, []Action{Hand{2}}, c.Ack(epoch, 19))
	require.Equal(t, []Action{Refused{outOfRange}}, c.Ack(epoch, 29))
	require.Empty(t, c.Tick(at(time.Hour)), "told once")
	require.Equal(t, []Action{Want{Node: 3, Number: c.Number() + 2, Offset: 50, Epoch: -1}}, c.Subscribe(at(time.Hour), behaviors.At(50)))
}

func TestTruncation(t *testing.T) {
	c, n := reading(t)
	a := got(20)
	a.Epoch = 5
	require.Equal(t, []Action{Want{Node: 3, Number: n + 1, Offset: 20, Epoch: 5}}, c.Fetched(epoch, n, a), "what was read last is told")
	require.Equal(t, int32(5), c.Fetched(epoch, n+1, got(21))[0].(Want).Epoch, "an answer without a batch changes nothing")
	a = got(0)
	a.Diverged, a.Epoch = 15, 4
	out := c.Fetched(epoch, n+2, a)
	var cut *behaviors.TruncatedError
	require.True(t, errors.As(out[0].(Failed).Err, &cut))
	require.Equal(t, behaviors.TruncatedError{From: 21, To: 15}, *cut)
	require.ErrorContains(t, cut, "truncated")
	require.Equal(t, Moved{21, 15, cut}, out[1])
	require.Equal(t, []Action{Want{Node: 3, Number: n + 3, Offset: 15, Epoch: 4}}, c.Tick(at(time.Second)))
}

func TestTruncationForTheSubscriber(t *testing.T) {
	c, n := reading(t)
	c.cfg.Reset = ResetRefused
	a := got(0)
	a.Diverged, a.Epoch = 5, 1
	out := c.Fetched(epoch, n, a)
	require.Len(t, out, 2)
	require.IsType(t, Refused{}, out[1])
}

func TestNothingForwardByTruncation(t *testing.T) {
	c, n := reading(t)
	a := got(0)
	a.Diverged, a.Epoch = 500, 1
	out := c.Fetched(epoch, n, a)
	require.Equal(t, Wake{at(50 * time.Millisecond)}, out[len(out)-1], "asked again, later")
	require.Equal(t, int64(10), c.Position())
}
