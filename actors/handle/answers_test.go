package handle

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnswersAreUsedAgainWhenNobodyHasThem(t *testing.T) {
	answers := &Answers{most: 1 << 20}
	require.Nil(t, answers.Take(1<<20+1), "a broker's word is not taken for everything")
	a := answers.Take(100_000)
	require.GreaterOrEqual(t, len(a.Bytes()), 100_000)
	a.Hold()
	a.Release()
	for range 100 {
		b := answers.Take(100_000)
		require.NotSame(t, a, b, "a part of it is still out")
		b.Release()
	}
	a.Release()
	var none *Answer
	none.Hold()
	none.Release()
	require.Zero(t, a.held.Load())
}

func TestAnswersOfLikeSizesShareMemory(t *testing.T) {
	for _, n := range []int{1, 5000, 1 << 20, 6 << 20} {
		require.GreaterOrEqual(t, roomFor(n), n+n/16)
		require.Less(t, roomFor(n), n+n/4+1<<17)
	}
}
