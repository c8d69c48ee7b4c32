package supervisor

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

func TestRequests(t *testing.T) {
	runCases(t, []otpCase{
		{"start_child adds at the end and answers with the PID", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			got := h.must(sup, &StartChild{Spec: h.child("b", Permanent)}).(*ChildStarted)
			require.Equal(h, "b", got.ID)
			require.True(h, got.PID.Equal(h.pid("b")))
			require.Equal(h, "a:running b:running", h.states(sup))
		}},
		{"start_child of a running id answers with the PID that runs", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			_, err := h.call(sup, &StartChild{Spec: h.child("a", Permanent)})
			require.ErrorIs(h, err, ErrAlreadyStarted)
			var refused *Refused
			require.ErrorAs(h, err, &refused)
			require.True(h, refused.PID.Equal(h.pid("a")))
		}},
		{"start_child of a terminated id is refused", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.must(sup, &TerminateChild{ID: "a"})
			_, err := h.call(sup, &StartChild{Spec: h.child("a", Permanent)})
			require.ErrorIs(h, err, ErrAlreadyPresent)
		}},
		{"start_child that fails leaves no spec", func(h *harness) {
			h.failing("a", 1, errBoom)
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: h.child("a", Permanent)})
			require.ErrorIs(h, err, errBoom)
			require.Equal(h, "", h.states(sup))
		}},
		{"start_child of a wrong spec names every mistake", func(h *harness) {
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: ChildSpec{Shutdown: -7}})
			require.ErrorContains(h, err, "needs an ID")
			require.ErrorContains(h, err, "needs a Start")
			require.ErrorContains(h, err, "Shutdown")
		}},
		{"a dynamic child is restarted as any other", func(h *harness) {
			sup := h.one()
			h.must(sup, &StartChild{Spec: h.child("a", Permanent), Arg: "a7"})
			h.tell("a7", boom{1})
			require.Equal(h, "+a7 -a7 +a7", h.log())
		}},
		{"terminate_child stops and keeps the spec", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.must(sup, &TerminateChild{ID: "a"})
			require.Equal(h, "+a -a", h.log())
			require.Equal(h, "a:stopped", h.states(sup))
			require.Nil(h, h.find(sup, "a").PID)
		}},
		{"terminate_child of a stopped child is no error", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.must(sup, &TerminateChild{ID: "a"})
			h.must(sup, &TerminateChild{ID: "a"})
		}},
		{"terminate_child forgets a temporary child", func(h *harness) {
			sup := h.one(h.child("a", Temporary))
			h.must(sup, &TerminateChild{ID: "a"})
			require.Equal(h, "", h.states(sup))
		}},
		{"terminate_child takes a PID", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.must(sup, &TerminateChild{PID: h.pid("a")})
			require.Equal(h, "a:stopped", h.states(sup))
			_, err := h.call(sup, &TerminateChild{PID: h.pid("a")})
			require.ErrorIs(h, err, ErrNotFound)
		}},
		{"terminate_child does not count and does not restart", func(h *harness) {
			sup := h.with(OneForAll, h.child("a", Permanent), h.child("b", Permanent))
			h.log()
			for range 9 {
				h.must(sup, &TerminateChild{ID: "a"})
				h.must(sup, &RestartChild{ID: "a"})
			}
			require.NotContains(h, h.log(), "b")
			require.Equal(h, 0, h.find(sup, "a").Restarts)
		}},
		{"restart_child of a running child is refused", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			_, err := h.call(sup, &RestartChild{ID: "a"})
			require.ErrorIs(h, err, ErrRunning)
		}},
		{"restart_child that fails keeps the spec", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.must(sup, &TerminateChild{ID: "a"})
			h.failing("a", 1, errBoom)
			_, err := h.call(sup, &RestartChild{ID: "a"})
			require.ErrorIs(h, err, errBoom)
			require.Equal(h, "a:stopped", h.states(sup))
		}},
		{"delete_child of a running child is refused", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			_, err := h.call(sup, &DeleteChild{ID: "a"})
			require.ErrorIs(h, err, ErrRunning)
		}},
		{"delete_child forgets; a later start works", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.must(sup, &TerminateChild{ID: "a"})
			h.must(sup, &DeleteChild{ID: "a"})
			require.Equal(h, "", h.states(sup))
			h.must(sup, &StartChild{Spec: h.child("a", Permanent)})
		}},
		{"unknown ids are not found", func(h *harness) {
			sup := h.one()
			for _, msg := range []any{&TerminateChild{ID: "x"}, &RestartChild{ID: "x"}, &DeleteChild{ID: "x"}, &FindChild{ID: "x"}} {
				_, err := h.call(sup, msg)
				require.ErrorIs(h, err, ErrNotFound)
			}
		}},
		{"count_children counts specs, active, supervisors and workers", func(h *harness) {
			sup := h.one(h.child("a", Permanent), h.child("b", Permanent), Child("s", Permanent, Spec{}))
			h.must(sup, &TerminateChild{ID: "a"})
			require.Equal(h, &ChildCounts{Specs: 3, Active: 2, Supervisors: 1, Workers: 2}, h.must(sup, &CountChildren{}))
		}},
		{"questions are answered while a group restarts; changes wait for it", func(h *harness) {
			slow := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Stopping); ok {
					time.Sleep(2 * time.Second)
				}
			}
			sup := h.with(OneForAll, h.child("a", Permanent), h.acting("b", Permanent, slow))
			h.tell("a", boom{1})
			require.Equal(h, "a:stopped b:stopping", h.states(sup))
			h.must(sup, &StartChild{Spec: h.child("c", Permanent)})
			require.Equal(h, "+a@0s +b@0s -a@0s -b@2s +a@2s +b@2s +c@2s", h.timed())
		}},
		{"a start that hangs holds up nobody under one_for_one, and terminate ends it", func(h *harness) {
			sup := h.one()
			spec := h.child("a", Permanent)
			spec.Start = func(life context.Context, _ any) (actor.Actor, error) { <-life.Done(); return nil, life.Err() }
			failed := make(chan error, 1)
			go func() { _, err := h.call(sup, &StartChild{Spec: spec}); failed <- err }()
			h.sleep(time.Second)
			h.must(sup, &StartChild{Spec: h.child("b", Permanent)})
			require.Equal(h, "a:starting b:running", h.states(sup))
			h.must(sup, &TerminateChild{ID: "a"})
			require.ErrorIs(h, <-failed, ErrTerminated)
			require.Equal(h, "b:running", h.states(sup))
			require.Equal(h, time.Second, time.Since(h.birth))
		}},
		{"what a shutdown overtakes is refused with a typed error", func(h *harness) {
			stop := make(chan struct{})
			slow := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Stopping); ok {
					<-stop
				}
			}
			sup := h.with(RestForOne, h.acting("a", Permanent, slow))
			errs := make(chan error, 2)
			go func() { _, err := h.call(sup, &TerminateChild{ID: "a"}); errs <- err }()
			h.sleep(0)
			go func() { _, err := h.call(sup, &StartChild{Spec: h.child("b", Permanent)}); errs <- err }()
			h.sleep(0)
			h.system.Root.Stop(sup)
			require.ErrorIs(h, <-errs, ErrShutdown)
			require.ErrorIs(h, <-errs, ErrShutdown)
			require.True(h, h.alive(sup))
			close(stop)
		}},
		{"a call to a dead supervisor fails at once", func(h *harness) {
			sup := h.one()
			require.NoError(h, Stop(h.system, sup, time.Second))
			_, err := h.call(sup, &CountChildren{})
			require.ErrorIs(h, err, ErrNoProcess)
		}},
		{"a call to an actor that ends without an answer ends", func(h *harness) {
			h.one(h.child("a", Temporary))
			_, err := h.call(h.pid("a"), leave{nil})
			require.ErrorIs(h, err, ErrNoReply)
		}},
		{"a call ends with its context", func(h *harness) {
			h.one(h.child("a", Permanent))
			ctx, cancel := context.WithTimeout(h.Context(), time.Second)
			defer cancel()
			_, err := Call(ctx, h.system, h.pid("a"), "no answer to this")
			require.ErrorIs(h, err, context.DeadlineExceeded)
		}},
		{"messages that a supervisor does not know are dead letters", func(h *harness) {
			sup := h.one()
			_, err := h.call(sup, "hello")
			require.ErrorIs(h, err, ErrNoProcess)
			require.Contains(h, h.deadLetters(), any("hello"))
		}},
	})
}

