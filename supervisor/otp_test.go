package supervisor

import (
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

var errBoom = errors.New("boom")

// otpCase is one rule of OTP's supervisor (or of brod's variant), by name.
type otpCase struct {
	name string
	run  func(h *harness)
}

func runCases(t *testing.T, cases []otpCase) {
	system := newSystem() // it is expensive; each case leaves it as it was
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { bubble(t, system, c.run) })
	}
}

// one makes a one_for_one supervisor.
func (h *harness) one(children ...ChildSpec) *actor.PID {
	return h.spawn(Spec{Children: children})
}

func (h *harness) with(s Strategy, children ...ChildSpec) *actor.PID {
	return h.spawn(Spec{Strategy: s, Children: children})
}

func TestRestartTypes(t *testing.T) {
	after := func(r Restart, reason error, want, state string) func(h *harness) {
		return func(h *harness) {
			sup := h.one(h.child("a", r))
			require.Equal(h, "+a", h.log())
			h.tell("a", leave{reason})
			require.Equal(h, want, h.log())
			require.Equal(h, state, h.states(sup))
		}
	}
	wrapped := errors.Join(errors.New("why"), ErrShutdown)
	runCases(t, []otpCase{
		{"permanent is restarted after a failure", after(Permanent, errBoom, "-a +a", "a:running")},
		{"permanent is restarted after a normal exit", after(Permanent, nil, "-a +a", "a:running")},
		{"permanent is restarted after shutdown", after(Permanent, ErrShutdown, "-a +a", "a:running")},
		{"transient is restarted after a failure", after(Transient, errBoom, "-a +a", "a:running")},
		{"transient is kept but not restarted after a normal exit", after(Transient, nil, "-a", "a:stopped")},
		{"transient is not restarted after shutdown", after(Transient, ErrShutdown, "-a", "a:stopped")},
		{"transient is not restarted after shutdown with a reason", after(Transient, wrapped, "-a", "a:stopped")},
		{"transient is restarted when it asks for it", after(Transient, ErrRestart, "-a +a", "a:running")},
		{"temporary is forgotten after a failure", after(Temporary, errBoom, "-a", "")},
		{"temporary is forgotten after a normal exit", after(Temporary, nil, "-a", "")},
		{"intrinsic is restarted after a failure", after(Intrinsic, errBoom, "-a +a", "a:running")},
		{"intrinsic ends its supervisor after a normal exit", func(h *harness) {
			sup := h.one(h.child("b", Permanent), h.child("a", Intrinsic))
			w := h.watch(sup)
			h.log()
			h.tell("a", leave{nil})
			require.Equal(h, "-a -b", h.log())
			require.Len(h, w.told(), 1)
			require.ErrorIs(h, w.told()[0].Reason, ErrShutdown)
		}},
		{"intrinsic is restarted when it asks for it", after(Intrinsic, ErrRestart, "-a +a", "a:running")},
		{"a panic is a failure, told with its stack", func(h *harness) {
			h.one(h.child("a", Transient))
			h.log()
			h.tell("a", boom{"ouch"})
			require.Equal(h, "-a +a", h.log())
			failed := h.told("a", Failed)
			require.Len(h, failed, 1)
			require.ErrorContains(h, failed[0].Reason, "panic: ouch")
			require.Contains(h, string(failed[0].Stack), "(*probe).Receive")
		}},
		{"stopped by a stranger is a normal exit", func(h *harness) {
			sup := h.one(h.child("a", Permanent), h.child("b", Transient))
			h.log()
			h.system.Root.Stop(h.pid("b"))
			h.system.Root.Poison(h.pid("a"))
			require.ElementsMatch(h, []string{"-a", "-b", "+a"}, splitWords(h.log()))
			require.Equal(h, "a:running b:stopped", h.states(sup))
		}},
		{"a new incarnation has a new PID and the old one is dead", func(h *harness) {
			h.one(h.child("a", Permanent))
			old := h.pid("a")
			h.tell("a", boom{1})
			require.False(h, old.Equal(h.pid("a")))
			require.False(h, h.alive(old))
			require.True(h, h.alive(h.pid("a")))
		}},
	})
}

