package supervisor

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Spawn spawns a supervisor as a child of the spawner: an actor, or the
// system's Root. An empty name gets a generated one. It does not wait for the
// children (see WaitStarted). Errors: *SpecError, actor.ErrNameExists.
//
// Stop it in any way that protoactor has, or with the Stop of this package:
// its children are stopped in reverse order, then it ends. If it gives up, its
// spawner is told by Terminated; Monitor tells the reason.
func Spawn(spawner actor.SpawnerContext, name string, spec Spec) (*actor.PID, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	return spawnTree(spawner, name, spec, nil)
}

// SpawnInit is Spawn for a supervisor whose spec is made by init, as Nested.
func SpawnInit(spawner actor.SpawnerContext, name string, init func(ctx actor.Context) (Spec, error)) (*actor.PID, error) {
	if init == nil {
		return nil, &SpecError{Mistakes: errors.New("init is nil")}
	}
	return spawnTree(spawner, name, Spec{}, init)
}

func spawnTree(spawner actor.SpawnerContext, name string, spec Spec, init func(actor.Context) (Spec, error)) (*actor.PID, error) {
	ext := extensionOf(spawner.ActorSystem())
	if name == "" {
		name = "supervisor" + ext.system.ProcessRegistry.NextId()
	}
	g := newGuard(ext, name, func(context.Context) (actor.Actor, error) {
		return newSupervisor(ext, spec, init), nil
	})
	pid, err := spawner.SpawnNamed(guardedProps(g, nil), name)
	if err != nil {
		g.life.cancel()
		return nil, err
	}
	return pid, nil
}

// Child is a child spec of a supervisor with a given spec. It counts as started
// when its children are. A wrong spec is a failed start.
func Child(id string, restart Restart, spec Spec) ChildSpec {
	return ChildSpec{
		ID: id, Restart: restart, Type: Supervisor,
		Start: func(life context.Context, _ any) (actor.Actor, error) {
			if err := spec.Validate(); err != nil {
				return nil, err
			}
			return &pendingSupervisor{spec: spec}, nil
		},
	}
}

// Nested is a child spec of a supervisor whose spec is made by init at every
// start, as brod's post_init. init may block: it runs on a goroutine of its
// own, and Life(ctx) is cancelled when the supervisor is told to stop. An error
// is a failed start. Of ctx it may use what tells (Self, Parent, ActorSystem,
// Logger) and what sends; the rest panics, which is a failed start, too.
func Nested(id string, restart Restart, init func(ctx actor.Context) (Spec, error)) ChildSpec {
	return ChildSpec{
		ID: id, Restart: restart, Type: Supervisor,
		Start: func(context.Context, any) (actor.Actor, error) {
			if init == nil {
				return nil, &SpecError{Mistakes: errors.New("init is nil")}
			}
			return &pendingSupervisor{init: init}, nil
		},
	}
}

// pendingSupervisor is a supervisor that does not know its system yet; the
// guard makes it one.
type pendingSupervisor struct {
	spec Spec
	init func(actor.Context) (Spec, error)
}

// Receive is never called.
func (p *pendingSupervisor) Receive(actor.Context) {}

// Life is cancelled when this incarnation of ctx's actor is told to stop, or
// fails. For an actor outside of any tree of this package it never is.
func Life(ctx actor.Context) context.Context {
	if in, ok := ctx.(*initContext); ok {
		return in.life
	}
	if g := guardOf(ctx); g != nil {
		return &g.life
	}
	return context.Background()
}

// Exit ends ctx's actor with a reason, without a panic: nil is a normal exit,
// ErrShutdown a shutdown, ErrRestart asks for a restart, anything else is a
// failure. The actor gets Stopping and Stopped and nothing else; what waits in
// its mailbox becomes dead letters. Return after it. Of an actor outside of any
// tree of this package the reason is lost.
func Exit(ctx actor.Context, reason error) {
	if g := guardOf(ctx); g != nil {
		g.leave(reason)
		return
	}
	ctx.Stop(ctx.Self())
}

func guardOf(ctx actor.Context) *guard {
	if g, ok := ctx.Actor().(*guard); ok {
		return g
	}
	return extensionOf(ctx.ActorSystem()).guardOf(ctx.Self())
}

// Stop stops an actor, a supervisor in order, and waits until it is gone, at
// most for timeout. For goroutines; not in an actor's turn.
func Stop(system *actor.ActorSystem, pid *actor.PID, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return StopContext(ctx, system, pid)
}

// StopContext is Stop bounded by ctx. The stop goes on when the wait ends. To
// stop what is gone already is no error.
func StopContext(ctx context.Context, system *actor.ActorSystem, pid *actor.PID) error {
	ext := extensionOf(system)
	target := Living(system, pid)
	if target == nil {
		return nil
	}
	c := newCaller(ext)
	defer c.close()
	if !ext.sendSystem(target, &actor.Watch{Watcher: c.self}) {
		return nil
	}
	system.Root.Stop(target)
	select {
	case <-c.answer:
		return nil
	case <-ctx.Done():
		ext.sendSystem(target, &actor.Unwatch{Watcher: c.self})
		return context.Cause(ctx)
	}
}

func panicError(value any) error { return &PanicError{Value: value, Stack: debug.Stack()} }
