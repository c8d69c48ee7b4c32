package main

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMedian(t *testing.T) {
	require.True(t, math.IsNaN(median(nil)))
	require.Equal(t, 7.0, median([]float64{7}))
	require.Equal(t, 2.0, median([]float64{3, 1, 2}))
	require.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
	values := []float64{3, 1, 2}
	median(values)
	require.Equal(t, []float64{3, 1, 2}, values, "the order is the rounds'")
}

func TestMedianIsInTheMiddle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 50).Draw(t, "values")
		m := median(values)
		below, above := 0, 0
		for _, v := range values {
			if v <= m {
				below++
			}
			if v >= m {
				above++
			}
		}
		require.GreaterOrEqual(t, 2*below, len(values))
		require.GreaterOrEqual(t, 2*above, len(values))
	})
}

func TestRatioIsOfTheSameRound(t *testing.T) {
	// A busy machine halves the second round for both: the ratio stays.
	require.Equal(t, 3.0, ratio([]float64{300, 150, 330}, []float64{100, 50, 110}))
	require.Equal(t, 2.0, ratio([]float64{200, 0, 400}, []float64{100, 100, 200}), "a failed round of ours does not count")
	require.Equal(t, 2.0, ratio([]float64{200, 900, 400}, []float64{100, 0, 200}), "nor one of theirs")
	require.True(t, math.IsNaN(ratio(nil, []float64{1})))
}

func TestQuantile(t *testing.T) {
	require.Zero(t, quantile(nil, 0.5))
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(i+1)*time.Microsecond)
	}
	require.Equal(t, 50.0, quantile(took, 0.5))
	require.Equal(t, 99.0, quantile(took, 0.99))
	require.Equal(t, 100.0, quantile(took, 1))
	require.Equal(t, 1.0, quantile(took, 0))
}

func TestValuesAreTheSameEverywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size, n := rapid.IntRange(1, 300).Draw(t, "size"), rapid.IntRange(0, 5000).Draw(t, "n")
		v := newValues(size)
		var sum uint64
		for range n {
			value := v.next()
			require.Len(t, value, size)
			sum += look(nil, value)
		}
		require.Equal(t, sum, newValues(size).sumOf(n))
	})
}

func TestValuesDiffer(t *testing.T) {
	v := newValues(100)
	seen := map[string]bool{}
	for range distinct {
		seen[string(v.next())] = true
	}
	require.Greater(t, len(seen), distinct*9/10)
	require.True(t, slices.Equal(v.all[0], v.next()), "they come again")
}
