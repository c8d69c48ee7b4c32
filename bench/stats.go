package main

import (
	"math"
	"slices"
	"time"
)

// median is the middle one, or the mean of the middle two; NaN of none. The
// values' order is left alone.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// ratio is ours/theirs round by round, and then the median: the rounds are
// interleaved, so what slows a whole round down is in both. Rounds that one of
// them lacks do not count.
func ratio(ours, theirs []float64) float64 {
	var all []float64
	for i := range min(len(ours), len(theirs)) {
		if ours[i] > 0 && theirs[i] > 0 {
			all = append(all, ours[i]/theirs[i])
		}
	}
	return median(all)
}

// quantile is the value in microseconds that a share of the sorted durations
// does not exceed: the nearest rank. 0 of none.
func quantile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share*float64(len(sorted)))) - 1
	return float64(sorted[max(rank, 0)]) / float64(time.Microsecond)
}
