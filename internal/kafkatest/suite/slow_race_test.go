//go:build race

package suite

// slowdown is how much longer bounds are under the race detector.
const slowdown = 10