func TestStrategies(t *testing.T) {
	three := func(s Strategy) func(h *harness) *actor.PID {
		return func(h *harness) *actor.PID {
			sup := h.with(s, h.child("a", Permanent), h.child("b", Permanent), h.child("c", Permanent))
			require.Equal(h, "+a +b +c", h.log())
			return sup
		}
	}
	crash := func(s Strategy, who, want string) func(h *harness) {
		return func(h *harness) {
			sup := three(s)(h)
			h.tell(who, boom{1})
			require.Equal(h, want, h.log())
			require.Equal(h, "a:running b:running c:running", h.states(sup))
		}
	}
	runCases(t, []otpCase{
		{"one_for_one restarts the child alone", crash(OneForOne, "b", "-b +b")},
		{"one_for_all restarts all, stopped in reverse order", crash(OneForAll, "b", "-b -c -a +a +b +c")},
		{"rest_for_one restarts the child and those after it", crash(RestForOne, "b", "-b -c +b +c")},
		{"rest_for_one of the first restarts all", crash(RestForOne, "a", "-a -c -b +a +b +c")},
		{"rest_for_one of the last restarts it alone", crash(RestForOne, "c", "-c +c")},
		{"a group restart drops its temporary children", func(h *harness) {
			sup := h.with(OneForAll, h.child("a", Permanent), h.child("t", Temporary), h.child("c", Permanent))
			h.log()
			h.tell("a", boom{1})
			require.Equal(h, "-a -c -t +a +c", h.log())
			require.Equal(h, "a:running c:running", h.states(sup))
		}},
		{"a temporary child's exit concerns nobody else", func(h *harness) {
			h.with(OneForAll, h.child("a", Permanent), h.child("t", Temporary))
			h.log()
			h.tell("t", boom{1})
			require.Equal(h, "-t", h.log())
		}},
		{"a transient child's normal exit concerns nobody else", func(h *harness) {
			h.with(RestForOne, h.child("a", Transient), h.child("b", Permanent))
			h.log()
			h.tell("a", leave{nil})
			require.Equal(h, "-a", h.log())
		}},
		{"a group restart brings back what was terminated", func(h *harness) {
			sup := three(OneForAll)(h)
			h.must(sup, &TerminateChild{ID: "c"})
			h.log()
			h.tell("a", boom{1})
			require.Equal(h, "-a -b +a +b +c", h.log())
		}},
		{"a group restart counts once", func(h *harness) {
			sup := three(OneForAll)(h)
			for range 3 {
				h.tell("b", boom{1})
			}
			require.True(h, h.alive(sup))
			h.tell("b", boom{1})
			require.False(h, h.alive(sup))
		}},
		{"members that crash during a group restart are settled by it", func(h *harness) {
			first := true
			onStop := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Stopping); ok && first {
					first = false
					h.system.Root.Send(h.pid("a"), boom{2})
				}
			}
			sup := h.with(OneForAll, h.child("a", Permanent), h.child("b", Permanent), h.acting("c", Permanent, onStop))
			h.log()
			h.tell("b", boom{1})
			require.ElementsMatch(h, []string{"-b", "-a", "-c", "+a", "+b", "+c"}, splitWords(h.log()))
			require.Equal(h, "a:running b:running c:running", h.states(sup))
			require.Equal(h, 1, h.find(sup, "a").Restarts)
		}},
		{"a failing start in a group restart is tried again from there", func(h *harness) {
			three(RestForOne)(h)
			h.failing("b", 1, errBoom)
			h.tell("a", boom{1})
			require.Equal(h, "-a -c -b +a !b +b +c", h.log())
		}},
		{"one_for_all tries again with all of them", func(h *harness) {
			three(OneForAll)(h)
			h.failing("b", 1, errBoom)
			h.tell("c", boom{1})
			require.Equal(h, "-c -b -a +a !b -a +a +b +c", h.log())
		}},
	})
}

