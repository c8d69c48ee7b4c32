package supervisor

import (
	"fmt"
	"runtime"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor/internal/core"
)

// slot is a living incarnation of a child.
type slot struct {
	pid   *actor.PID
	guard *guard
}

// startBurst is how many children are spawned before those that run already get
// the processor: a thousand at once would have a goroutine each, with the stack
// that a start takes, where a few can run one start after another.
const startBurst = 8

// startChild spawns the incarnation. An error counts as the incarnation's exit.
func (s *supervisor) startChild(ctx actor.Context, a core.Start) {
	o := a.Payload.(*order)
	if err := s.claimName(a.ID, o.spec.Name); err != nil {
		s.step(ctx, core.Exited{Inc: a.Inc, Reason: err})
		return
	}
	g := newChildGuard(s.ext, a.ID, o)
	g.inc, g.boss, g.name = uint64(a.Inc), s.guard, s.names.At(a.ID)
	pid, err := s.spawn(ctx, g)
	if err != nil {
		g.never()
		s.step(ctx, core.Exited{Inc: a.Inc, Reason: err})
		return
	}
	s.slots.Set(a.Inc, &slot{pid: pid, guard: g})
	s.byPID.Set(pid.Id, a.Inc)
	if a.Inc%startBurst == 0 {
		runtime.Gosched()
	}
}

// spawn survives a panic in the user's spawn options.
func (s *supervisor) spawn(ctx actor.Context, g *guard) (pid *actor.PID, err error) {
	name := g.id + s.ext.system.ProcessRegistry.NextId()
	defer func() {
		if value := recover(); value != nil {
			half := s.ext.system.NewLocalPID(ctx.Self().Id + "/" + name)
			s.ext.system.ProcessRegistry.Remove(half)
			pid, err = nil, panicError(value)
		}
	}()
	if user := g.order.spec.Props; len(user) > 0 || s.guard.outer {
		return ctx.SpawnNamed(guardedProps(g, user), name)
	}
	mold := s.ext.takeMold(g)
	defer s.ext.giveMold(mold)
	return ctx.SpawnNamed(mold.props, name)
}

func (s *supervisor) stopChild(a core.StopChild) {
	slot := s.slots.At(a.Inc)
	if slot == nil {
		return // its spawn failed; the exit is on its way
	}
	slot.guard.decide(ErrShutdown)
	slot.guard.life.cancel()
	s.ext.system.Root.Stop(slot.pid)
}

// abandon leaves the incarnation behind: protoactor is told that it is gone,
// or this actor could never end. Should it be a supervisor, it does the same
// with all of its children.
func (s *supervisor) abandon(a core.Abandon) {
	slot := s.slots.At(a.Inc)
	if slot == nil {
		return
	}
	slot.guard.overrule(ErrKilled)
	slot.guard.life.cancel()
	s.ext.system.Root.Stop(slot.pid)
	s.ext.sendSystem(slot.pid, &killRequest{})
	s.zombies.Set(slot.pid.Id, slot.guard)
	s.byPID.Delete(slot.pid.Id)
	s.ext.sendSystem(s.guard.self, &actor.Terminated{Who: slot.pid})
}

// terminated: a child is gone, or protoactor is told so by abandon.
func (s *supervisor) terminated(ctx actor.Context, who *actor.PID) {
	inc, ours := s.byPID.Get(who.Id)
	if !ours {
		if _, alive := s.ext.system.ProcessRegistry.Get(who); !alive {
			s.zombies.Delete(who.Id)
		}
		return
	}
	s.step(ctx, core.Exited{Inc: inc, Reason: s.slots.At(inc).guard.why()})
}

// drop forgets an incarnation once its end is told.
func (s *supervisor) drop(inc core.Inc) {
	slot := s.slots.At(inc)
	if slot == nil {
		return
	}
	s.slots.Delete(inc)
	s.byPID.Delete(slot.pid.Id)
	if n := s.names.At(slot.guard.id); n != nil {
		n.vacate(slot.guard.self)
	}
}

func (s *supervisor) claimName(id, wanted string) error {
	if wanted == "" || s.names.At(id) != nil {
		return nil
	}
	n, err := s.ext.claim(wanted, s.life())
	if err != nil {
		return fmt.Errorf("name %q: %w", wanted, err)
	}
	s.names.Set(id, n)
	return nil
}

func (s *supervisor) releaseName(id string) {
	if n := s.names.At(id); n != nil {
		n.release()
		s.names.Delete(id)
	}
}
