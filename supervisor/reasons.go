package supervisor

import (
	"errors"
	"fmt"

	"github.com/moldau-go/moldau/supervisor/internal/core"
)

// Exit reasons. A nil reason is a normal exit. Tell them apart with errors.Is.
var (
	// ErrShutdown: told to stop, or a supervisor that gave up. Not a failure: a
	// transient child that ends so is not restarted.
	ErrShutdown = core.ErrShutdown
	// ErrRestart as a reason for Exit asks for a restart, of transient and intrinsic
	// children too.
	ErrRestart = core.ErrRestart
	// ErrKilled: left behind because it did not stop within its limit.
	ErrKilled = core.ErrKilled
	// ErrMaxRestarts: the supervisor gave up; see IntensityError.
	ErrMaxRestarts = core.ErrMaxRestarts
	// ErrStartTimeout: Start and Started took longer than ChildSpec.Startup.
	ErrStartTimeout = core.ErrStartTimeout
	// ErrGoexit: the actor called runtime.Goexit (t.FailNow does) in its turn.
	ErrGoexit = errors.New("runtime.Goexit was called in an actor's turn")
	// ErrNoProcess: there is no living actor of that PID. Also the reason of a
	// Down whose target was dead already.
	ErrNoProcess = errors.New("no such actor: it has ended, or is between two incarnations")
)

// ErrIgnore from ChildSpec.Start: there is nothing to run. The start succeeds
// without an incarnation; the spec is kept unless it is temporary or dynamic.
var ErrIgnore = core.ErrIgnore

// Refusals of requests. Tell them apart with errors.Is.
var (
	ErrNotFound        = core.ErrNotFound
	ErrAlreadyStarted  = core.ErrAlreadyStarted
	ErrAlreadyPresent  = core.ErrAlreadyPresent
	ErrRunning         = core.ErrRunning
	ErrRestarting      = core.ErrRestarting
	ErrSimpleOneForOne = core.ErrSimpleOneForOne
	ErrTerminated      = core.ErrTerminated
	// ErrNameTaken: another actor has the child's Name.
	ErrNameTaken = errors.New("the name is taken")
	// ErrNoReply: the actor ended without an answer.
	ErrNoReply = errors.New("the actor ended before it answered")
)

// StartError is the exit reason of a supervisor whose first start failed; it
// names the child and wraps its error and ErrShutdown.
type StartError = core.StartError

// IntensityError is the exit reason of a supervisor that gave up; it names the
// child and holds its last failure, and wraps ErrShutdown and ErrMaxRestarts.
type IntensityError = core.IntensityError

// SpecError holds every mistake that was found in a spec.
type SpecError struct{ Mistakes error }

func (e *SpecError) Error() string { return "supervisor: wrong spec: " + e.Mistakes.Error() }

// Unwrap gives the mistakes.
func (e *SpecError) Unwrap() error { return e.Mistakes }

// PanicError is the exit reason of an actor that panicked.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine, where it panicked
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap gives the value that was panicked with, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
