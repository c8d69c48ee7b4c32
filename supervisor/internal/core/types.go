package core

import "time"

// Strategy says who else is restarted when a child is.
type Strategy uint8

// The strategies of OTP.
const (
	OneForOne       Strategy = iota // the child alone
	OneForAll                       // every child
	RestForOne                      // the child and those started after it
	SimpleOneForOne                 // the child alone; all children are made from one template
)

// Kind says which exits lead to a restart.
type Kind uint8

// The restart types of OTP, and intrinsic, whose normal exit ends the supervisor.
const (
	Permanent Kind = iota
	Transient
	Temporary
	Intrinsic
)

// State is where a child stands.
type State uint8

// The states of a child.
const (
	Stopped    State = iota // no incarnation; the spec is kept
	Starting                // spawned, Started not yet acknowledged
	Running                 // started
	Stopping                // told to stop, not yet gone
	Ended                   // gone; the exit waits for its turn
	Restarting              // a start failed; the next attempt is due at once
	Delayed                 // parked until its delay has passed
)

// Limits for Shutdown and Startup.
const (
	NoLimit    time.Duration = -1
	BrutalKill time.Duration = 0 // Shutdown only: told to stop, not waited for
)

// Inc numbers incarnations. Zero is none; numbers are never used twice.
type Inc uint64

// TimerID numbers timers. Zero is none; numbers are never used twice.
type TimerID uint64

// Child is the machine's view of a child spec.
type Child struct {
	ID         string
	Delay      time.Duration // 0: not a delayed spec
	Shutdown   time.Duration // BrutalKill, NoLimit or a limit
	Startup    time.Duration // NoLimit or a limit
	Payload    any           // handed back with Start, never looked at
	Kind       Kind
	Supervisor bool
	NoWait     bool // counts as started once it is spawned
}

// Config is what a machine is made from.
type Config struct {
	Strategy    Strategy
	MaxRestarts int // restarts allowed within Within; 0: none
	Within      time.Duration
	Children    []Child // SimpleOneForOne: exactly one, the template
}

// Info is what find and which tell of a child.
type Info struct {
	ID          string
	Inc         Inc
	State       State
	Kind        Kind
	Delay       time.Duration
	Supervisor  bool
	Restarts    int   // automatic restarts that came up
	LastFailure error // why it last failed; nil if it never did
}

// Counts is what count tells.
type Counts struct{ Specs, Active, Supervisors, Workers int }
