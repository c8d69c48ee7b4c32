package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// harness is an actor system in a synctest bubble, with a journal of what its
// probes did and when.
type harness struct {
	*testing.T
	system *actor.ActorSystem
	birth  time.Time
	before int // registry entries

	guardedWatchers bool // those of watch are actors of this package, not plain ones

	mu      sync.Mutex
	journal []entry
	pids    map[string]*actor.PID
	fails   map[string]func() error // called by Start, by id
	events  []*Event
	roots   []*actor.PID
	dead    []any
}

type entry struct {
	what string
	at   time.Duration
}

func quiet(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(quiet))
}

// bubble runs do with virtual time; what it left running fails the test.
func bubble(t *testing.T, system *actor.ActorSystem, do func(h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, system)
		defer h.system.EventStream.Unsubscribe(h.system.EventStream.Subscribe(h.observe))
		defer h.clear()
		do(h)
		h.finish()
	})
}

func newHarness(t *testing.T, system *actor.ActorSystem) *harness {
	h := &harness{T: t, system: system, birth: time.Now(), pids: map[string]*actor.PID{}, fails: map[string]func() error{}}
	extensionOf(h.system)
	h.before = registered(h.system)
	return h
}

func (h *harness) observe(ev any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch ev := ev.(type) {
	case *Event:
		h.events = append(h.events, ev)
	case *actor.DeadLetterEvent:
		h.dead = append(h.dead, ev.Message)
	}
}

// finish stops every root and lets the pool run empty.
func (h *harness) finish() {
	for _, pid := range h.roots {
		require.NoError(h, Stop(h.system, pid, time.Hour))
	}
	time.Sleep(5 * time.Second)
	synctest.Wait()
	h.clean()
}

// clear stops what a failed case left, so that the bubble can end and tell.
func (h *harness) clear() {
	if !h.Failed() {
		return
	}
	for _, pid := range h.roots {
		_ = Stop(h.system, pid, time.Hour)
	}
	time.Sleep(time.Minute)
	synctest.Wait()
}

// clean checks that nothing is left: guards, registry entries, pool goroutines.
func (h *harness) clean() {
	ext := extensionOf(h.system)
	ext.guards.Range(func(id, _ any) bool { h.Errorf("left running: %v", id); return true })
	require.Equal(h, h.before, registered(h.system), "registry entries")
	ext.pool.mu.Lock()
	defer ext.pool.mu.Unlock()
	require.Empty(h, ext.pool.idle)
	require.False(h, ext.pool.sweeping)
}

func registered(system *actor.ActorSystem) (n int) {
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		n += bucket.Count()
	}
	return n
}

func (h *harness) note(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.journal = append(h.journal, entry{what, time.Since(h.birth)})
}

// log gives the journal as one line and empties it.
func (h *harness) log() string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, e := range h.journal {
		out = append(out, e.what)
	}
	h.journal = nil
	return strings.Join(out, " ")
}

// timed is log with the virtual time of each entry.
func (h *harness) timed() string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, e := range h.journal {
		out = append(out, fmt.Sprintf("%s@%v", e.what, e.at))
	}
	h.journal = nil
	return strings.Join(out, " ")
}

func (h *harness) told(id string, state State) (found []*Event) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ev := range h.events {
		if ev.ID == id && ev.State == state {
			found = append(found, ev)
		}
	}
	return found
}

func (h *harness) deadLetters() []any {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]any(nil), h.dead...)
}

// spawn spawns a supervisor and waits until all is quiet.
func (h *harness) spawn(spec Spec) *actor.PID {
	h.Helper()
	pid, err := Spawn(h.system.Root, "", spec)
	require.NoError(h, err)
	h.roots = append(h.roots, pid)
	synctest.Wait()
	return pid
}

func (h *harness) call(pid *actor.PID, msg any) (any, error) {
	return Call(context.Background(), h.system, pid, msg)
}

func (h *harness) must(pid *actor.PID, msg any) any {
	h.Helper()
	answer, err := h.call(pid, msg)
	require.NoError(h, err)
	return answer
}

func (h *harness) find(sup *actor.PID, id string) ChildInfo {
	h.Helper()
	return h.must(sup, &FindChild{ID: id}).(*ChildFound).Child
}

