package direct

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOneAfterAnotherUsesOneConnection(t *testing.T) {
	var c Core
	for _, wait := range []time.Duration{0, -1, time.Millisecond, time.Second, time.Hour} {
		lane, hold := c.Take(wait)
		require.Zero(t, lane)
		require.Equal(t, min(max(wait, 0), MostHold), hold)
		c.Done(lane)
	}
}

func TestWhatFindsNoConnectionFreeLooksOnce(t *testing.T) {
	var c Core
	for i := range Parking {
		lane, hold := c.Take(time.Second)
		require.Equal(t, i, lane)
		require.Equal(t, time.Second, hold)
	}
	lane, hold := c.Take(time.Second)
	require.Equal(t, Shared, lane)
	require.Equal(t, SharedHold, hold, "nobody waits there")
	lane, hold = c.Take(time.Second)
	require.Equal(t, Shared, lane)
	require.Zero(t, hold, "somebody does")
	c.Done(1)
	lane, hold = c.Take(time.Minute)
	require.Equal(t, 1, lane)
	require.Equal(t, MostHold, hold)
}

// Nothing is ever behind a fetch that is held for longer than SharedHold, and at
// most one before it is held at all.
func TestNothingWaitsBehindAParkedFetch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c Core
		held := map[int][]time.Duration{} // of each connection, in order
		for range rapid.IntRange(1, 50).Draw(t, "events") {
			lane := rapid.IntRange(0, Lanes-1).Draw(t, "lane")
			if rapid.Bool().Draw(t, "ends") && len(held[lane]) > 0 {
				held[lane] = held[lane][1:]
				c.Done(lane)
				continue
			}
			wait := time.Duration(rapid.IntRange(0, 10_000).Draw(t, "wait")) * time.Millisecond
			lane, hold := c.Take(wait)
			var ahead time.Duration
			for _, h := range held[lane] {
				ahead += h
			}
			require.LessOrEqual(t, ahead, SharedHold)
			require.LessOrEqual(t, hold, wait)
			held[lane] = append(held[lane], hold)
		}
	})
}
