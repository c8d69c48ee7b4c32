package supervisor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestRandomTrees runs random trees of actors through random misfortune, in
// virtual time, and checks what has to hold for each. 1,000 of them; 10,000
// with MOLDAU_SOAK=1.
func TestRandomTrees(t *testing.T) {
	trees := 1000
	if os.Getenv("MOLDAU_SOAK") != "" {
		trees = 10_000
	}
	// Not more at a time: rapid ends a check after a day, and time flies here.
	const batch = 200
	checks := flag.Lookup("rapid.checks")
	require.NoError(t, checks.Value.Set(strconv.Itoa(batch)))
	defer func() { _ = checks.Value.Set(checks.DefValue) }()
	grown, system := 0, newSystem()
	for range trees / batch {
		synctest.Test(t, func(t *testing.T) {
			f := &forest{harness: newHarness(t, system)}
			defer system.EventStream.Unsubscribe(system.EventStream.Subscribe(f.seen))
			rapid.Check(plainTB{t}, f.check)
			grown += f.grown
			time.Sleep(5 * time.Second)
			synctest.Wait()
			f.clean()
		})
	}
	require.GreaterOrEqual(t, grown, trees)
}

// plainTB hides that it is a *testing.T, whose Deadline a bubble has not.
type plainTB struct{ rapid.TB }

// forest is where the trees grow, one after the other.
type forest struct {
	*harness
	grown int
	mu    sync.Mutex
	tree  *tree
}

// tree is one random tree and what is known of it.
type tree struct {
	*forest
	t     *rapid.T
	root  *actor.PID
	guard *actor.PID // monitors every incarnation that comes up
	specs int

	mu       sync.Mutex
	limits   map[string]limit // by child id: what its supervisor allows
	history  map[string]*history
	sups     map[string]Spec // by the supervisor's own id
	brutal   map[string]bool // ids of leaves whose end nobody waits for
	leaves   []leaf
	ended    []string // PIDs of leaves, in the order of their Stopped
	watched  map[Ref]int
	problems []string
}

type limit struct {
	max     int
	within  time.Duration
	delayed bool
}

// history is what counts against an intensity, and who is parked.
type history struct {
	restarts []time.Duration
	parked   []parking
}

type parking struct{ at, delay time.Duration }

type leaf struct {
	id  string
	pid *actor.PID
}

func (f *forest) seen(ev any) {
	f.mu.Lock()
	t := f.tree
	f.mu.Unlock()
	if e, ok := ev.(*Event); ok && t != nil {
		t.event(e)
	}
}

// check grows a tree, lets things happen to it, stops it, and looks at all.
func (f *forest) check(rt *rapid.T) {
	t := &tree{forest: f, t: rt, limits: map[string]limit{}, history: map[string]*history{}, brutal: map[string]bool{}, sups: map[string]Spec{}, watched: map[Ref]int{}}
	t.guard = f.system.Root.Spawn(Props(f.system, func() actor.Actor { return actor.ReceiveFunc(t.monitorAll) }))
	f.mu.Lock()
	f.tree = t
	f.mu.Unlock()
	defer t.fell()
	spec := t.drawSpec("root", 0)
	root, err := Spawn(f.system.Root, "", spec)
	require.NoError(rt, err)
	t.root = root
	synctest.Wait()
	for range rapid.IntRange(1, 12).Draw(rt, "steps") {
		t.misfortune()
		synctest.Wait()
		t.checkNoOrphan()
	}
	t.checkStop()
	t.fell()
	t.checkEnd()
	f.grown++
}

// fell ends everything and waits also for what was left behind.
func (t *tree) fell() {
	if t.root != nil {
		require.NoError(t.t, Stop(t.system, t.root, time.Hour))
		time.Sleep(time.Minute)
		synctest.Wait()
	}
	require.NoError(t.t, Stop(t.system, t.guard, time.Hour))
	synctest.Wait()
}

