package supervisor

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

func TestIntensity(t *testing.T) {
	runCases(t, []otpCase{
		{"three restarts in ten seconds by default, the fourth failure is too much", func(h *harness) {
			sup := h.one(h.child("a", Permanent), h.child("b", Permanent))
			w := h.watch(sup)
			for range 3 {
				h.tell("a", boom{1})
			}
			require.Equal(h, "+a +b -a +a -a +a -a +a", h.log())
			h.tell("a", boom{1})
			require.Equal(h, "-a -b", h.log())
			require.Len(h, w.told(), 1)
			require.ErrorIs(h, w.told()[0].Reason, ErrShutdown)
			require.ErrorIs(h, w.told()[0].Reason, ErrMaxRestarts)
			require.Len(h, h.told("a", GaveUp), 1)
		}},
		{"intensity is the supervisor's, not the child's", func(h *harness) {
			sup := h.one(h.child("a", Permanent), h.child("b", Permanent))
			for range 2 {
				h.tell("a", boom{1})
				h.tell("b", boom{1})
			}
			require.False(h, h.alive(sup))
		}},
		{"a restart counts as long as it is within the period, to the end of it", func(h *harness) {
			sup := h.spawn(Spec{MaxRestarts: 1, Within: 10 * time.Second, Children: []ChildSpec{h.child("a", Permanent)}})
			h.tell("a", boom{1})
			h.sleep(10 * time.Second)
			h.tell("a", boom{1})
			require.False(h, h.alive(sup))
		}},
		{"a restart no longer counts after the period", func(h *harness) {
			sup := h.spawn(Spec{MaxRestarts: 1, Within: 10 * time.Second, Children: []ChildSpec{h.child("a", Permanent)}})
			for range 5 {
				h.tell("a", boom{1})
				h.sleep(10*time.Second + 1)
			}
			require.True(h, h.alive(sup))
		}},
		{"NoImmediate gives up at the first failure", func(h *harness) {
			sup := h.spawn(Spec{MaxRestarts: NoImmediate, Children: []ChildSpec{h.child("a", Permanent)}})
			h.log()
			h.tell("a", boom{1})
			require.Equal(h, "-a", h.log())
			require.False(h, h.alive(sup))
		}},
		{"a failing restart is tried again and counted", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.failing("a", 2, errBoom)
			h.tell("a", boom{1})
			require.Equal(h, "+a -a !a !a +a", h.log())
			require.True(h, h.alive(sup))
			require.Equal(h, 1, h.find(sup, "a").Restarts)
			require.ErrorIs(h, h.find(sup, "a").LastFailure, errBoom)
		}},
		{"failing restarts exhaust the intensity", func(h *harness) {
			sup := h.one(h.child("a", Permanent))
			h.failing("a", -1, errBoom)
			h.tell("a", boom{1})
			require.Equal(h, "+a -a !a !a !a", h.log())
			require.False(h, h.alive(sup))
		}},
		{"giving up escalates: a permanent nested supervisor is restarted", func(h *harness) {
			nested := Child("in", Permanent, Spec{MaxRestarts: NoImmediate, Children: []ChildSpec{h.child("a", Permanent)}})
			sup := h.one(nested, h.child("b", Permanent))
			h.log()
			h.tell("a", boom{1})
			require.Equal(h, "-a +a", h.log())
			require.Equal(h, 1, h.find(sup, "in").Restarts)
		}},
		{"giving up is a shutdown: a transient nested supervisor stays down", func(h *harness) {
			nested := Child("in", Transient, Spec{MaxRestarts: NoImmediate, Children: []ChildSpec{h.child("a", Permanent)}})
			sup := h.one(nested)
			h.tell("a", boom{1})
			require.Equal(h, "in:stopped", h.states(sup))
		}},
		{"escalation goes up to the root", func(h *harness) {
			in := Spec{MaxRestarts: NoImmediate, Children: []ChildSpec{h.child("a", Permanent)}}
			mid := Spec{MaxRestarts: NoImmediate, Children: []ChildSpec{Child("in", Permanent, in)}}
			sup := h.spawn(Spec{MaxRestarts: NoImmediate, Children: []ChildSpec{h.child("z", Permanent), Child("mid", Permanent, mid)}})
			h.log()
			h.tell("a", boom{1})
			require.Equal(h, "-a -z", h.log())
			require.False(h, h.alive(sup))
		}},
		{"a nested supervisor whose first start fails is a failed start", func(h *harness) {
			h.failing("a", 1, errBoom)
			sup := h.one()
			_, err := h.call(sup, &StartChild{Spec: Child("in", Permanent, Spec{Children: []ChildSpec{h.child("a", Permanent)}})})
			require.ErrorIs(h, err, errBoom)
			require.Equal(h, "", h.states(sup))
		}},
	})
}

// delayed makes a supervisor as brod does: every restart is delayed.
func (h *harness) delayed(s Strategy, children ...ChildSpec) *actor.PID {
	return h.spawn(Spec{Strategy: s, MaxRestarts: NoImmediate, Within: time.Second, Children: children})
}

