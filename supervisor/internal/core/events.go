package core

// Event is something that happened.
type Event interface{ event() }

// Init starts the children of the configuration, in order. The first event.
type Init struct{}

// Started: the incarnation has handled its Started message.
type Started struct{ Inc Inc }

// Exited: the incarnation is gone. A nil reason is a normal exit. While it
// was starting, this is a failed start.
type Exited struct {
	Inc    Inc
	Reason error
}

// Fired: the time of an armed timer has come.
type Fired struct{ Timer TimerID }

// Stop asks for the ordered stop; Reason is what Exit will carry.
type Stop struct{ Reason error }

// Kill ends everything at once: each child is told to stop and left behind.
type Kill struct{}

// Op is what a request asks for.
type Op uint8

// The requests of OTP's supervisor, and OpAwait, answered when the first
// start is over.
const (
	OpStart Op = iota
	OpTerminate
	OpRestart
	OpDelete
	OpFind
	OpWhich
	OpCount
	OpAwait
)

// Request asks for Op; it is answered by exactly one Reply with its Number.
type Request struct {
	Number uint64
	Op     Op
	ID     string // the child; OpStart takes Child.ID
	Inc    Inc    // instead of ID: the child that lives as this incarnation
	Child  Child  // OpStart
}

func (Init) event()    {}
func (Started) event() {}
func (Exited) event()  {}
func (Fired) event()   {}
func (Stop) event()    {}
func (Kill) event()    {}
func (Request) event() {}
