package supervisor

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor/internal/core"
	"github.com/moldau-go/moldau/supervisor/internal/table"
)

// supervisor is the actor around the core: it turns messages into events and
// carries out the actions.
//
// Purpose: OTP's supervisor.
// Parent: a supervisor, or any actor, or none. Children: those of its spec.
// In: the requests of messages.go, childStarted, Terminated, timerFired,
// stopRequest, killRequest, restartRequest, specReady.
// Out: replies, Stop to children, childStarted to its parent, *Event.
// Restart: as its child spec says; as the root of a tree, never.
// A crash loses: dynamic children; its children are stopped with it.
type supervisor struct {
	ext   *extension
	guard *guard
	spec  Spec
	init  func(ctx actor.Context) (Spec, error) // nil: spec is given

	machine *core.Machine
	born    time.Time
	busy    bool         // an action is being carried out
	pending []core.Event // what came up meanwhile
	again   bool         // protoactor's restart: begin anew instead of ending

	slots    table.Table[core.Inc, *slot]
	byPID    table.Table[string, core.Inc]
	zombies  table.Table[string, *guard]
	names    table.Table[string, *name] // by child id
	timers   table.Table[core.TimerID, *time.Timer]
	asks     table.Table[uint64, *actor.PID] // request number -> who asked
	early    []*actor.MessageEnvelope        // requests that came before the spec was ready
	requests uint64
}

func newSupervisor(ext *extension, spec Spec, init func(actor.Context) (Spec, error)) *supervisor {
	return &supervisor{ext: ext, spec: spec, init: init}
}

// Receive never blocks.
func (s *supervisor) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		s.started(ctx)
	case *specReady:
		s.specReady(ctx, msg)
	case *childStarted:
		s.step(ctx, core.Started{Inc: core.Inc(msg.inc)})
	case *actor.Terminated:
		if s.guard.phase.Load() < phaseFailing { // else it is protoactor that stops the children
			s.terminated(ctx, msg.Who)
		}
	case *timerFired:
		if _, armed := s.timers.Get(msg.id); armed {
			s.timers.Delete(msg.id)
			s.step(ctx, core.Fired{Timer: msg.id})
		}
	case *stopRequest:
		s.again = false
		s.stop(ctx, core.Stop{Reason: ErrShutdown})
	case *killRequest:
		s.again = false
		s.stop(ctx, core.Kill{})
	case *restartRequest:
		s.again = s.machine != nil && !s.machine.Done()
		s.stop(ctx, core.Stop{Reason: ErrRestart})
	case *actor.Stopping:
		s.farewell()
	case *actor.Stopped:
	default:
		s.request(ctx, msg)
	}
}

func (s *supervisor) started(ctx actor.Context) {
	if s.init != nil {
		s.askInit(ctx)
		return
	}
	s.begin(ctx)
}

// begin makes a machine of the spec and starts the children.
func (s *supervisor) begin(ctx actor.Context) {
	s.machine = core.New(s.spec.config())
	s.born = time.Now()
	s.step(ctx, core.Init{})
	s.replay(ctx)
}

// askInit runs the user's init on a goroutine of its own: it may block, and
// this actor stays answerable.
func (s *supervisor) askInit(ctx actor.Context) {
	self, ext, init := ctx.Self(), s.ext, s.init
	initCtx := newInitContext(ctx, &s.guard.life)
	go func() {
		ready := &specReady{err: ErrGoexit}
		defer func() {
			if value := recover(); value != nil {
				ready.err = panicError(value)
			}
			ext.sendSystem(self, ready)
		}()
		spec, err := init(initCtx)
		if err == nil {
			err = spec.Validate()
		}
		ready.spec, ready.err = spec, err
	}()
}

func (s *supervisor) specReady(ctx actor.Context, msg *specReady) {
	if msg.err != nil {
		s.guard.leave(msg.err)
		return
	}
	s.spec = msg.spec
	s.begin(ctx)
}

// stop hands the event to the machine; without one there is nothing to stop.
func (s *supervisor) stop(ctx actor.Context, ev core.Event) {
	if s.machine == nil {
		s.guard.leave(ErrShutdown)
		return
	}
	s.step(ctx, ev)
}

// step hands an event to the machine and carries its actions out. What comes up
// while it does so is handled after.
func (s *supervisor) step(ctx actor.Context, ev core.Event) {
	if s.busy {
		s.pending = append(s.pending, ev)
		return
	}
	s.busy = true
	for s.handle(ctx, ev); len(s.pending) > 0; s.handle(ctx, ev) {
		ev = s.pending[0]
		s.pending = s.pending[1:]
	}
	s.pending = nil
	s.busy = false
	if s.again && s.machine.Done() {
		s.again = false
		s.started(ctx)
	}
}

func (s *supervisor) handle(ctx actor.Context, ev core.Event) {
	for _, action := range s.machine.Handle(time.Since(s.born), ev) {
		s.carryOut(ctx, action)
	}
}

func (s *supervisor) carryOut(ctx actor.Context, action core.Action) {
	switch a := action.(type) {
	case core.Start:
		s.startChild(ctx, a)
	case core.StopChild:
		s.stopChild(a)
	case core.Abandon:
		s.abandon(a)
	case core.Arm:
		s.arm(a)
	case core.Cancel:
		s.cancel(a.Timer)
	case core.Reply:
		s.reply(a)
	case core.Forget:
		s.releaseName(a.ID)
	case core.Report:
		s.report(a)
	case core.Ready:
		s.guard.acknowledge()
	case core.Exit:
		if !s.again {
			s.farewell()
			s.guard.leave(a.Reason)
		}
	}
}

func (s *supervisor) arm(a core.Arm) {
	self, ext, id := s.guard.self, s.ext, a.Timer
	s.timers.Set(id, time.AfterFunc(a.After, func() { ext.sendSystem(self, &timerFired{id: id}) }))
}

func (s *supervisor) cancel(id core.TimerID) {
	if t := s.timers.At(id); t != nil {
		t.Stop()
		s.timers.Delete(id)
	}
}

func (s *supervisor) report(r core.Report) {
	ev := &Event{
		Supervisor: s.guard.self, ID: r.ID,
		State: stateOfNote(r.Note), Reason: r.Reason, Delay: r.Delay,
	}
	if slot := s.slots.At(r.Inc); slot != nil {
		ev.Child = slot.pid
	}
	s.ext.publish(ev)
	if r.Note == core.NoteExited || r.Note == core.NoteFailed || r.Note == core.NoteStopped || r.Note == core.NoteStartFailed {
		s.drop(r.Inc)
	}
}

// farewell gives back what belongs to the supervisor and not to a child.
func (s *supervisor) farewell() {
	s.refuseEarly()
	for id := range s.timers.All() {
		s.cancel(id)
	}
	for id := range s.names.All() {
		s.releaseName(id)
	}
	for number, who := range s.asks.All() {
		s.ext.system.Root.Send(who, &Refused{Err: ErrShutdown})
		s.asks.Delete(number)
	}
}

// life is that of this incarnation.
func (s *supervisor) life() context.Context { return &s.guard.life }
