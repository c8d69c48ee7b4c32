package producing

import "time"

// Action is something to be done: one of the types below.
type Action interface{ action() }

// Take asks for the slot's next batch; the answer is Taken.
type Take struct{}

// Send sends a batch to a broker; the answer is Answer or BrokerDown. A batch
// without a number gets the next one. Alone asks for a request of its own: what
// travels with it would wait as long as it does.
type Send struct {
	ID    uint64
	Node  int32
	Alone bool
}

// Settle ends a batch.
type Settle struct {
	ID   uint64
	Base int64
	Err  error
}

// Part is always the last action. It cuts a batch: in halves, or, if records are named, in those, which fail,
// and the rest. The answer is Parted. Unsure is the batch's, and that of its parts.
type Part struct {
	ID       uint64
	Unsure   bool
	Rejected []Rejection
}

// Rejection is one record's failure; Index is its place in the batch.
type Rejection struct {
	Index int32
	Err   error
}

// Bump begins a new epoch, with sequence 0, for the batches named, which were
// surely not written, and for all that come.
type Bump struct{ IDs []uint64 }

// FindLeader asks for the leader; the answer is Leader or NoLeader. Stale says
// that the one that is known does not work.
type FindLeader struct{ Stale bool }

// Retried tells of a batch that will be sent again.
type Retried struct {
	ID      uint64
	Attempt int
	Err     error
}

// Wake asks for a Tick; only the earliest one counts.
type Wake struct{ At time.Time }

func (Take) action()       {}
func (Send) action()       {}
func (Settle) action()     {}
func (Part) action()       {}
func (Bump) action()       {}
func (FindLeader) action() {}
func (Retried) action()    {}
func (Wake) action()       {}