// states gives "a:running b:stopped".
func (h *harness) states(sup *actor.PID) string {
	h.Helper()
	var out []string
	for _, c := range h.must(sup, &WhichChildren{}).(*Children).List {
		out = append(out, c.ID+":"+c.State.String())
	}
	return strings.Join(out, " ")
}

func (h *harness) pid(id string) *actor.PID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pids[id]
}

// tell sends to the last incarnation of the probe and waits until all is quiet.
func (h *harness) tell(id string, msg any) {
	h.system.Root.Send(h.pid(id), msg)
	synctest.Wait()
}

func (h *harness) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (h *harness) alive(pid *actor.PID) bool {
	_, ok := h.system.ProcessRegistry.Get(pid)
	return ok
}

// watch monitors pid from an actor and gives what it was told.
func (h *harness) watch(pid *actor.PID) *watcher {
	w := &watcher{}
	receive := func(ctx actor.Context) {
		switch msg := ctx.Message().(type) {
		case *actor.Started:
			w.ref = Monitor(ctx, pid)
		case *Down:
			w.mu.Lock()
			w.downs = append(w.downs, msg)
			w.mu.Unlock()
		case string:
			Demonitor(ctx, w.ref)
		}
	}
	props := actor.PropsFromFunc(receive)
	if h.guardedWatchers {
		props = guardedProps(newGuard(extensionOf(h.system), "watcher", starts(receive)), nil)
	}
	owner := h.system.Root.Spawn(props)
	w.pid = owner
	h.roots = append(h.roots, owner)
	synctest.Wait()
	return w
}

type watcher struct {
	pid   *actor.PID
	ref   Ref
	mu    sync.Mutex
	downs []*Down
}

func (w *watcher) told() []*Down {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*Down(nil), w.downs...)
}

// What probes understand.
type (
	boom  struct{ value any }    // panic
	leave struct{ reason error } // Exit
	hang  struct{ until <-chan struct{} }
	run   func(ctx actor.Context)
	ping  struct{}
	pong  struct{ pid *actor.PID }
)

// probe is a child that notes its life and does as it is told.
type probe struct {
	h    *harness
	id   string
	life context.Context
	on   func(ctx actor.Context) // called first, with every message
}

func (p *probe) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		p.h.note("+" + p.id)
		p.h.mu.Lock()
		p.h.pids[p.id] = ctx.Self()
		p.h.mu.Unlock()
	case *actor.Stopped:
		p.h.note("-" + p.id)
	}
	if p.on != nil {
		p.on(ctx)
	}
	switch msg := ctx.Message().(type) {
	case boom:
		panic(msg.value)
	case leave:
		Exit(ctx, msg.reason)
	case hang:
		<-msg.until
	case run:
		msg(ctx)
	case ping:
		ctx.Respond(pong{ctx.Self()})
	}
}

// child is a spec of a probe. Its Start asks fails[id] first.
func (h *harness) child(id string, restart Restart, with ...func(*ChildSpec)) ChildSpec {
	return h.acting(id, restart, nil, with...)
}

func (h *harness) acting(id string, restart Restart, on func(actor.Context), with ...func(*ChildSpec)) ChildSpec {
	spec := ChildSpec{ID: id, Restart: restart, Start: func(life context.Context, arg any) (actor.Actor, error) {
		h.mu.Lock()
		fail := h.fails[id]
		h.mu.Unlock()
		if fail != nil {
			if err := fail(); err != nil {
				h.note("!" + id)
				return nil, err
			}
		}
		name := id
		if arg != nil {
			name = fmt.Sprint(arg)
		}
		return &probe{h: h, id: name, life: life, on: on}, nil
	}}
	for _, w := range with {
		w(&spec)
	}
	return spec
}

// failing makes the starts of id fail as long as times lasts; -1: for ever.
func (h *harness) failing(id string, times int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails[id] = func() error {
		if times == 0 {
			return nil
		}
		times--
		return err
	}
}

func stopsIn(d time.Duration) func(*ChildSpec)  { return func(c *ChildSpec) { c.Shutdown = d } }
func startsIn(d time.Duration) func(*ChildSpec) { return func(c *ChildSpec) { c.Startup = d } }
func named(name string) func(*ChildSpec)        { return func(c *ChildSpec) { c.Name = name } }
func noWait(c *ChildSpec)                       { c.NoWait = true }
