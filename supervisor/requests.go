package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor/internal/core"
)

// request turns a user's request into the machine's. Anything else is a dead
// letter: a supervisor has no other business.
func (s *supervisor) request(ctx actor.Context, msg any) {
	r, ok, err := s.translate(msg)
	switch {
	case !ok:
		s.ext.deadLetter(ctx.Self(), &actor.MessageEnvelope{Message: msg, Sender: ctx.Sender()})
		return
	case err == nil && s.machine == nil: // begin comes back to it
		s.early = append(s.early, &actor.MessageEnvelope{Message: msg, Sender: ctx.Sender()})
		return
	}
	if err != nil {
		if ctx.Sender() != nil {
			ctx.Respond(&Refused{ID: r.ID, Err: err})
		}
		return
	}
	s.requests++
	r.Number = s.requests
	if ctx.Sender() != nil {
		s.asks.Set(r.Number, ctx.Sender())
	}
	s.step(ctx, r)
}

// replay puts the requests that came before the spec was ready behind those
// that wait in the mailbox.
func (s *supervisor) replay(ctx actor.Context) {
	early := s.early
	s.early = nil
	for _, e := range early {
		ctx.RequestWithCustomSender(ctx.Self(), e.Message, e.Sender)
	}
}

// refuseEarly answers the requests that came before the spec was ready, when
// none will be.
func (s *supervisor) refuseEarly() {
	early := s.early
	s.early = nil
	for _, e := range early {
		if e.Sender != nil {
			r, _, _ := s.translate(e.Message)
			s.ext.system.Root.Send(e.Sender, &Refused{ID: r.ID, Err: ErrTerminated})
		}
	}
}

func (s *supervisor) translate(msg any) (r core.Request, ok bool, err error) {
	switch m := msg.(type) {
	case *StartChild:
		return s.translateStart(m)
	case *TerminateChild:
		r = core.Request{Op: core.OpTerminate, ID: m.ID}
		if m.PID != nil {
			r.Inc = s.byPID.At(m.PID.Id)
			if r.Inc == 0 {
				return r, true, ErrNotFound
			}
		}
	case *RestartChild:
		r = core.Request{Op: core.OpRestart, ID: m.ID}
	case *DeleteChild:
		r = core.Request{Op: core.OpDelete, ID: m.ID}
	case *FindChild:
		r = core.Request{Op: core.OpFind, ID: m.ID}
	case *WhichChildren:
		r = core.Request{Op: core.OpWhich}
	case *CountChildren:
		r = core.Request{Op: core.OpCount}
	case *AwaitStarted:
		r = core.Request{Op: core.OpAwait}
	default:
		return r, false, nil
	}
	return r, true, nil
}

func (s *supervisor) translateStart(m *StartChild) (core.Request, bool, error) {
	spec := m.Spec
	if s.spec.Strategy == SimpleOneForOne {
		id := spec.ID
		if spec.Start != nil {
			return core.Request{ID: id}, true, ErrSimpleOneForOne
		}
		child := s.spec.Children[0].child(m.Arg)
		child.ID = id
		return core.Request{Op: core.OpStart, ID: id, Child: child}, true, nil
	}
	r := core.Request{Op: core.OpStart, ID: spec.ID}
	if err := spec.Validate(); err != nil {
		return r, true, &SpecError{Mistakes: err}
	}
	r.Child = spec.child(m.Arg)
	return r, true, nil
}

// reply answers whoever asked.
func (s *supervisor) reply(a core.Reply) {
	who := s.asks.At(a.Number)
	if who == nil {
		return
	}
	s.asks.Delete(a.Number)
	s.ext.system.Root.Send(who, s.answer(a))
}

func (s *supervisor) answer(a core.Reply) any {
	if a.Err != nil {
		return &Refused{ID: a.ID, PID: s.pid(a.Inc), Err: a.Err}
	}
	switch a.Op {
	case core.OpStart, core.OpRestart:
		return &ChildStarted{ID: a.ID, PID: s.pid(a.Inc)}
	case core.OpTerminate:
		return &ChildTerminated{ID: a.ID}
	case core.OpDelete:
		return &ChildDeleted{ID: a.ID}
	case core.OpFind:
		return &ChildFound{Child: s.info(a.Children[0])}
	case core.OpCount:
		return &ChildCounts{
			Specs: a.Counts.Specs, Active: a.Counts.Active,
			Supervisors: a.Counts.Supervisors, Workers: a.Counts.Workers,
		}
	case core.OpAwait:
		return &AllStarted{}
	}
	list := make([]ChildInfo, 0, len(a.Children))
	for _, c := range a.Children {
		list = append(list, s.info(c))
	}
	return &Children{List: list}
}

func (s *supervisor) pid(inc core.Inc) *actor.PID {
	if slot := s.slots.At(inc); slot != nil {
		return slot.pid
	}
	return nil
}

func (s *supervisor) info(c core.Info) ChildInfo {
	info := ChildInfo{
		ID: c.ID, PID: s.pid(c.Inc), State: stateOf(c.State), Restart: restartOf(c.Kind, c.Delay),
		Restarts: c.Restarts, LastFailure: c.LastFailure,
	}
	if c.Supervisor {
		info.Type = Supervisor
	}
	return info
}
