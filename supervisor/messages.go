package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor/internal/core"
)

// The requests of OTP's supervisor. Send them with Call from a goroutine or
// with ctx.Request from an actor. Changes are made in the order they come, one
// at a time where children depend on each other; what a shutdown overtakes is
// refused with ErrShutdown. Find, which and count are answered at once.
type (
	// StartChild adds a child and starts it. Answered with *ChildStarted once it is
	// up. Under SimpleOneForOne, Spec takes nothing but an ID, or none.
	// Refused: *SpecError, ErrAlreadyStarted, ErrAlreadyPresent, the start's error.
	StartChild struct {
		Spec ChildSpec
		Arg  any // for ChildSpec.Start, at every start of this child
	}
	// TerminateChild stops a child and keeps its spec, unless it is temporary or
	// dynamic; it calls off a restart that is due. Answered with *ChildTerminated
	// once it is gone. Instead of an ID it takes the PID of an incarnation.
	TerminateChild struct {
		ID  string
		PID *actor.PID
	}
	// RestartChild starts a terminated child. Answered with *ChildStarted.
	// Refused: ErrNotFound, ErrRunning, ErrRestarting, the start's error.
	RestartChild struct{ ID string }
	// DeleteChild forgets the spec of a terminated child. Answered with
	// *ChildDeleted. Refused: ErrNotFound, ErrRunning, ErrRestarting.
	DeleteChild struct{ ID string }
	// FindChild is answered with *ChildFound. Refused: ErrNotFound.
	FindChild struct{ ID string }
	// WhichChildren is answered with *Children.
	WhichChildren struct{}
	// CountChildren is answered with *ChildCounts.
	CountChildren struct{}
	// AwaitStarted is answered with *AllStarted when the first start is over.
	AwaitStarted struct{}
)

// The replies.
type (
	// ChildStarted answers StartChild and RestartChild. PID is nil if the start was
	// ignored. If the child has a Name, that is its lasting address.
	ChildStarted struct {
		ID  string
		PID *actor.PID
	}
	// ChildTerminated answers TerminateChild.
	ChildTerminated struct{ ID string }
	// ChildDeleted answers DeleteChild.
	ChildDeleted struct{ ID string }
	// ChildFound answers FindChild.
	ChildFound struct{ Child ChildInfo }
	// Children answers WhichChildren, in start order.
	Children struct{ List []ChildInfo }
	// ChildCounts answers CountChildren, as OTP counts: specs, those with a living
	// incarnation, supervisors and workers among the specs or instances.
	ChildCounts struct{ Specs, Active, Supervisors, Workers int }
	// AllStarted answers AwaitStarted.
	AllStarted struct{}
	// Refused answers a request that failed. PID is set with ErrAlreadyStarted.
	Refused struct {
		ID  string
		PID *actor.PID
		Err error
	}
)

// ChildInfo is what a supervisor knows of a child.
type ChildInfo struct {
	ID          string
	PID         *actor.PID // of the living incarnation; nil if there is none
	Type        ChildType
	State       State
	Restart     Restart
	Restarts    int   // automatic restarts that came up
	LastFailure error // nil if it never failed
}

// What goes from goroutines, timers and children to a supervisor, past its
// user messages.
type (
	childStarted   struct{ inc uint64 }
	timerFired     struct{ id core.TimerID }
	stopRequest    struct{}
	killRequest    struct{}
	restartRequest struct{}
	specReady      struct {
		spec Spec
		err  error
	}
)

func (*childStarted) control()   {}
func (*timerFired) control()     {}
func (*stopRequest) control()    {}
func (*killRequest) control()    {}
func (*restartRequest) control() {}
func (*specReady) control()      {}

// Error is the refusal's reason; a Refused is an error.
func (r *Refused) Error() string { return "supervisor: child " + r.ID + ": " + r.Err.Error() }

// Unwrap gives the reason.
func (r *Refused) Unwrap() error { return r.Err }

// restartOf is the public form of a child's restart type.
func restartOf(kind core.Kind, delay time.Duration) Restart { return Restart{kind: kind, delay: delay} }