func (t *tree) drawSpec(sup string, depth int) Spec {
	s := Spec{
		Strategy:    Strategy(rapid.IntRange(0, 3).Draw(t.t, "strategy")),
		MaxRestarts: rapid.IntRange(-1, 3).Draw(t.t, "max"),
		Within:      time.Duration(rapid.IntRange(1, 10).Draw(t.t, "within")) * time.Second,
	}
	t.sups[sup] = s
	n := rapid.IntRange(0, 4).Draw(t.t, "children")
	if s.Strategy == SimpleOneForOne {
		n = 1
	}
	for range n {
		s.Children = append(s.Children, t.drawChild(s, depth))
	}
	return s
}

func (t *tree) drawChild(s Spec, depth int) ChildSpec {
	t.specs++
	id := "c" + strconv.Itoa(t.specs)
	restart := rapid.SampledFrom([]Restart{
		Permanent, Permanent, Transient, Temporary, Intrinsic,
		Permanent.After(5 * time.Second), Transient.After(2 * time.Second),
	}).Draw(t.t, "restart")
	t.limit(id, s, restart)
	if depth < 2 && s.Strategy != SimpleOneForOne && rapid.IntRange(0, 2).Draw(t.t, "nested") == 0 {
		return Child(id, restart, t.drawSpec(id, depth+1))
	}
	spec := ChildSpec{ID: id, Restart: restart, Start: t.starter(id)}
	spec.Shutdown = rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, BrutalKill}).Draw(t.t, "shutdown")
	t.brutal[id] = spec.Shutdown == BrutalKill
	return spec
}

// limit notes what a child's supervisor allows.
func (t *tree) limit(id string, s Spec, restart Restart) {
	cfg := s.config()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limits[id] = limit{max: cfg.MaxRestarts, within: cfg.Within, delayed: restart.Delay() > 0}
}

// starter makes leaves; some of their starts fail, some are rude when they end.
func (t *tree) starter(id string) func(context.Context, any) (actor.Actor, error) {
	rude := rapid.IntRange(0, 11).Draw(t.t, "rude")
	failing := rapid.SampledFrom([]int{0, 0, 0, 0, 0, 3, 4}).Draw(t.t, "failing")
	var mu sync.Mutex
	starts := 0
	return func(context.Context, any) (actor.Actor, error) {
		mu.Lock()
		starts++
		fail := failing > 0 && starts%failing == 0
		mu.Unlock()
		if fail {
			return nil, errBoom
		}
		return actor.ReceiveFunc(func(ctx actor.Context) { t.live(ctx, id, rude) }), nil
	}
}

// live is a leaf's Receive.
func (t *tree) live(ctx actor.Context, id string, rude int) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		t.mu.Lock()
		t.leaves = append(t.leaves, leaf{id, ctx.Self()})
		t.mu.Unlock()
	case *actor.Stopping:
		switch rude {
		case 0:
			panic("rude")
		case 1:
			runtime.Goexit()
		case 2:
			time.Sleep(500 * time.Millisecond)
		}
	case *actor.Stopped:
		t.mu.Lock()
		if !t.brutal[id] {
			t.ended = append(t.ended, ctx.Self().Id)
		}
		t.mu.Unlock()
		if rude == 3 {
			panic("rude")
		}
	case func(actor.Context):
		msg(ctx)
	}
}

// misfortune is one random thing that happens.
func (t *tree) misfortune() {
	t.mu.Lock()
	leaves := slices.DeleteFunc(slices.Clone(t.leaves), func(l leaf) bool { return !t.alive(l.pid) })
	t.mu.Unlock()
	what := rapid.IntRange(0, 9).Draw(t.t, "misfortune")
	if what <= 5 && len(leaves) > 0 {
		victim := leaves[rapid.IntRange(0, len(leaves)-1).Draw(t.t, "victim")]
		t.system.Root.Send(victim.pid, t.drawBlow())
		return
	}
	switch what {
	case 6, 7:
		time.Sleep(time.Duration(rapid.IntRange(1, 6000).Draw(t.t, "ms")) * time.Millisecond)
	default:
		t.ask()
	}
}

func (t *tree) drawBlow() func(actor.Context) {
	reason := rapid.SampledFrom([]error{nil, errBoom, errBoom, ErrShutdown, ErrRestart}).Draw(t.t, "reason")
	switch rapid.IntRange(0, 5).Draw(t.t, "blow") {
	case 0, 1:
		return func(actor.Context) { panic(errBoom) }
	case 2:
		return func(actor.Context) { runtime.Goexit() }
	case 3:
		d := time.Duration(rapid.IntRange(1, 20).Draw(t.t, "hang")) * time.Second
		return func(actor.Context) { time.Sleep(d) }
	}
	return func(ctx actor.Context) { Exit(ctx, reason) }
}