func TestSimpleOneForOne(t *testing.T) {
	pool := func(h *harness, r Restart, with ...func(*ChildSpec)) *actor.PID {
		return h.spawn(Spec{Strategy: SimpleOneForOne, Children: []ChildSpec{h.child("w", r, with...)}})
	}
	runCases(t, []otpCase{
		{"simple_one_for_one starts nothing by itself", func(h *harness) {
			sup := pool(h, Permanent)
			require.Equal(h, "", h.log())
			require.Equal(h, &ChildCounts{Specs: 1}, h.must(sup, &CountChildren{}))
		}},
		{"instances get their argument, at every start", func(h *harness) {
			sup := pool(h, Permanent)
			h.must(sup, &StartChild{Arg: "x"})
			h.must(sup, &StartChild{Arg: "y"})
			h.tell("x", boom{1})
			require.Equal(h, "+x +y -x +x", h.log())
			require.Equal(h, "w#1:running w#2:running", h.states(sup))
			require.Equal(h, &ChildCounts{Specs: 1, Active: 2, Workers: 2}, h.must(sup, &CountChildren{}))
		}},
		{"an instance may have an id of its own", func(h *harness) {
			sup := pool(h, Permanent)
			require.Equal(h, "mine", h.must(sup, &StartChild{Spec: ChildSpec{ID: "mine"}, Arg: "x"}).(*ChildStarted).ID)
			_, err := h.call(sup, &StartChild{Spec: ChildSpec{ID: "mine"}})
			require.ErrorIs(h, err, ErrAlreadyStarted)
		}},
		{"a transient instance that ends normally is forgotten", func(h *harness) {
			sup := pool(h, Transient)
			h.must(sup, &StartChild{Arg: "x"})
			h.tell("x", leave{nil})
			require.Equal(h, "", h.states(sup))
		}},
		{"terminate by id or PID forgets the instance", func(h *harness) {
			sup := pool(h, Permanent)
			h.must(sup, &StartChild{Arg: "x"})
			h.must(sup, &StartChild{Arg: "y"})
			h.must(sup, &TerminateChild{ID: "w#1"})
			h.must(sup, &TerminateChild{PID: h.pid("y")})
			require.Equal(h, "", h.states(sup))
		}},
		{"restart, delete and specs are refused", func(h *harness) {
			sup := pool(h, Permanent)
			for _, msg := range []any{&RestartChild{ID: "w"}, &DeleteChild{ID: "w"}, &StartChild{Spec: h.child("z", Permanent)}} {
				_, err := h.call(sup, msg)
				require.ErrorIs(h, err, ErrSimpleOneForOne)
			}
		}},
		{"a delayed instance is parked and comes back; terminate calls it off", func(h *harness) {
			sup := h.spawn(Spec{Strategy: SimpleOneForOne, MaxRestarts: NoImmediate, Children: []ChildSpec{h.child("w", Permanent.After(time.Second))}})
			h.must(sup, &StartChild{Arg: "x"})
			h.tell("x", boom{1})
			h.sleep(time.Second)
			require.Equal(h, "+x@0s -x@0s +x@1s", h.timed())
			h.tell("x", boom{1})
			h.must(sup, &TerminateChild{ID: "w#1"})
			require.Equal(h, "", h.states(sup))
		}},
		{"a stop stops all at once", func(h *harness) {
			sup := h.spawn(Spec{Strategy: SimpleOneForOne, Children: []ChildSpec{h.acting("w", Permanent, func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Stopping); ok {
					time.Sleep(time.Second)
				}
			})}})
			for range 20 {
				h.must(sup, &StartChild{})
			}
			require.NoError(h, Stop(h.system, sup, time.Minute))
			require.Equal(h, time.Second, time.Since(h.birth))
		}},
		{"a template is one child without a name", func(h *harness) {
			_, err := Spawn(h.system.Root, "", Spec{Strategy: SimpleOneForOne})
			require.ErrorContains(h, err, "one template")
			_, err = Spawn(h.system.Root, "", Spec{Strategy: SimpleOneForOne, Children: []ChildSpec{h.child("w", Permanent, named("n"))}})
			require.ErrorContains(h, err, "no Name")
		}},
	})
}
