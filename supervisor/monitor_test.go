package supervisor

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// A monitor does the same whoever owns it; between actors of this package it is
// no process.
func TestMonitors(t *testing.T) {
	t.Run("of a plain actor", func(t *testing.T) { testMonitors(t, false) })
	t.Run("of an actor of a tree", func(t *testing.T) { testMonitors(t, true) })
}

func testMonitors(t *testing.T, guarded bool) {
	processes := map[bool]int{false: 1, true: 0}[guarded] // of a monitor
	reason := func(end func(h *harness), want error) func(h *harness) {
		return func(h *harness) {
			h.one(h.child("a", Temporary))
			pid := h.pid("a")
			w := h.watch(pid)
			end(h)
			downs := w.told()
			require.Len(h, downs, 1)
			require.Equal(h, w.ref, downs[0].Ref)
			require.True(h, pid.Equal(downs[0].Who))
			if want == nil {
				require.NoError(h, downs[0].Reason)
				return
			}
			require.ErrorIs(h, downs[0].Reason, want)
		}
	}
	cases := []otpCase{
		{"Down tells a normal exit", reason(func(h *harness) { h.tell("a", leave{nil}) }, nil)},
		{"Down tells Exit's reason", reason(func(h *harness) { h.tell("a", leave{errBoom}) }, errBoom)},
		{"Down tells a panic's error", reason(func(h *harness) { h.tell("a", boom{errBoom}) }, errBoom)},
		{"Down tells a plain stop as normal", reason(func(h *harness) { h.system.Root.Stop(h.pid("a")) }, nil)},
		{"Down tells the supervisor's shutdown", reason(func(h *harness) { h.must(h.roots[0], &TerminateChild{ID: "a"}) }, ErrShutdown)},
		{"Down of a zombie comes when it ends, with ErrKilled", func(h *harness) {
			h.one(h.child("a", Temporary))
			until := make(chan struct{})
			w := h.watch(h.pid("a"))
			h.tell("a", hang{until})
			h.must(h.roots[0], &TerminateChild{ID: "a"})
			require.Empty(h, w.told())
			close(until)
			require.Len(h, w.told(), 1)
			require.ErrorIs(h, w.told()[0].Reason, ErrKilled)
		}},
		{"a dead target is told at once", func(h *harness) {
			w := h.watch(h.system.NewLocalPID("nobody"))
			require.Len(h, w.told(), 1)
			require.ErrorIs(h, w.told()[0].Reason, ErrNoProcess)
		}},
		{"Demonitor ends it", func(h *harness) {
			h.one(h.child("a", Temporary))
			w := h.watch(h.pid("a"))
			h.system.Root.Send(w.pid, "demonitor")
			h.system.Root.Send(w.pid, "demonitor")
			h.sleep(0)
			h.tell("a", leave{nil})
			require.Empty(h, w.told())
		}},
		{"a monitor ends with its owner", func(h *harness) {
			h.one(h.child("a", Temporary))
			before := registered(h.system)
			w := h.watch(h.pid("a"))
			require.Equal(h, before+1+processes, registered(h.system))
			require.NoError(h, Stop(h.system, w.pid, time.Second))
			require.Equal(h, before, registered(h.system))
			require.Nil(h, extensionOf(h.system).guardOf(h.pid("a")).watchers)
		}},
		{"of many monitors any may end, in any order", func(h *harness) {
			h.one(h.child("a", Temporary))
			var watchers []*watcher
			for range 5 {
				watchers = append(watchers, h.watch(h.pid("a")))
			}
			for _, i := range []int{2, 0, 4} { // amid, the oldest, the newest
				h.system.Root.Send(watchers[i].pid, "demonitor")
			}
			h.sleep(0)
			h.tell("a", leave{errBoom})
			for i, w := range watchers {
				require.Len(h, w.told(), i%2, "monitor %d", i)
			}
		}},
		{"the end is told though middleware keeps it to itself", func(h *harness) {
			deaf := actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
				return func(ctx actor.ReceiverContext, env *actor.MessageEnvelope) {
					if _, last := env.Message.(*actor.Stopped); !last {
						next(ctx, env)
					}
				}
			})
			h.one(h.child("a", Temporary, func(c *ChildSpec) { c.Props = append(c.Props, deaf) }))
			w := h.watch(h.pid("a"))
			h.tell("a", leave{errBoom})
			require.Len(h, w.told(), 1)
			require.ErrorIs(h, w.told()[0].Reason, errBoom)
		}},
		{"two monitors, two Downs", func(h *harness) {
			h.one(h.child("a", Temporary))
			v, w := h.watch(h.pid("a")), h.watch(h.pid("a"))
			h.tell("a", leave{nil})
			require.Len(h, v.told(), 1)
			require.Len(h, w.told(), 1)
		}},
		{"plain actors can be monitored, too", func(h *harness) {
			pid := h.system.Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
			w := h.watch(pid)
			h.system.Root.Stop(pid)
			require.Len(h, w.told(), 1)
			require.NoError(h, w.told()[0].Reason)
		}},
	}
	for i := range cases {
		run := cases[i].run
		cases[i].run = func(h *harness) {
			h.guardedWatchers = guarded
			run(h)
		}
	}
	runCases(t, cases)
}

