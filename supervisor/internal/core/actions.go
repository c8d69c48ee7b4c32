package core

import "time"

// Action is something to do. Actions are carried out in the order given.
type Action interface{ action() }

// Start: spawn the child as incarnation Inc.
type Start struct {
	ID      string
	Inc     Inc
	Payload any
}

// StopChild: tell the incarnation to stop; its Exited is awaited.
type StopChild struct {
	ID  string
	Inc Inc
}

// Abandon: the incarnation overstayed its limit. Leave it behind; it no
// longer belongs to the supervisor and its Exited is no longer awaited.
type Abandon struct {
	ID  string
	Inc Inc
}

// Arm: send Fired with Timer after that long. Zero means soon, after what is
// already waiting.
type Arm struct {
	Timer TimerID
	After time.Duration
}

// Cancel: the timer is no longer wanted.
type Cancel struct{ Timer TimerID }

// Reply answers the request of that number. Err nil is success.
type Reply struct {
	Number   uint64
	Op       Op
	Err      error
	ID       string
	Inc      Inc    // of OpStart and OpRestart; 0 when the start was ignored
	Children []Info // of OpWhich and OpFind
	Counts   Counts // of OpCount
}

// Forget: the child's spec is gone.
type Forget struct{ ID string }

// Ready: the first start is over; every child is up.
type Ready struct{}

// Exit: every child is gone; end with this reason. The last action.
type Exit struct{ Reason error }

// Note says what a Report tells.
type Note uint8

// What reports tell.
const (
	NoteStarted     Note = iota
	NoteStartFailed      // Reason says why
	NoteExited           // by itself, normally or to be shut down
	NoteFailed           // by itself, abnormally; Reason says why
	NoteStopped          // because it was told to
	NoteAbandoned        // it did not end within its limit
	NoteRestarting       // it is about to be started again; Delay: it was parked that long
	NoteDelayed          // parked; Delay says how long
	NoteGaveUp           // the supervisor reached its intensity by this child
)

// Report tells observers what happened to a child.
type Report struct {
	Note   Note
	ID     string
	Inc    Inc
	Reason error
	Delay  time.Duration
}

func (Start) action()     {}
func (StopChild) action() {}
func (Abandon) action()   {}
func (Arm) action()       {}
func (Cancel) action()    {}
func (Reply) action()     {}
func (Forget) action()    {}
func (Ready) action()     {}
func (Exit) action()      {}
func (Report) action()    {}
