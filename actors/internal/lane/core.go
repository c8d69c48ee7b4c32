// Package lane is the pure core of one connection of a broker: when it is
// dialled, and what happens to requests while it is not up.
package lane

import "time"

// State is what a lane is doing.
type State int

// The states.
const (
	Idle    State = iota // no connection, none is needed
	Dialing              // being connected; requests wait
	Up                   // connected
	Cooling              // failed a short while ago; requests are refused
)

// String is the state in a word.
func (s State) String() string { return [...]string{"idle", "connecting", "up", "cooling down"}[s] }

// Core is the state machine. Every dial has a number, so that the outcome of
// one that is no longer waited for is known.
type Core struct {
	CoolDown time.Duration

	state  State
	number int
	until  time.Time
	err    error
}

// State is the present state.
func (c *Core) State() State { return c.state }

// Err is why the lane is cooling down.
func (c *Core) Err() error { return c.err }

// Verdict is what happens to a request.
type Verdict int

// The verdicts.
const (
	SendIt Verdict = iota // the connection is up
	QueueIt
	DialAndQueue // dial with the returned number
	RefuseIt     // Err says why
)

// Need asks what to do with a request now.
func (c *Core) Need(now time.Time) (Verdict, int) {
	switch c.state {
	case Up:
		return SendIt, c.number
	case Dialing:
		return QueueIt, c.number
	case Cooling:
		if now.Before(c.until) {
			return RefuseIt, c.number
		}
	}
	c.state = Dialing
	c.number++
	return DialAndQueue, c.number
}

// Connected tells that dial number succeeded; false if nobody waits for it.
func (c *Core) Connected(number int) bool {
	if c.state != Dialing || c.number != number {
		return false
	}
	c.state, c.err = Up, nil
	return true
}

// Failed tells that dial number failed; the lane cools down.
func (c *Core) Failed(now time.Time, number int, err error) bool {
	if c.state != Dialing || c.number != number {
		return false
	}
	c.state, c.err, c.until = Cooling, err, now.Add(c.CoolDown)
	return true
}

// Closed tells that connection number ended. It may be dialled again at once:
// only a dial that fails cools down.
func (c *Core) Closed(number int) bool {
	if c.state != Up || c.number != number {
		return false
	}
	c.state = Idle
	return true
}
