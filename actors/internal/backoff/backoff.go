// Package backoff is the one rule by which cores pause before trying again.
package backoff

import "time"

// After is the pause after the given number of failures in a row, from 1:
// least, doubled for each further one, up to most. spread, from 0 to 1, takes
// up to a fifth off, so that many who failed together do not return together.
func After(failures int, least, most time.Duration, spread float64) time.Duration {
	d := least
	for i := 1; i < failures && d < most; i++ {
		d *= 2
	}
	d = min(d, most)
	return d - time.Duration(float64(d)*spread/5)
}
