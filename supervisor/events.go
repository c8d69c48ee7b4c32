package supervisor

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor/internal/core"
)

// State is where a child stands, or what an Event tells of it.
type State int

// The first seven are states of a child, the rest are told by events only.
const (
	Stopped      State = iota // no incarnation; the spec is kept
	Starting                  // not yet up
	Running                   // up
	Stopping                  // told to stop
	Exited                    // gone by itself, not abnormally
	Restarting                // about to be started again
	Delayed                   // parked; Event.Delay says for how long
	Failed                    // gone by itself, abnormally
	StartFailed               // did not come up
	Abandoned                 // left behind: it overstayed its limit
	GaveUp                    // the supervisor reached its intensity by this child
	PanicIgnored              // it panicked while it was ending
)

// String is the state in lower case words.
func (s State) String() string {
	names := [...]string{
		"stopped", "starting", "running", "stopping", "exited", "restarting", "delayed",
		"failed", "start failed", "abandoned", "gave up", "panic ignored",
	}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("state(%d)", int(s))
	}
	return names[s]
}

// Event is published on the actor system's EventStream when a child's state
// changes. Subscribers run in the supervisor's turn: be quick, do not block.
type Event struct {
	Supervisor *actor.PID
	Child      *actor.PID // the incarnation; nil if there is none
	ID         string
	State      State
	Reason     error         // why; nil for a normal exit
	Delay      time.Duration // with Delayed; with Restarting, if it was delayed
	Stack      []byte        // where it panicked, if it did
	At         time.Time
}

// publish fills the event up and publishes it. A subscriber's panic stays his.
func (e *extension) publish(ev *Event) {
	var crash *PanicError
	if errors.As(ev.Reason, &crash) {
		ev.Stack = crash.Stack
	}
	ev.At = time.Now()
	defer func() { _ = recover() }()
	e.system.EventStream.Publish(ev)
}

func stateOfNote(n core.Note) State {
	return [...]State{
		core.NoteStarted: Running, core.NoteStartFailed: StartFailed, core.NoteExited: Exited,
		core.NoteFailed: Failed, core.NoteStopped: Stopped, core.NoteAbandoned: Abandoned,
		core.NoteRestarting: Restarting, core.NoteDelayed: Delayed, core.NoteGaveUp: GaveUp,
	}[n]
}

func stateOf(s core.State) State {
	return [...]State{
		core.Stopped: Stopped, core.Starting: Starting, core.Running: Running,
		core.Stopping: Stopping, core.Ended: Exited, core.Restarting: Restarting,
		core.Delayed: Delayed,
	}[s]
}
