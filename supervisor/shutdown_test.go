package supervisor

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// whenStopping acts when the probe is told to stop.
func whenStopping(do func()) func(actor.Context) {
	return func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Stopping); ok {
			do()
		}
	}
}

func TestShutdown(t *testing.T) {
	tree := func(h *harness) Spec {
		return Spec{Children: []ChildSpec{
			h.child("a", Permanent),
			Child("in", Permanent, Spec{Children: []ChildSpec{h.child("x", Permanent), h.child("y", Permanent)}}),
			h.child("b", Permanent),
		}}
	}
	runCases(t, []otpCase{
		{"children are stopped in reverse start order, depth first", func(h *harness) {
			sup := h.spawn(tree(h))
			require.Equal(h, "+a +x +y +b", h.log())
			require.NoError(h, Stop(h.system, sup, time.Second))
			require.Equal(h, "-b -y -x -a", h.log())
		}},
		{"each is gone before the next is told", func(h *harness) {
			slow := whenStopping(func() { h.note("stopping"); time.Sleep(time.Second) })
			sup := h.one(h.acting("a", Permanent, slow), h.acting("b", Permanent, slow))
			h.log()
			require.NoError(h, Stop(h.system, sup, time.Minute))
			require.Equal(h, "stopping@0s -b@1s stopping@1s -a@2s", h.timed())
		}},
		{"protoactor's Stop, Poison and a second Stop keep the order", func(h *harness) {
			slow := whenStopping(func() { time.Sleep(time.Second) })
			for _, stop := range []func(*actor.PID){h.system.Root.Stop, h.system.Root.Poison} {
				sup := h.one(h.child("a", Permanent), h.acting("b", Permanent, slow))
				h.log()
				stop(sup)
				stop(sup)
				h.sleep(time.Second)
				require.Equal(h, "-b -a", h.log())
				require.False(h, h.alive(sup))
			}
		}},
		{"a foreign parent's stop keeps the order", func(h *harness) {
			parent := h.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					_, err := Spawn(ctx, "mine", tree(h))
					require.NoError(h, err)
				}
			}))
			require.Equal(h, "+a +x +y +b", h.log())
			require.NoError(h, h.system.Root.StopFuture(parent).Wait())
			require.Equal(h, "-b -y -x -a", h.log())
		}},
		{"a foreign parent's restart in place is done in order", func(h *harness) {
			sup := h.spawn(tree(h))
			h.log()
			extensionOf(h.system).sendSystem(sup, &actor.Restart{})
			require.Equal(h, "-b -y -x -a +a +x +y +b", h.log())
			require.True(h, h.alive(sup))
		}},
		{"a worker has five seconds by default, then it is left behind", func(h *harness) {
			forever := make(chan struct{})
			sup := h.one(h.child("a", Permanent), h.child("b", Permanent))
			h.tell("b", hang{forever})
			h.log()
			require.NoError(h, Stop(h.system, sup, time.Minute))
			require.Equal(h, "-a@5s", h.timed())
			require.Len(h, h.told("b", Abandoned), 1)
			close(forever)
			require.Equal(h, "-b@5s", h.timed())
		}},
		{"a limit of its own", func(h *harness) {
			forever := make(chan struct{})
			sup := h.one(h.child("b", Permanent, stopsIn(time.Minute)))
			h.tell("b", hang{forever})
			require.NoError(h, Stop(h.system, sup, time.Hour))
			require.Equal(h, time.Minute, time.Since(h.birth))
			close(forever)
		}},
		{"infinity waits", func(h *harness) {
			until := make(chan struct{})
			time.AfterFunc(24*time.Hour, func() { close(until) })
			sup := h.one(h.child("b", Permanent, stopsIn(Infinity)))
			h.tell("b", hang{until})
			require.NoError(h, Stop(h.system, sup, 48*time.Hour))
			require.Equal(h, 24*time.Hour, time.Since(h.birth))
		}},
		{"brutal kill does not wait", func(h *harness) {
			until := make(chan struct{})
			sup := h.one(h.child("b", Permanent, stopsIn(BrutalKill)))
			h.tell("b", hang{until})
			require.NoError(h, Stop(h.system, sup, time.Second))
			require.Equal(h, time.Duration(0), time.Since(h.birth))
			close(until)
		}},
		{"a supervisor left behind takes all of its children down at once", func(h *harness) {
			until := make(chan struct{})
			in := Child("in", Permanent, Spec{Children: []ChildSpec{h.child("x", Permanent), h.child("y", Permanent, stopsIn(Infinity))}})
			in.Shutdown = time.Second
			sup := h.one(in)
			h.tell("y", hang{until})
			h.log()
			require.NoError(h, Stop(h.system, sup, time.Minute))
			require.Equal(h, "-x@1s", h.timed())
			close(until)
		}},
		{"life is cancelled before the child is told to stop, and wakes it", func(h *harness) {
			sup := h.one(h.acting("a", Permanent, nil))
			h.tell("a", run(func(ctx actor.Context) {
				<-Life(ctx).Done()
				h.note("woken")
			}))
			h.log()
			require.NoError(h, Stop(h.system, sup, time.Minute))
			require.Equal(h, "woken@0s -a@0s", h.timed())
		}},
		{"life is cancelled when the child fails", func(h *harness) {
			var life context.Context
			h.one(h.child("a", Permanent))
			h.tell("a", run(func(ctx actor.Context) { life = Life(ctx) }))
			require.NoError(h, life.Err())
			h.tell("a", boom{1})
			require.Error(h, life.Err())
		}},
		{"a zombie is counted until it ends", func(h *harness) {
			until := make(chan struct{})
			sup := h.one(h.child("a", Permanent, stopsIn(time.Second)))
			h.tell("a", hang{until})
			h.must(sup, &TerminateChild{ID: "a"})
			h.must(sup, &RestartChild{ID: "a"})
			require.Equal(h, 1, h.snapshot(sup).Zombies)
			close(until)
			h.sleep(0)
			require.Equal(h, 0, h.snapshot(sup).Zombies)
			require.Equal(h, "a:running", h.states(sup))
		}},
		{"StopContext ends with its context and the stop goes on", func(h *harness) {
			slow := whenStopping(func() { time.Sleep(3 * time.Second) })
			sup := h.one(h.acting("a", Permanent, slow))
			require.ErrorIs(h, Stop(h.system, sup, time.Second), context.DeadlineExceeded)
			h.sleep(2 * time.Second)
			require.False(h, h.alive(sup))
			require.NoError(h, Stop(h.system, sup, time.Second))
		}},
		{"a start that hangs is left behind after its limit and fails", func(h *harness) {
			until := make(chan struct{})
			h.fails["a"] = func() error { <-until; return nil }
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: h.child("a", Permanent, startsIn(7*time.Second))})
			require.ErrorIs(h, err, ErrStartTimeout)
			require.Equal(h, 7*time.Second, time.Since(h.birth))
			close(until)
		}},
		{"a first start that hangs does not hang the tree's stop", func(h *harness) {
			until := make(chan struct{})
			h.fails["b"] = func() error { <-until; return nil }
			sup := h.one(h.child("a", Permanent), Child("in", Permanent, Spec{Children: []ChildSpec{h.child("b", Permanent)}}))
			require.NoError(h, Stop(h.system, sup, time.Minute))
			require.Equal(h, "+a@0s -a@5s", h.timed())
			close(until)
		}},
	})
}

