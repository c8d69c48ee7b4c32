package core

import (
	"errors"
	"fmt"
)

// Reasons and refusals. The supervisor package gives them to users under its own name.
var (
	ErrShutdown     = errors.New("shutdown")
	ErrRestart      = errors.New("restart asked for")
	ErrKilled       = errors.New("left behind: it did not stop within its limit (give it a longer Shutdown, or make it end when its life context does)")
	ErrIgnore       = errors.New("start ignored")
	ErrMaxRestarts  = errors.New("reached the maximum restart intensity")
	ErrStartTimeout = errors.New("start took longer than its Startup limit (give it more, or make Start return when its context ends)")

	ErrNotFound        = errors.New("no such child")
	ErrAlreadyStarted  = errors.New("a child of that id is running")
	ErrAlreadyPresent  = errors.New("a child of that id is present but not running (restart or delete it)")
	ErrRunning         = errors.New("the child is running (terminate it first)")
	ErrRestarting      = errors.New("the child is waiting for a restart (terminate it first)")
	ErrSimpleOneForOne = errors.New("not available under simple_one_for_one")
	ErrTerminated      = errors.New("the child was terminated while it was starting")
)

// StartError says which child of the first start failed, and why. It is a
// shutdown, as in OTP.
type StartError struct {
	ID    string
	Cause error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("failed to start child %q: %v", e.ID, e.Cause)
}

// Unwrap gives the cause and ErrShutdown.
func (e *StartError) Unwrap() []error { return []error{e.Cause, ErrShutdown} }

// IntensityError says which child's failure was one too many. It is a
// shutdown, as in OTP.
type IntensityError struct {
	ID    string
	Cause error // the last failure
}

func (e *IntensityError) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("shutdown: %v: child %q ended normally", ErrMaxRestarts, e.ID)
	}
	return fmt.Sprintf("shutdown: %v: child %q: %v", ErrMaxRestarts, e.ID, e.Cause)
}

// Unwrap gives ErrShutdown and ErrMaxRestarts, but not the child's failure:
// that was the child's reason, not the supervisor's.
func (e *IntensityError) Unwrap() []error { return []error{ErrShutdown, ErrMaxRestarts} }

// abnormal tells whether a transient child that ended so is restarted.
func abnormal(reason error) bool {
	if reason == nil {
		return false
	}
	return errors.Is(reason, ErrRestart) || !errors.Is(reason, ErrShutdown)
}