// ask sends a random request to a random supervisor and takes any answer.
func (t *tree) ask() {
	sups := t.supervisors()
	if len(sups) == 0 {
		return
	}
	sup := sups[rapid.IntRange(0, len(sups)-1).Draw(t.t, "sup")]
	id := "none"
	if n := len(sup.Children); n > 0 {
		id = sup.Children[rapid.IntRange(0, n-1).Draw(t.t, "child")].ID
	}
	var msg any = &TerminateChild{ID: id}
	switch rapid.IntRange(0, 4).Draw(t.t, "request") {
	case 0:
		msg = &RestartChild{ID: id}
	case 1:
		msg = &DeleteChild{ID: id}
	case 2, 3:
		msg = t.drawStart(sup)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if _, err := Call(ctx, t.system, sup.PID, msg); errors.Is(err, context.DeadlineExceeded) {
		t.t.Fatalf("no answer to %T", msg)
	}
}

func (t *tree) drawStart(sup *Node) any {
	if sup.Strategy == SimpleOneForOne {
		return &StartChild{}
	}
	key := sup.ID
	if sup.PID.Equal(t.root) {
		key = "root"
	}
	restart := rapid.SampledFrom([]Restart{Temporary, Permanent.After(time.Second)}).Draw(t.t, "new")
	t.specs++
	id := "n" + strconv.Itoa(t.specs)
	t.limit(id, t.sups[key], restart)
	return &StartChild{Spec: ChildSpec{ID: id, Restart: restart, Start: t.starter(id)}}
}

func (t *tree) look() *Node {
	node, err := Snapshot(context.Background(), t.system, t.root)
	if err != nil {
		return nil
	}
	return node
}

func (t *tree) supervisors() (found []*Node) {
	walk(t.look(), func(n *Node) {
		if n.Type == Supervisor && n.PID != nil {
			found = append(found, n)
		}
	})
	return found
}

func walk(n *Node, visit func(*Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, c := range n.Children {
		walk(c, visit)
	}
}

// checkNoOrphan: every living actor of ours is in the tree, or was told to end.
// A snapshot may wait for the busy ones, so what came up meanwhile is left out.
func (t *tree) checkNoOrphan() {
	before := t.living()
	known := map[string]bool{}
	walk(t.look(), func(n *Node) {
		if n.PID != nil {
			known[n.PID.Id] = true
		}
	})
	after := t.living()
	for id := range before {
		if after[id] && !known[id] {
			t.t.Fatalf("%v lives outside of the tree", id)
		}
	}
}

// living are the actors that were not told to end.
func (t *tree) living() map[string]bool {
	found := map[string]bool{}
	extensionOf(t.system).guards.Range(func(id, g any) bool {
		if g.(*guard).life.Err() == nil {
			found[id.(string)] = true
		}
		return true
	})
	return found
}

// checkStop stops the quiet tree and compares the order in which leaves ended
// with the reverse of the order in which they stand.
func (t *tree) checkStop() {
	time.Sleep(time.Minute) // zombies end, delays pass
	synctest.Wait()
	node := t.look()
	if node == nil {
		return
	}
	want := t.blocks(node)
	t.mu.Lock()
	t.ended = nil
	t.mu.Unlock()
	require.NoError(t.t, Stop(t.system, t.root, time.Hour))
	time.Sleep(time.Minute)
	synctest.Wait()
	t.mu.Lock()
	got := slices.Clone(t.ended)
	t.mu.Unlock()
	for _, block := range want {
		if len(got) < len(block) {
			t.t.Fatalf("ended: %v; want in blocks %v", got, want)
		}
		part := slices.Clone(got[:len(block)])
		slices.Sort(part)
		slices.Sort(block)
		if !slices.Equal(part, block) {
			t.t.Fatalf("wrong order: %v; want in blocks %v", t.ended, want)
		}
		got = got[len(block):]
	}
	require.Empty(t.t, got)
}

// blocks gives the running leaves in the order in which they have to end; those
// of a simple_one_for_one may end in any order among themselves, and a brutally
// killed one when it likes.
func (t *tree) blocks(n *Node) (out [][]string) {
	if n.Type == Worker {
		if n.PID == nil || t.brutal[strings.Split(n.ID, "#")[0]] {
			return nil
		}
		return [][]string{{n.PID.Id}}
	}
	for _, c := range slices.Backward(n.Children) {
		out = append(out, t.blocks(c)...)
	}
	if n.Strategy == SimpleOneForOne && len(out) > 0 {
		out = [][]string{slices.Concat(out...)}
	}
	return out
}

// checkEnd: all is gone, every monitor had its one Down, no rule was broken.
func (t *tree) checkEnd() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.problems) > 0 {
		t.t.Fatalf("%s", strings.Join(t.problems, "\n"))
	}
	for ref, downs := range t.watched {
		if downs != 1 {
			t.t.Fatalf("%v had %d Downs", ref, downs)
		}
	}
	extensionOf(t.system).guards.Range(func(id, _ any) bool { t.t.Fatalf("orphan %v", id); return true })
	if t.grown%20 == 0 { // counting takes long, and what leaks stays
		require.Equal(t.t, t.before, registered(t.system), "registry entries")
	}
}