func TestDelayedRestarts(t *testing.T) {
	const d = 5 * time.Second
	runCases(t, []otpCase{
		{"NoImmediate delays every restart by exactly the delay", func(h *harness) {
			sup := h.delayed(OneForOne, h.child("a", Permanent.After(d)))
			h.sleep(time.Second)
			h.tell("a", boom{1})
			require.Equal(h, "a:delayed", h.states(sup))
			h.sleep(d - 1)
			require.Equal(h, "+a@0s -a@1s", h.timed())
			h.sleep(1)
			require.Equal(h, "+a@6s", h.timed())
			require.Equal(h, "a:running", h.states(sup))
			require.Equal(h, d, h.told("a", Delayed)[0].Delay)
		}},
		{"by default three restarts are immediate, then the delay applies", func(h *harness) {
			h.one(h.child("a", Permanent.After(d)))
			for range 4 {
				h.tell("a", boom{1})
			}
			h.sleep(d)
			require.Equal(h, "+a@0s -a@0s +a@0s -a@0s +a@0s -a@0s +a@0s -a@0s +a@5s", h.timed())
		}},
		{"the delayed attempt is not counted and what was counted is forgotten", func(h *harness) {
			h.one(h.child("a", Permanent.After(d)))
			for range 4 {
				h.tell("a", boom{1})
			}
			h.sleep(d)
			h.log()
			for range 3 {
				h.tell("a", boom{1})
			}
			require.Equal(h, "-a@5s +a@5s -a@5s +a@5s -a@5s +a@5s", h.timed())
			h.tell("a", boom{1})
			require.Equal(h, "-a@5s", h.timed())
		}},
		{"delayed specs count for themselves", func(h *harness) {
			sup := h.one(h.child("a", Permanent.After(d)), h.child("b", Permanent.After(d)), h.child("c", Permanent))
			for range 3 {
				h.tell("a", boom{1})
				h.tell("b", boom{1})
				h.tell("c", boom{1})
			}
			require.Equal(h, "a:running b:running c:running", h.states(sup))
			h.tell("a", boom{1})
			require.Equal(h, "a:delayed b:running c:running", h.states(sup))
		}},
		{"delayed children never end their supervisor", func(h *harness) {
			sup := h.delayed(OneForOne, h.child("a", Permanent.After(d)))
			for range 50 {
				h.tell("a", boom{1})
				h.sleep(d)
			}
			require.True(h, h.alive(sup))
			require.Equal(h, 50, h.find(sup, "a").Restarts)
		}},
		{"a failing start of a delayed child is delayed again, for ever", func(h *harness) {
			h.delayed(OneForOne, h.child("a", Permanent.After(d)))
			h.failing("a", 3, errBoom)
			h.tell("a", boom{1})
			h.sleep(4 * d)
			require.Equal(h, "+a@0s -a@0s !a@5s !a@10s !a@15s +a@20s", h.timed())
		}},
		{"with immediate restarts left a failing delayed start uses them first", func(h *harness) {
			h.spawn(Spec{MaxRestarts: 1, Children: []ChildSpec{h.child("a", Permanent.After(d))}})
			h.tell("a", boom{1})
			h.failing("a", 3, errBoom)
			h.tell("a", boom{1})
			h.sleep(2 * d)
			require.Equal(h, "+a@0s -a@0s +a@0s -a@0s !a@5s !a@5s !a@10s +a@10s", h.timed())
		}},
		{"transient delayed restarts after failures only", func(h *harness) {
			sup := h.delayed(OneForOne, h.child("a", Transient.After(d)))
			h.tell("a", boom{1})
			require.Equal(h, "a:delayed", h.states(sup))
			h.sleep(d)
			h.tell("a", leave{ErrShutdown})
			require.Equal(h, "a:stopped", h.states(sup))
		}},
		{"intrinsic delayed ends the supervisor normally and is delayed after failures", func(h *harness) {
			sup := h.delayed(OneForOne, h.child("a", Intrinsic.After(d)))
			h.tell("a", boom{1})
			require.Equal(h, "a:delayed", h.states(sup))
			h.sleep(d)
			h.tell("a", leave{nil})
			require.False(h, h.alive(sup))
		}},
		{"terminate calls a delayed restart off", func(h *harness) {
			sup := h.delayed(OneForOne, h.child("a", Permanent.After(d)))
			h.tell("a", boom{1})
			h.must(sup, &TerminateChild{ID: "a"})
			h.log()
			h.sleep(2 * d)
			require.Equal(h, "", h.log())
			require.Equal(h, "a:stopped", h.states(sup))
			h.must(sup, &RestartChild{ID: "a"})
			require.Equal(h, "+a", h.log())
		}},
		{"restart, delete and start of a delayed child are refused", func(h *harness) {
			sup := h.delayed(OneForOne, h.child("a", Permanent.After(d)))
			h.tell("a", boom{1})
			_, err := h.call(sup, &RestartChild{ID: "a"})
			require.ErrorIs(h, err, ErrRestarting)
			_, err = h.call(sup, &DeleteChild{ID: "a"})
			require.ErrorIs(h, err, ErrRestarting)
			_, err = h.call(sup, &StartChild{Spec: h.child("a", Permanent)})
			require.ErrorIs(h, err, ErrAlreadyPresent)
		}},
		{"a stopping supervisor does not wait for a delay", func(h *harness) {
			sup := h.delayed(OneForOne, h.child("a", Permanent.After(time.Hour)))
			h.tell("a", boom{1})
			require.NoError(h, Stop(h.system, sup, time.Second))
			require.Equal(h, time.Duration(0), time.Since(h.birth))
		}},
		{"rest_for_one parks the whole stopped group", func(h *harness) {
			sup := h.delayed(RestForOne, h.child("a", Permanent), h.child("b", Permanent.After(d)), h.child("c", Permanent))
			h.log()
			h.tell("b", boom{1})
			require.Equal(h, "-b@0s -c@0s", h.timed())
			require.Equal(h, "a:running b:delayed c:delayed", h.states(sup))
			h.sleep(d)
			require.Equal(h, "+b@5s +c@5s", h.timed())
		}},
		{"one_for_all parks everybody", func(h *harness) {
			sup := h.delayed(OneForAll, h.child("a", Permanent), h.child("b", Permanent.After(d)), h.child("c", Permanent))
			h.log()
			h.tell("b", boom{1})
			require.Equal(h, "-b@0s -c@0s -a@0s", h.timed())
			require.Equal(h, "a:delayed b:delayed c:delayed", h.states(sup))
			h.sleep(d)
			require.Equal(h, "+a@5s +b@5s +c@5s", h.timed())
		}},
		{"the delay counts from the failure, however long the group takes to stop", func(h *harness) {
			slow := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Stopping); ok {
					time.Sleep(2 * time.Second)
				}
			}
			h.delayed(RestForOne, h.child("b", Permanent.After(d)), h.acting("c", Permanent, slow))
			h.tell("b", boom{1})
			h.sleep(d)
			require.Equal(h, "+b@0s +c@0s -b@0s -c@2s +b@5s +c@5s", h.timed())
		}},
		{"a stop longer than the delay postpones the start", func(h *harness) {
			slow := func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Stopping); ok {
					time.Sleep(4 * time.Second)
				}
			}
			h.delayed(RestForOne, h.child("b", Permanent.After(time.Second)), h.acting("c", Permanent, slow))
			h.tell("b", boom{1})
			h.sleep(d)
			require.Equal(h, "+b@0s +c@0s -b@0s -c@4s +b@4s +c@4s", h.timed())
		}},
		{"an earlier child's restart takes a parked group with it", func(h *harness) {
			h.spawn(Spec{Strategy: RestForOne, MaxRestarts: 1, Children: []ChildSpec{
				h.child("a", Permanent), h.child("b", Permanent.After(d)), h.child("c", Permanent)}})
			h.tell("b", boom{1})
			h.tell("b", boom{1})
			h.log()
			h.sleep(time.Second)
			h.tell("a", boom{1})
			require.Equal(h, "-a@1s +a@1s +b@1s +c@1s", h.timed())
			h.sleep(2 * d)
			require.Equal(h, "", h.timed())
		}},
		{"a parked group goes on without a terminated leader", func(h *harness) {
			sup := h.delayed(RestForOne, h.child("a", Permanent), h.child("b", Permanent.After(d)), h.child("c", Permanent))
			h.tell("b", boom{1})
			h.log()
			h.must(sup, &TerminateChild{ID: "b"})
			require.Equal(h, "a:running b:stopped c:delayed", h.states(sup))
			h.sleep(d)
			require.Equal(h, "+c@5s", h.timed())
		}},
		{"a failing start in a parked group parks from there", func(h *harness) {
			sup := h.delayed(RestForOne, h.child("a", Permanent.After(d)), h.child("b", Permanent.After(2*d)), h.child("c", Permanent))
			h.log()
			h.failing("b", 1, errBoom)
			h.tell("a", boom{1})
			h.sleep(d)
			require.Equal(h, "-a@0s -c@0s -b@0s +a@5s !b@5s", h.timed())
			require.Equal(h, "a:running b:delayed c:delayed", h.states(sup))
			h.sleep(2 * d)
			require.Equal(h, "+b@15s +c@15s", h.timed())
		}},
		{"a delayed nested supervisor comes back with all its children", func(h *harness) {
			in := Spec{Children: []ChildSpec{h.child("x", Permanent), h.child("y", Permanent)}}
			h.delayed(OneForOne, Child("in", Permanent.After(d), in))
			for range 4 {
				h.tell("x", boom{1})
			}
			h.log()
			h.sleep(d)
			require.Equal(h, "+x@5s +y@5s", h.timed())
		}},
	})
}
