package consuming

import "time"

// Action is something to be done: one of the types below.
type Action interface{ action() }

// FindLeader asks for the leader; the answer is Leader or NoLeader.
type FindLeader struct{ Stale bool }

// Resolve asks a broker for the offset of a position; the answer is Resolved.
type Resolve struct {
	Node      int32
	Timestamp int64
}

// Want registers with a broker for records from an offset on; the answer is
// Fetched, with the same number. Epoch is that of the last batch that was read,
// -1 if it is not known: the broker compares it with its own log.
type Want struct {
	Node   int32
	Number uint64
	Offset int64
	Epoch  int32
}

// Unwant takes the last Want back.
type Unwant struct{ Node int32 }

// Hand gives a set to the subscriber.
type Hand struct{ ID uint64 }

// Drop forgets a set that was not handed out.
type Drop struct{ ID uint64 }

// Failed tells of an error; it is tried again.
type Failed struct{ Err error }

// Moved tells of a position that left the partition's range, or stood behind what
// was cut off.
type Moved struct {
	From, To int64
	Err      error
}

// Refused tells the subscriber of a position that it has to choose anew. All that
// was fetched before is handed out and acked; nothing is done until Subscribe.
type Refused struct{ Err error }

// Wake asks for a Tick; only the earliest one counts.
type Wake struct{ At time.Time }

func (FindLeader) action() {}
func (Resolve) action()    {}
func (Want) action()       {}
func (Unwant) action()     {}
func (Hand) action()       {}
func (Drop) action()       {}
func (Failed) action()     {}
func (Moved) action()      {}
func (Refused) action()    {}
func (Wake) action()       {}
