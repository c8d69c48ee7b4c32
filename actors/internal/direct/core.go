// Package direct is the pure core of a broker's direct fetches: which
// connection each goes over, and how long the broker may hold it there. A
// broker answers the requests of one connection in order, so a fetch that is
// held holds up whatever is behind it.
package direct

import "time"

const (
	// Parking is how many connections may carry a fetch that the broker holds for
	// as long as its caller waits. Each carries one at a time.
	Parking = 3
	// Shared is the connection of all others.
	Shared = Parking
	// Lanes are the connections in all, numbered from 0.
	Lanes = Parking + 1
	// MostHold bounds every hold: a fetch whose caller has given up keeps its
	// connection that long.
	MostHold = 5 * time.Second
	// SharedHold is how long a fetch is held on the shared connection, if nobody
	// waits there: what the next one to come is late by.
	SharedHold = 10 * time.Millisecond
)

// Core knows which connections are in use. The zero value is ready. It is not
// safe for concurrent use.
type Core struct{ flying [Lanes]int }

// Take chooses a connection for a fetch whose caller waits so long for a first
// record, and how long the broker may hold it. Of the connections that park,
// the first that is free is taken, so that fetches one after another use a
// single one; where none is, the fetch looks once on the shared connection,
// and its caller comes back.
func (c *Core) Take(wait time.Duration) (lane int, hold time.Duration) {
	hold = min(max(wait, 0), MostHold)
	for c.flying[lane] > 0 && lane < Shared {
		lane++
	}
	if lane == Shared {
		hold = min(hold, SharedHold)
		if c.flying[Shared] > 0 {
			hold = 0
		}
	}
	c.flying[lane]++
	return lane, hold
}

// Done gives back what Take took. It must be called once for each.
func (c *Core) Done(lane int) { c.flying[lane]-- }
