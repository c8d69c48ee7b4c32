package handling

import (
	"time"

	"github.com/moldau-go/moldau/behaviors"
)

// Action is something to be done: one of the types below.
type Action interface{ action() }

// Subscribe has the consumer begin where the worker begins.
type Subscribe struct{}

// Go has the consumer begin anew, and the partition's floor be there.
type Go struct{ To behaviors.Position }

// Handle calls the worker with what a set has from an offset on; the answer is
// Handled.
type Handle struct {
	Set  Set
	From int64
}

// Floor says that everything before Next is done with; Records more are in sets
// that are acked whole.
type Floor struct {
	Next    int64
	Records int
}

// Ack tells the consumer that the worker is done with everything up to an offset.
type Ack struct{ Last int64 }

// Decide asks what to do about a failure that was told from outside of a call; the
// answer is Decided.
type Decide struct{ Err error }

// Bury writes a record of the sets to another topic, or with Record -1 all that
// they have from From on; the answer is Buried.
type Bury struct {
	Topic  string
	Sets   []Set
	From   int64
	Record int64
	Err    error
}

// Skipped tells that records were given up.
type Skipped struct {
	First, Last int64
	Err         error
}

// Paused tells that a decision has paused the partition.
type Paused struct{ Err error }

// Stop ends the worker, and the consumer's work for it.
type Stop struct{ Err error }

// Renew ends the worker and has a fresh one made, after a failure, or at another
// position; the answer is Ready.
type Renew struct{ To *behaviors.Position }

// Choose asks the worker for a position; the answer is Chosen.
type Choose struct{ Err error }

// Exit ends this incarnation of the actor.
type Exit struct{ Err error }

// PauseFetching has the consumer pause.
type PauseFetching struct{}

// ResumeFetching ends that.
type ResumeFetching struct{}

// Wake asks for a Tick; only the earliest one counts.
type Wake struct{ At time.Time }

func (Subscribe) action()      {}
func (Go) action()             {}
func (Handle) action()         {}
func (Floor) action()          {}
func (Ack) action()            {}
func (Decide) action()         {}
func (Bury) action()           {}
func (Skipped) action()        {}
func (Paused) action()         {}
func (Stop) action()           {}
func (Renew) action()          {}
func (Choose) action()         {}
func (Exit) action()           {}
func (PauseFetching) action()  {}
func (ResumeFetching) action() {}
func (Wake) action()           {}
