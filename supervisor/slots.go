package supervisor

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor/internal/core"
)

// slot is a living incarnation of a child.
type slot struct {
	id    string
	pid   *actor.PID
	guard *guard
}

// startChild spawns the incarnation. An error counts as the incarnation's exit.
func (s *supervisor) startChild(ctx actor.Context, a core.Start) {
	o := a.Payload.(*order)
	if err := s.claimName(a.ID, o.spec.Name); err != nil {
		s.step(ctx, core.Exited{Inc: a.Inc, Reason: err})
		return
	}
	g := newGuard(s.ext, a.ID, func(life context.Context) (actor.Actor, error) {
		return o.spec.Start(life, o.arg)
	})
	g.inc, g.child, g.name = uint64(a.Inc), true, s.names[a.ID]
	pid, err := s.spawn(ctx, a.ID, guardedProps(g, o.spec.Props))
	if err != nil {
		g.never()
		s.step(ctx, core.Exited{Inc: a.Inc, Reason: err})
		return
	}
	s.slots[a.Inc] = &slot{id: a.ID, pid: pid, guard: g}
	s.byPID[pid.Id] = a.Inc
}

// spawn survives a panic in the user's spawn options.
func (s *supervisor) spawn(ctx actor.Context, id string, props *actor.Props) (pid *actor.PID, err error) {
	name := id + s.ext.system.ProcessRegistry.NextId()
	defer func() {
		if value := recover(); value != nil {
			half := s.ext.system.NewLocalPID(ctx.Self().Id + "/" + name)
			s.ext.system.ProcessRegistry.Remove(half)
			pid, err = nil, panicError(value)
		}
	}()
	return ctx.SpawnNamed(props, name)
}

func (s *supervisor) stopChild(a core.StopChild) {
	slot := s.slots[a.Inc]
	if slot == nil {
		return // its spawn failed; the exit is on its way
	}
	slot.guard.decide(ErrShutdown)
	slot.guard.cancel()
	s.ext.system.Root.Stop(slot.pid)
}

// abandon leaves the incarnation behind: protoactor is told that it is gone,
// or this actor could never end. Should it be a supervisor, it does the same
// with all of its children.
func (s *supervisor) abandon(a core.Abandon) {
	slot := s.slots[a.Inc]
	if slot == nil {
		return
	}
	slot.guard.overrule(ErrKilled)
	slot.guard.cancel()
	s.ext.system.Root.Stop(slot.pid)
	s.ext.sendSystem(slot.pid, &killRequest{})
	s.zombies[slot.pid.Id] = slot.guard
	delete(s.byPID, slot.pid.Id)
	s.ext.sendSystem(s.guard.self, &actor.Terminated{Who: slot.pid})
}

// terminated: a child is gone, or protoactor is told so by abandon.
func (s *supervisor) terminated(ctx actor.Context, who *actor.PID) {
	inc, ours := s.byPID[who.Id]
	if !ours {
		if _, alive := s.ext.system.ProcessRegistry.Get(who); !alive {
			delete(s.zombies, who.Id)
		}
		return
	}
	s.step(ctx, core.Exited{Inc: inc, Reason: s.slots[inc].guard.why()})
}

// drop forgets an incarnation once its end is told.
func (s *supervisor) drop(inc core.Inc) {
	slot := s.slots[inc]
	if slot == nil {
		return
	}
	delete(s.slots, inc)
	delete(s.byPID, slot.pid.Id)
	if n := s.names[slot.id]; n != nil {
		n.vacate(slot.guard.self)
	}
}

func (s *supervisor) claimName(id, wanted string) error {
	if wanted == "" || s.names[id] != nil {
		return nil
	}
	n, err := s.ext.claim(wanted, s.life())
	if err != nil {
		return fmt.Errorf("name %q: %w", wanted, err)
	}
	s.names[id] = n
	return nil
}

func (s *supervisor) releaseName(id string) {
	if n := s.names[id]; n != nil {
		n.release()
		delete(s.names, id)
	}
}