func TestHostileChildren(t *testing.T) {
	// on makes a probe that acts at one kind of message.
	at := func(is func(msg any) bool, do func()) func(actor.Context) {
		return func(ctx actor.Context) {
			if is(ctx.Message()) {
				do()
			}
		}
	}
	stopping := func(m any) bool { _, ok := m.(*actor.Stopping); return ok }
	stopped := func(m any) bool { _, ok := m.(*actor.Stopped); return ok }
	terminated := func(m any) bool { _, ok := m.(*actor.Terminated); return ok }
	started := func(m any) bool { _, ok := m.(*actor.Started); return ok }
	ends := func(is func(any) bool, do func()) func(h *harness) {
		return func(h *harness) {
			sup := h.one(h.child("z", Permanent), h.acting("a", Permanent, at(is, do)))
			h.tell("a", run(func(ctx actor.Context) { // with a child of its own
				ctx.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
			}))
			h.tell("a", boom{1})
			require.Equal(h, "z:running a:running", h.states(sup))
			require.NoError(h, Stop(h.system, sup, time.Second))
			require.False(h, h.alive(sup))
		}
	}
	crash, exit := func() { panic("hostile") }, runtime.Goexit
	cases := []otpCase{
		{"a panic in Stopping", ends(stopping, crash)},
		{"a panic in Stopped", ends(stopped, crash)},
		{"a panic in Terminated while stopping", ends(terminated, crash)},
		{"Goexit in Stopping", ends(stopping, exit)},
		{"Goexit in Stopped", ends(stopped, exit)},
		{"Goexit in Terminated while stopping", ends(terminated, exit)},
		{"a swallowed panic is told", func(h *harness) {
			sup := h.one(h.acting("a", Permanent, at(stopping, crash)))
			require.NoError(h, Stop(h.system, sup, time.Second))
			ignored := h.told("a", PanicIgnored)
			require.Len(h, ignored, 1)
			require.NotEmpty(h, ignored[0].Stack)
		}},
		{"Goexit in Receive is a failure", func(h *harness) {
			h.one(h.child("a", Transient))
			h.log()
			h.tell("a", run(func(actor.Context) { runtime.Goexit() }))
			require.Equal(h, "-a +a", h.log())
			require.ErrorIs(h, h.told("a", Failed)[0].Reason, ErrGoexit)
		}},
		{"Goexit in Started is a failed start", func(h *harness) {
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: h.acting("a", Permanent, at(started, exit))})
			require.ErrorIs(h, err, ErrGoexit)
		}},
		{"Goexit in Start is a failed start", func(h *harness) {
			h.fails["a"] = func() error { runtime.Goexit(); return nil }
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: h.child("a", Permanent)})
			require.ErrorIs(h, err, ErrGoexit)
		}},
		{"a nil panic is a failure", func(h *harness) {
			h.one(h.child("a", Transient))
			h.log()
			h.tell("a", boom{nil})
			require.Equal(h, "-a +a", h.log())
		}},
		{"nil messages are refused, by children and supervisors", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.tell("a", nil)
			h.system.Root.Send(sup, nil)
			h.system.Root.Request(h.pid("a"), (*actor.MessageEnvelope)(nil))
			h.must(h.pid("a"), ping{})
			require.Equal(h, "a:running", h.states(sup))
		}},
		{"a child that hangs in Receive does not hang its siblings", func(h *harness) {
			until := make(chan struct{})
			sup := h.one(h.child("a", Permanent), h.child("b", Permanent))
			h.tell("a", hang{until})
			h.log()
			h.tell("b", boom{1})
			require.Equal(h, "-b@0s +b@0s", h.timed())
			h.must(sup, &TerminateChild{ID: "a"})
			require.Equal(h, 5*time.Second, time.Since(h.birth))
			close(until)
		}},
		{"a hanging Stopping is left behind", func(h *harness) {
			until := make(chan struct{})
			sup := h.one(h.acting("a", Permanent, whenStopping(func() { <-until })))
			require.NoError(h, Stop(h.system, sup, time.Minute))
			require.Equal(h, 5*time.Second, time.Since(h.birth))
			close(until)
		}},
		{"panics in the user's middleware, also while stopping", func(h *harness) {
			bad := actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
				return func(ctx actor.ReceiverContext, env *actor.MessageEnvelope) {
					next(ctx, env)
					switch env.Message.(type) {
					case *actor.Stopping, *actor.Stopped, ping:
						panic("middleware")
					}
				}
			})
			spec := h.child("a", Permanent)
			spec.Props = []actor.PropsOption{bad}
			sup := h.one(spec)
			h.log()
			h.tell("a", ping{})
			require.Equal(h, "-a +a", h.log())
			require.NoError(h, Stop(h.system, sup, time.Second))
		}},
		{"a panic in the user's spawn option is a failed start", func(h *harness) {
			spec := h.child("a", Permanent)
			spec.Props = []actor.PropsOption{actor.WithOnInit(func(actor.Context) { panic("init") })}
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: spec})
			require.ErrorContains(h, err, "panic: init")
			require.Equal(h, "", h.states(sup))
		}},
		{"mailbox, producer and guardian options are overridden", func(h *harness) {
			spec := h.child("a", Permanent)
			spec.Props = []actor.PropsOption{
				actor.WithMailbox(actor.Bounded(1)), actor.WithGuardian(actor.DefaultSupervisorStrategy()),
				actor.WithProducer(func() actor.Actor { panic("not this") }),
			}
			h.one(spec)
			h.must(h.pid("a"), ping{})
		}},
		{"a panicking event subscriber harms nobody", func(h *harness) {
			defer h.system.EventStream.Unsubscribe(h.system.EventStream.Subscribe(func(ev any) {
				if _, ours := ev.(*Event); ours {
					panic("subscriber")
				}
			}))
			h.one(h.child("a", Permanent))
			h.tell("a", boom{1})
			require.Equal(h, "+a -a +a", h.log())
		}},
		{"nothing reaches a failed instance but Stopping and Stopped", func(h *harness) {
			var got []any
			spy := func(ctx actor.Context) { got = append(got, ctx.Message()) }
			h.one(h.acting("a", Temporary, spy))
			h.tell("a", run(func(ctx actor.Context) {
				f := ctx.RequestFuture(ctx.Self(), "x", time.Hour)
				ctx.ReenterAfter(f, func(any, error) { got = append(got, "continuation") })
				ctx.Send(ctx.Self(), "y")
				panic("now")
			}))
			require.Len(h, got, 4)
			require.IsType(h, &actor.Stopping{}, got[2])
			require.IsType(h, &actor.Stopped{}, got[3])
			require.Subset(h, h.deadLetters(), []any{"x", "y"})
		}},
		{"a queued request fails at once when the actor ends", func(h *harness) {
			h.one(h.child("a", Temporary))
			pid := h.pid("a")
			until := make(chan struct{})
			h.tell("a", hang{until})
			h.system.Root.Send(pid, boom{1})
			future := h.system.Root.RequestFuture(pid, ping{}, time.Hour)
			close(until)
			_, err := future.Result()
			require.ErrorIs(h, err, actor.ErrDeadLetter)
			require.Equal(h, time.Duration(0), time.Since(h.birth))
		}},
		{"protoactor's restart of a child makes a new incarnation", func(h *harness) {
			h.one(h.child("a", Transient))
			old := h.pid("a")
			h.log()
			extensionOf(h.system).sendSystem(old, &actor.Restart{})
			require.Equal(h, "-a +a", h.log())
			require.False(h, old.Equal(h.pid("a")))
		}},
		{"a plain child's failure is its parent's business, by the parent's strategy", func(h *harness) {
			h.one(h.child("a", Permanent))
			h.log()
			h.tell("a", run(func(ctx actor.Context) {
				pid := ctx.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
					switch ctx.Message().(type) {
					case *actor.Started:
						h.note("plain")
					case string:
						panic("plain")
					}
				}))
				ctx.Send(pid, "go")
			}))
			require.Equal(h, "plain plain", h.log())
		}},
	}
	runCases(t, cases)
}
