package backoff

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDoublesUpToMost(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		0: 50, 1: 50, 2: 100, 3: 200, 4: 400, 5: 800, 6: 1000, 7: 1000, math.MaxInt: 1000,
	} {
		require.Equal(t, want*time.Millisecond, After(failures, 50*time.Millisecond, time.Second, 0), "failures %d", failures)
	}
	require.Equal(t, 40*time.Millisecond, After(1, 50*time.Millisecond, time.Second, 1), "spread takes a fifth off")
	require.Equal(t, time.Second, After(3, 5*time.Second, time.Second, 0), "never more than most")
}

func TestStaysInItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "least"))
		most := least + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "more"))
		n := rapid.IntRange(1, 100).Draw(t, "failures")
		d := After(n, least, most, rapid.Float64Range(0, 1).Draw(t, "spread"))
		require.GreaterOrEqual(t, d, least-least/5-1)
		require.LessOrEqual(t, d, most)
		require.LessOrEqual(t, After(n, least, most, 0), After(n+1, least, most, 0), "more failures, no shorter pause")
	})
}
