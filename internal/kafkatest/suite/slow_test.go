//go:build !race

package suite

const slowdown = 1
