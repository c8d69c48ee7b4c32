package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor/internal/core"
)

// Strategy says who is restarted together with a child. The zero value is
// OneForOne.
type Strategy int

// The strategies of OTP.
const (
	OneForOne       Strategy = iota // the child alone
	OneForAll                       // every child
	RestForOne                      // the child and those started after it
	SimpleOneForOne                 // the child alone; Children is one template, StartChild makes instances
)

// String is OTP's name of the strategy.
func (s Strategy) String() string {
	switch s {
	case OneForOne:
		return "one_for_one"
	case OneForAll:
		return "one_for_all"
	case RestForOne:
		return "rest_for_one"
	case SimpleOneForOne:
		return "simple_one_for_one"
	}
	return fmt.Sprintf("strategy(%d)", int(s))
}

// Restart says which exits of a child lead to a restart, and how one that
// exceeds the intensity is treated. The zero value is Permanent. Values are
// comparable.
type Restart struct {
	kind  core.Kind
	delay time.Duration
}

// The restart types of OTP. Intrinsic is brod's: as Transient, but its normal
// exit ends the supervisor.
var (
	Permanent = Restart{kind: core.Permanent} // restarted after every exit
	Transient = Restart{kind: core.Transient} // restarted after an abnormal exit, or one with ErrRestart
	Temporary = Restart{kind: core.Temporary} // never restarted
	Intrinsic = Restart{kind: core.Intrinsic}
)

// After makes a delayed restart of r, as brod_supervisor3: the child's
// restarts are counted for it alone, and where they exceed the supervisor's
// intensity the supervisor does not give up; the child is parked, with its
// group under RestForOne and OneForAll, and started again d after its failure,
// for ever. That attempt is clean: it is not counted and what was counted
// before is forgotten. No delay (d <= 0) makes it an ordinary restart.
func (r Restart) After(d time.Duration) Restart {
	r.delay = max(d, 0)
	return r
}

// Delay is the delay given to After; 0 if there is none.
func (r Restart) Delay() time.Duration { return r.delay }

// String is the type, with its delay if it has one.
func (r Restart) String() string {
	name := "permanent"
	switch r.kind {
	case core.Transient:
		name = "transient"
	case core.Temporary:
		name = "temporary"
	case core.Intrinsic:
		name = "intrinsic"
	}
	if r.delay > 0 {
		return fmt.Sprintf("{%s,%v}", name, r.delay)
	}
	return name
}

// ChildType tells workers from supervisors; it decides the default limits.
type ChildType int

// The types of children.
const (
	Worker ChildType = iota
	Supervisor
)

// String is OTP's name of the type.
func (t ChildType) String() string {
	if t == Supervisor {
		return "supervisor"
	}
	return "worker"
}

// Special limits for ChildSpec.Shutdown; Infinity also for ChildSpec.Startup.
const (
	Infinity   time.Duration = -1 // wait without end
	BrutalKill time.Duration = -2 // tell it to stop, do not wait
)

// NoImmediate as Spec.MaxRestarts allows no immediate restart: with delayed
// specs every restart is delayed, as brod does it.
const NoImmediate = -1

// Default limits, used where a spec has zero.
const (
	DefaultMaxRestarts = 3
	DefaultWithin      = 10 * time.Second
	DefaultShutdown    = 5 * time.Second  // workers; supervisors: Infinity
	DefaultStartup     = 30 * time.Second // workers; supervisors: Infinity
)

// ChildSpec describes a child. ID and Start are needed, the rest has defaults.
type ChildSpec struct {
	// ID is unique within the supervisor.
	ID string
	// Name gives the child a stable address: a PID with this very Id that
	// forwards to the living incarnation. Unique within the actor system.
	Name string
	// Restart: the zero value is Permanent.
	Restart Restart
	// Shutdown limits the child's stop: 0 is 5 s for a worker and Infinity for
	// a supervisor; Infinity; BrutalKill; or a limit.
	Shutdown time.Duration
	// Startup limits Start together with the child's Started message: 0 is
	// 30 s for a worker and Infinity for a supervisor; Infinity; or a limit.
	Startup time.Duration
	// Type: the zero value is Worker.
	Type ChildType
	// NoWait: the child counts as started once it is spawned. Otherwise, as in
	// OTP, it does when it has handled its Started message, and the next child
	// is started only then.
	NoWait bool
	// Start makes the child's actor, once for each incarnation. It runs in the
	// child's own turn and may block. life is cancelled before the child is told
	// to stop and when it fails. An error is a failed start; ErrIgnore means that
	// there is nothing to run. arg is that of StartChild, else nil.
	Start func(life context.Context, arg any) (actor.Actor, error)
	// Props are applied to the child's props. Its mailbox and producer are the
	// supervisor's; options that set these, or a guardian, are overridden.
	Props []actor.PropsOption
}