// monitorAll is the actor that monitors every incarnation.
func (t *tree) monitorAll(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.PID:
		ref := Monitor(ctx, msg)
		t.mu.Lock()
		t.watched[ref] += 0
		t.mu.Unlock()
	case *Down:
		t.mu.Lock()
		t.watched[msg.Ref]++
		t.mu.Unlock()
	}
}

// event checks the intensity, from outside: restarts within the period are
// never more than allowed, and nobody is given up or parked before that.
func (t *tree) event(e *Event) {
	if e.State == Running {
		t.system.Root.Send(t.guard, e.Child)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l, known := t.limits[strings.Split(e.ID, "#")[0]]
	if !known {
		return
	}
	key := e.Supervisor.Id
	if l.delayed && e.State != Delayed && e.Delay == 0 {
		key += "/" + e.ID
	}
	h := t.history[key]
	if h == nil {
		h = &history{}
		t.history[key] = h
	}
	now := e.At.Sub(t.birth)
	switch {
	case e.State == Delayed:
		t.checkParked(e, l, now)
		h.parked = append(h.parked, parking{now, e.Delay})
	case e.State == Restarting && e.Delay > 0:
		h.checkDelay(t, e, now)
		delete(t.history, e.Supervisor.Id+"/"+e.ID)
	case e.State == Restarting:
		if n := h.within(now, l.within); n >= l.max {
			t.problem("%s: %d restarts within %v, %d allowed", e.ID, n+1, l.within, l.max)
		}
		h.restarts = append(h.restarts, now)
	case e.State == GaveUp:
		if n := h.within(now, l.within); n < l.max || l.delayed {
			t.problem("%s: gave up after %d restarts, %d allowed, delayed %v", e.ID, n, l.max, l.delayed)
		}
	}
}

func (t *tree) problem(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

func (h *history) within(now, period time.Duration) (n int) {
	for _, at := range h.restarts {
		if now-at <= period {
			n++
		}
	}
	return n
}

// checkParked: only what used its restarts up is parked.
func (t *tree) checkParked(e *Event, l limit, now time.Duration) {
	own := t.history[e.Supervisor.Id+"/"+e.ID]
	if own == nil {
		own = &history{}
	}
	if n := own.within(now, l.within); n < l.max || !l.delayed {
		t.problem("%s: parked after %d restarts, %d allowed, delayed %v", e.ID, n, l.max, l.delayed)
	}
}

// checkDelay: a clean restart belongs to a parking, its own, that is over; the
// leader of a parked group may have changed, so it need not be the same child.
func (h *history) checkDelay(t *tree, e *Event, now time.Duration) {
	for i, p := range h.parked {
		if p.delay == e.Delay && now-p.at >= p.delay {
			h.parked = slices.Delete(h.parked, i, i+1)
			return
		}
	}
	t.problem("%s: started at %v after a delay of %v, parked: %v", e.ID, now, e.Delay, h.parked)
}