func TestNames(t *testing.T) {
	runCases(t, []otpCase{
		{"a name outlives restarts and reaches the living incarnation", func(h *harness) {
			h.one(h.child("a", Permanent, named("bank")))
			bank := Whereis(h.system, "bank")
			require.Equal(h, "bank", bank.Id)
			first := h.must(bank, ping{}).(pong).pid
			h.system.Root.Send(bank, boom{1})
			h.sleep(0)
			second := h.must(bank, ping{}).(pong).pid
			require.False(h, first.Equal(second))
			require.True(h, second.Equal(Living(h.system, bank)))
			f := h.system.Root.RequestFuture(bank, ping{}, time.Second)
			answer, err := f.Result()
			require.NoError(h, err)
			require.True(h, second.Equal(answer.(pong).pid))
		}},
		{"between two incarnations messages are dead letters", func(h *harness) {
			h.delayed(OneForOne, h.child("a", Permanent.After(time.Second), named("bank")))
			h.tell("a", boom{1})
			bank := Whereis(h.system, "bank")
			require.NotNil(h, bank)
			require.Nil(h, Living(h.system, bank))
			_, err := h.call(bank, ping{})
			require.ErrorIs(h, err, ErrNoProcess)
			_, err = h.system.Root.RequestFuture(bank, ping{}, time.Hour).Result()
			require.ErrorIs(h, err, actor.ErrDeadLetter)
			h.sleep(time.Second)
			h.must(bank, ping{})
		}},
		{"Watch on a name tells each end of an incarnation", func(h *harness) {
			h.one(h.child("a", Permanent, named("bank")))
			bank := Whereis(h.system, "bank")
			told := 0
			w := h.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				switch msg := ctx.Message().(type) {
				case *actor.Started:
					ctx.Watch(bank)
				case *actor.Terminated:
					require.Equal(h, "bank", msg.Who.Id)
					told++
				}
			}))
			h.roots = append(h.roots, w)
			h.sleep(0)
			h.tell("a", boom{1})
			require.Equal(h, 1, told)
		}},
		{"Monitor on a name monitors the incarnation, with its reason", func(h *harness) {
			h.one(h.child("a", Permanent, named("bank")))
			w := h.watch(Whereis(h.system, "bank"))
			h.tell("a", boom{errBoom})
			require.Len(h, w.told(), 1)
			require.ErrorIs(h, w.told()[0].Reason, errBoom)
			require.Equal(h, "bank", w.told()[0].Who.Id)
		}},
		{"Stop of a name stops the incarnation", func(h *harness) {
			h.one(h.child("a", Temporary, named("bank")))
			h.system.Root.Stop(Whereis(h.system, "bank"))
			require.Equal(h, "+a -a", h.log())
			require.Nil(h, Whereis(h.system, "bank"))
		}},
		{"a taken name is a failed start", func(h *harness) {
			h.one(h.child("a", Permanent, named("bank")))
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: h.child("b", Permanent, named("bank"))})
			require.ErrorIs(h, err, ErrNameTaken)
			h.must(h.pid("a"), ping{})
		}},
		{"a deleted child's name is free, and old PIDs find its next owner", func(h *harness) {
			sup := h.one(h.child("a", Permanent, named("bank")))
			bank := Whereis(h.system, "bank")
			h.must(bank, ping{})
			h.must(sup, &TerminateChild{ID: "a"})
			h.must(sup, &DeleteChild{ID: "a"})
			require.Nil(h, Whereis(h.system, "bank"))
			h.must(sup, &StartChild{Spec: h.child("b", Permanent, named("bank"))})
			f := h.system.Root.RequestFuture(bank, ping{}, time.Second)
			answer, err := f.Result()
			require.NoError(h, err)
			require.True(h, h.pid("b").Equal(answer.(pong).pid))
		}},
		{"a supervisor's restart keeps its children's names", func(h *harness) {
			in := Spec{MaxRestarts: NoImmediate, Children: []ChildSpec{h.child("a", Permanent, named("bank"))}}
			h.one(Child("in", Permanent, in))
			bank := Whereis(h.system, "bank")
			h.must(bank, ping{})
			h.tell("a", boom{1})
			require.True(h, h.pid("a").Equal(h.must(Whereis(h.system, "bank"), ping{}).(pong).pid))
			h.system.Root.Send(bank, boom{1}) // the old PID, too
			require.Equal(h, "+a -a +a -a +a", h.log())
		}},
		{"a name held by a supervisor left behind is taken over", func(h *harness) {
			until := make(chan struct{})
			in := Child("in", Permanent, Spec{Children: []ChildSpec{h.child("a", Permanent, named("bank"), stopsIn(Infinity))}})
			in.Shutdown = time.Second
			sup := h.one(in)
			h.tell("a", hang{until})
			h.must(sup, &TerminateChild{ID: "in"})
			h.must(sup, &RestartChild{ID: "in"})
			h.must(Whereis(h.system, "bank"), ping{})
			close(until)
		}},
	})
}