// Spec describes a supervisor.
type Spec struct {
	Strategy Strategy
	// MaxRestarts in Within are allowed, the next makes the supervisor give up
	// (or, for a delayed spec, parks the child). 0 is 3, NoImmediate is none.
	MaxRestarts int
	// Within: 0 is 10 s.
	Within time.Duration
	// Children are started in this order and stopped in the reverse one.
	Children []ChildSpec
}

// Validate tells every mistake in the spec at once; nil if there is none.
func (s Spec) Validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Strategy < OneForOne || s.Strategy > SimpleOneForOne {
		complain("unknown strategy %d", int(s.Strategy))
	}
	if s.MaxRestarts < NoImmediate {
		complain("MaxRestarts is %d: give 0 for %d, NoImmediate for none, or a number", s.MaxRestarts, DefaultMaxRestarts)
	}
	if s.Within < 0 {
		complain("Within is %v: it must not be negative", s.Within)
	}
	if s.Strategy == SimpleOneForOne && len(s.Children) != 1 {
		complain("simple_one_for_one takes one template, not %d children", len(s.Children))
	}
	if s.Strategy == SimpleOneForOne && len(s.Children) == 1 && s.Children[0].Name != "" {
		complain("a simple_one_for_one template takes no Name: its instances would share it")
	}
	ids, names := map[string]bool{}, map[string]bool{}
	for _, c := range s.Children {
		if err := c.Validate(); err != nil {
			errs = append(errs, err)
		}
		if ids[c.ID] {
			complain("child id %q is used twice", c.ID)
		}
		if c.Name != "" && names[c.Name] {
			complain("child name %q is used twice", c.Name)
		}
		ids[c.ID], names[c.Name] = true, true
	}
	if len(errs) == 0 {
		return nil
	}
	return &SpecError{Mistakes: errors.Join(errs...)}
}

// Validate tells every mistake in the child spec at once; nil if there is none.
func (c ChildSpec) Validate() error {
	var errs []error
	complain := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("child %q: "+format, append([]any{c.ID}, args...)...))
	}
	if c.ID == "" {
		complain("it needs an ID")
	}
	if c.Start == nil {
		complain("it needs a Start function")
	}
	if c.Restart.kind == core.Temporary && c.Restart.delay > 0 {
		complain("a temporary child is never restarted, so it takes no delay")
	}
	if c.Shutdown < BrutalKill {
		complain("Shutdown is %v: give a limit, Infinity or BrutalKill", c.Shutdown)
	}
	if c.Startup < Infinity {
		complain("Startup is %v: give a limit or Infinity", c.Startup)
	}
	if c.Type != Worker && c.Type != Supervisor {
		complain("unknown type %d", int(c.Type))
	}
	return errors.Join(errs...)
}

// config is the machine's view of the spec.
func (s Spec) config() core.Config {
	cfg := core.Config{Strategy: core.Strategy(s.Strategy), MaxRestarts: s.MaxRestarts, Within: s.Within}
	switch s.MaxRestarts {
	case 0:
		cfg.MaxRestarts = DefaultMaxRestarts
	case NoImmediate:
		cfg.MaxRestarts = 0
	}
	if s.Within == 0 {
		cfg.Within = DefaultWithin
	}
	cfg.Children = make([]core.Child, len(s.Children))
	for i := range s.Children {
		cfg.Children[i] = s.Children[i].child(nil)
	}
	return cfg
}

// order is what a start needs: the machine carries it and hands it back.
type order struct {
	spec *ChildSpec // not changed any more
	arg  any
}

func (c *ChildSpec) child(arg any) core.Child {
	child := core.Child{
		ID: c.ID, Kind: c.Restart.kind, Delay: c.Restart.delay,
		Shutdown: c.Shutdown, Startup: c.Startup,
		Supervisor: c.Type == Supervisor, NoWait: c.NoWait,
		Payload: &order{spec: c, arg: arg},
	}
	switch {
	case c.Shutdown == BrutalKill:
		child.Shutdown = core.BrutalKill
	case c.Shutdown == Infinity || (c.Shutdown == 0 && c.Type == Supervisor):
		child.Shutdown = core.NoLimit
	case c.Shutdown == 0:
		child.Shutdown = DefaultShutdown
	}
	switch {
	case c.Startup == Infinity || (c.Startup == 0 && c.Type == Supervisor):
		child.Startup = core.NoLimit
	case c.Startup == 0:
		child.Startup = DefaultStartup
	}
	return child
}
