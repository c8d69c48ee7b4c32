package lane

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestLifeOfALane(t *testing.T) {
	cause := errors.New("refused")
	c := Core{CoolDown: time.Second}
	require.Equal(t, Idle, c.State())

	verdict, first := c.Need(epoch)
	require.Equal(t, DialAndQueue, verdict)
	require.Equal(t, Dialing, c.State())
	verdict, n := c.Need(epoch)
	require.Equal(t, QueueIt, verdict)
	require.Equal(t, first, n)

	require.True(t, c.Failed(epoch, first, cause))
	require.Equal(t, Cooling, c.State())
	require.ErrorIs(t, c.Err(), cause)
	verdict, _ = c.Need(epoch.Add(time.Second - 1))
	require.Equal(t, RefuseIt, verdict)
	verdict, second := c.Need(epoch.Add(time.Second))
	require.Equal(t, DialAndQueue, verdict, "the cool-down is over to the nanosecond")
	require.NotEqual(t, first, second)

	require.False(t, c.Connected(first), "a dial that nobody waits for")
	require.True(t, c.Connected(second))
	require.False(t, c.Connected(second), "only once")
	require.NoError(t, c.Err(), "it is up")
	verdict, n = c.Need(epoch)
	require.Equal(t, SendIt, verdict)
	require.Equal(t, second, n)

	require.False(t, c.Closed(first))
	require.True(t, c.Closed(second))
	require.Equal(t, Idle, c.State())
	verdict, third := c.Need(epoch)
	require.Equal(t, DialAndQueue, verdict, "a connection that ended is dialled again at once")
	require.Greater(t, third, second)
}

func TestStatesHaveWords(t *testing.T) {
	seen := map[string]bool{}
	for s := Idle; s <= Cooling; s++ {
		require.NotEmpty(t, s.String())
		seen[s.String()] = true
	}
	require.Len(t, seen, 4)
}

// Whatever happens in whatever order, one dial is under way at most, a number
// is never used twice, and only the newest number is heard.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Core{CoolDown: time.Second}
		now := epoch
		state, number, until := Idle, 0, time.Time{}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(700*time.Millisecond)).Draw(t, "later")))
			told := number - rapid.IntRange(0, 2).Draw(t, "old")
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				verdict, n := c.Need(now)
				switch {
				case state == Up:
					require.Equal(t, SendIt, verdict)
				case state == Dialing:
					require.Equal(t, QueueIt, verdict)
				case state == Cooling && now.Before(until):
					require.Equal(t, RefuseIt, verdict)
					require.Error(t, c.Err())
				default:
					require.Equal(t, DialAndQueue, verdict)
					number++
					state = Dialing
				}
				require.Equal(t, number, n)
			case 1:
				heard := state == Dialing && told == number
				require.Equal(t, heard, c.Connected(told))
				if heard {
					state = Up
				}
			case 2:
				heard := state == Dialing && told == number
				require.Equal(t, heard, c.Failed(now, told, errors.New("x")))
				if heard {
					state, until = Cooling, now.Add(time.Second)
				}
			case 3:
				heard := state == Up && told == number
				require.Equal(t, heard, c.Closed(told))
				if heard {
					state = Idle
				}
			}
			require.Equal(t, state, c.State())
		}
	})
}