func (h *harness) snapshot(root *actor.PID) *Node {
	h.Helper()
	node, err := Snapshot(context.Background(), h.system, root)
	require.NoError(h, err)
	return node
}

// teller is an actor that tells of itself.
type teller struct{ probe }

func (t *teller) Inspect() []Attr { return []Attr{{"mood", "fine"}} }

func TestSnapshotAndNesting(t *testing.T) {
	runCases(t, []otpCase{
		{"a snapshot shows the tree", func(h *harness) {
			spec := ChildSpec{ID: "t", Start: func(context.Context, any) (actor.Actor, error) {
				return &teller{probe{h: h, id: "t"}}, nil
			}}
			sup := h.one(Child("in", Transient.After(time.Second), Spec{Strategy: RestForOne, Children: []ChildSpec{h.child("a", Permanent), spec}}))
			h.tell("a", boom{errBoom})
			root := h.snapshot(sup)
			require.Equal(h, Supervisor, root.Type)
			in := root.Children[0]
			require.Equal(h, RestForOne, in.Strategy)
			require.Equal(h, "{transient,1s}", in.Restart.String())
			require.Equal(h, 1, in.Children[0].Restarts)
			require.ErrorIs(h, in.Children[0].LastFailure, errBoom)
			require.Equal(h, Running, in.Children[0].State)
			require.Equal(h, []Attr{{"mood", "fine"}}, in.Children[1].Attrs)
		}},
		{"a busy actor is marked so, with its mailbox depth", func(h *harness) {
			until := make(chan struct{})
			sup := h.one(h.child("a", Permanent), h.child("b", Permanent))
			h.tell("a", hang{until})
			h.tell("a", ping{})
			h.tell("a", ping{})
			root := h.snapshot(sup)
			require.True(h, root.Children[0].Busy)
			require.Equal(h, 2, root.Children[0].Mailbox)
			require.False(h, root.Children[1].Busy)
			close(until)
		}},
		{"a busy actor hides nobody else", func(h *harness) {
			until := make(chan struct{})
			sup := h.one(h.child("a", Permanent), Child("in", Permanent, Spec{Children: []ChildSpec{h.child("x", Permanent)}}))
			h.tell("a", hang{until})
			require.False(h, h.snapshot(sup).Children[1].Children[0].Busy)
			close(until)
		}},
		{"a snapshot shows who is delayed, and of nobody is an error", func(h *harness) {
			sup := h.delayed(OneForOne, h.child("a", Permanent.After(time.Hour)))
			h.tell("a", boom{1})
			require.Equal(h, Delayed, h.snapshot(sup).Children[0].State)
			_, err := Snapshot(context.Background(), h.system, h.system.NewLocalPID("nobody"))
			require.ErrorIs(h, err, ErrNoProcess)
		}},
		{"Nested makes its spec itself, and may block without hanging the tree", func(h *harness) {
			sup := h.one(Nested("n", Permanent, func(ctx actor.Context) (Spec, error) {
				time.Sleep(2 * time.Second)
				return Spec{Children: []ChildSpec{h.child("a", Permanent)}}, nil
			}), h.child("b", Permanent))
			require.Equal(h, "n:starting b:stopped", h.states(sup))
			require.False(h, h.snapshot(sup).Children[0].Busy)
			h.sleep(2 * time.Second)
			require.Equal(h, "+a@2s +b@2s", h.timed())
		}},
		{"a stop does not wait for an init that hangs", func(h *harness) {
			sup := h.one(Nested("n", Permanent, func(ctx actor.Context) (Spec, error) {
				<-Life(ctx).Done()
				h.note("ended")
				return Spec{}, Life(ctx).Err()
			}))
			require.NoError(h, Stop(h.system, sup, time.Second))
			require.Equal(h, "ended@0s", h.timed())
		}},
		{"an init's error, panic, Goexit and wrong spec are failed starts", func(h *harness) {
			sup := h.one()
			for want, init := range map[string]func(ctx actor.Context) (Spec, error){
				"boom":      func(actor.Context) (Spec, error) { return Spec{}, errBoom },
				"panic: no": func(actor.Context) (Spec, error) { panic("no") },
				"Goexit":    func(actor.Context) (Spec, error) { select {} },
				"needs":     func(actor.Context) (Spec, error) { return Spec{Children: []ChildSpec{{}}}, nil },
				"nil":       func(ctx actor.Context) (Spec, error) { ctx.Spawn(nil); return Spec{}, nil },
			} {
				if want == "Goexit" {
					init = goexitInit
				}
				_, err := h.call(sup, &StartChild{Spec: Nested("n", Permanent, init)})
				require.ErrorContains(h, err, want)
			}
		}},
		{"an init may ask other actors", func(h *harness) {
			h.one(h.child("a", Permanent), Nested("n", Permanent, func(ctx actor.Context) (Spec, error) {
				_, err := ctx.RequestFuture(h.pid("a"), ping{}, time.Second).Result()
				return Spec{Children: []ChildSpec{h.child("b", Permanent)}}, err
			}))
			require.Equal(h, "+a +b", h.log())
		}},
		{"SpawnInit is Nested for a root; requests before it is ready wait", func(h *harness) {
			pid, err := SpawnInit(h.system.Root, "root", func(actor.Context) (Spec, error) {
				time.Sleep(time.Second)
				return Spec{Children: []ChildSpec{h.child("a", Permanent)}}, nil
			})
			require.NoError(h, err)
			h.roots = append(h.roots, pid)
			h.system.Root.Send(pid, &StartChild{Spec: h.child("b", Permanent)})
			h.sleep(time.Second)
			require.Equal(h, "a:running b:running", h.states(pid))
		}},
		{"a supervisor's name is its PID's, once", func(h *harness) {
			pid, err := Spawn(h.system.Root, "tree", Spec{})
			require.NoError(h, err)
			h.roots = append(h.roots, pid)
			require.Equal(h, "tree", pid.Id)
			_, err = Spawn(h.system.Root, "tree", Spec{})
			require.ErrorIs(h, err, actor.ErrNameExists)
		}},
		{"a wrong spec is refused with every mistake", func(h *harness) {
			_, err := Spawn(h.system.Root, "", Spec{Strategy: 9, MaxRestarts: -3, Within: -1, Children: []ChildSpec{
				h.child("a", Temporary.After(time.Second), named("n"), startsIn(-2)), h.child("a", Permanent, named("n"))}})
			var wrong *SpecError
			require.ErrorAs(h, err, &wrong)
			for _, mistake := range []string{"strategy 9", "MaxRestarts", "Within", "temporary", "Startup", `id "a"`, `name "n"`} {
				require.ErrorContains(h, err, mistake)
			}
		}},
	})
}
