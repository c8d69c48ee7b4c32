package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Core is a state machine under test: usually a small adapter around a pure core.
//
// Handle takes one event and says what is to be done. It must depend on its input
// and its own state alone: no clock, no goroutine, no global, no order of a map.
// A panic in Handle ends the run with a [Violation].
type Core interface {
	Handle(in Input) []Action
}

// Event is what a core is given: [Started], [Message], [TimerFired], [PeerUp],
// [PeerDown], or a value of the scenario's own (from [World.Inject] or [Tell]).
//
// String goes into the trace and its hash, so it must be the same in every run of
// a seed: no address of a pointer, no order of a map.
type Event interface {
	String() string
}

// Text is an Event that is only a text.
type Text string

func (t Text) String() string { return string(t) }

// Input is all that a core may know when it handles an event.
type Input struct {
	// Now is the virtual time, Epoch at the start of the run.
	Now time.Time
	// Elapsed is the virtual time since the start of the run.
	Elapsed time.Duration
	// Rand is the node's own generator. It goes on over restarts.
	Rand *rand.Rand
	// Event is what happened.
	Event Event
}

// Epoch is the Input.Now at which every run starts: midnight UTC 2000-01-01, as
// in a testing/synctest bubble.
func Epoch() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// Started is the first event of every incarnation of a node.
type Started struct {
	// Incarnation counts the node's starts, from 1.
	Incarnation int
}

func (s Started) String() string { return fmt.Sprintf("started %d", s.Incarnation) }

// Message is what another node sent over a link.
type Message struct {
	// From is the sender's name.
	From string
	// Body is what was sent. It is handed over as it is: treat it as immutable.
	Body Event
}

func (m Message) String() string { return m.From + ": " + m.Body.String() }

// TimerFired tells that the timer of this name is due. It is no longer armed.
type TimerFired struct {
	// Name is the one that StartTimer was given.
	Name string
}

func (t TimerFired) String() string { return "timer " + t.Name }

// PeerDown tells an end of a link with Notify that nothing comes from the other
// end any more: the link was cut or the peer crashed.
type PeerDown struct {
	// Peer is the name of the other end.
	Peer string
}

func (p PeerDown) String() string { return "down " + p.Peer }

// PeerUp tells an end of a link with Notify that the link healed or the peer
// started again.
type PeerUp struct {
	// Peer is the name of the other end.
	Peer string
}

func (p PeerUp) String() string { return "up " + p.Peer }