func TestStartOrder(t *testing.T) {
	runCases(t, []otpCase{
		{"a child's Started is over before the next child starts", func(h *harness) {
			slow := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					time.Sleep(time.Second)
					h.note("up")
				}
			}
			h.one(h.acting("a", Permanent, slow), h.child("b", Permanent))
			h.sleep(time.Second)
			require.Equal(h, "+a@0s up@1s +b@1s", h.timed())
		}},
		{"NoWait does not hold up the next child", func(h *harness) {
			slow := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					time.Sleep(time.Second)
					h.note("up")
				}
			}
			h.one(h.acting("a", Permanent, slow, noWait), h.child("b", Permanent))
			h.sleep(time.Second)
			got := h.timed()
			require.Contains(h, got, "+b@0s")
			require.Contains(h, got, "up@1s")
		}},
		{"a failing first start stops what was started and ends the supervisor", func(h *harness) {
			h.failing("c", -1, errBoom)
			pid, err := Spawn(h.system.Root, "", Spec{Children: []ChildSpec{
				h.child("a", Permanent), h.child("b", Permanent), h.child("c", Permanent), h.child("d", Permanent)}})
			require.NoError(h, err)
			w := h.watch(pid)
			require.Equal(h, "+a +b !c -b -a", h.log())
			require.False(h, h.alive(pid))
			require.Len(h, w.told(), 1)
		}},
		{"the reason names the child, its error, and is a shutdown", func(h *harness) {
			block := make(chan struct{})
			h.fails["a"] = func() error { <-block; return errBoom }
			pid, _ := Spawn(h.system.Root, "", Spec{Children: []ChildSpec{h.child("a", Permanent)}})
			w := h.watch(pid)
			close(block)
			require.Len(h, w.told(), 1)
			reason := w.told()[0].Reason
			var failed *StartError
			require.ErrorAs(h, reason, &failed)
			require.Equal(h, "a", failed.ID)
			require.ErrorIs(h, reason, errBoom)
			require.ErrorIs(h, reason, ErrShutdown)
		}},
		{"a panic in Start is a failed start", func(h *harness) {
			h.fails["a"] = func() error { panic("no") }
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: h.child("a", Permanent)})
			require.ErrorContains(h, err, "panic: no")
		}},
		{"a panic in Started is a failed start", func(h *harness) {
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: h.acting("a", Permanent, func(actor.Context) { panic("no") })})
			require.ErrorContains(h, err, "panic: no")
			require.Equal(h, "", h.states(sup))
		}},
		{"Exit in Started is a failed start", func(h *harness) {
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: h.acting("a", Permanent, func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					Exit(ctx, errBoom)
				}
			})})
			require.ErrorIs(h, err, errBoom)
		}},
		{"a nil actor is a failed start", func(h *harness) {
			sup := h.one()
			spec := h.child("a", Permanent)
			spec.Start = noActor
			_, err := h.call(sup, &StartChild{Spec: spec})
			require.ErrorIs(h, err, errNilActor)
		}},
		{"an ignored start keeps the spec without an incarnation", func(h *harness) {
			h.failing("a", 1, ErrIgnore)
			sup := h.one(h.child("a", Permanent), h.child("b", Permanent))
			require.Equal(h, "a:stopped b:running", h.states(sup))
			started := h.must(sup, &RestartChild{ID: "a"}).(*ChildStarted)
			require.True(h, started.PID.Equal(h.pid("a")))
		}},
		{"an ignored temporary start leaves nothing", func(h *harness) {
			h.failing("a", 1, ErrIgnore)
			sup := h.one()
			require.Nil(h, h.must(sup, &StartChild{Spec: h.child("a", Temporary)}).(*ChildStarted).PID)
			require.Equal(h, "", h.states(sup))
		}},
		{"an exit during the first start is handled after it", func(h *harness) {
			crash := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					h.system.Root.Send(h.pid("a"), boom{1})
					time.Sleep(time.Second)
				}
			}
			h.one(h.child("a", Permanent), h.acting("b", Permanent, crash), h.child("c", Permanent))
			h.sleep(time.Second)
			require.Equal(h, "+a@0s +b@0s -a@0s +c@1s +a@1s", h.timed())
		}},
		{"WaitStarted returns when all are up", func(h *harness) {
			slow := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					time.Sleep(3 * time.Second)
				}
			}
			sup := h.one(h.acting("a", Permanent, slow))
			require.NoError(h, WaitStarted(h.Context(), h.system, sup))
			require.Equal(h, 3*time.Second, time.Since(h.birth))
		}},
		{"WaitStarted tells of a first start that failed", func(h *harness) {
			h.fails["a"] = func() error { time.Sleep(time.Second); return errBoom }
			sup := h.one(h.child("a", Permanent))
			require.ErrorIs(h, WaitStarted(h.Context(), h.system, sup), ErrShutdown)
		}},
	})
}
