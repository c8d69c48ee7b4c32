package suite

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// patience bounds every wait of a test that goes well at once.
const patience = 20 * time.Second

// bounded is a context that ends after patience, and before the test's own.
func bounded(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// start starts a client that keeps its events, and stops it at the end.
func start(t *testing.T, config moldau.Config) (*moldau.Client, *events) {
	t.Helper()
	seen := &events{}
	config.Telemetry = seen
	client, err := moldau.Start(bounded(t, patience), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client, seen
}

// events keeps what a client tells.
type events struct {
	mu      sync.Mutex
	list    []telemetry.Event
	waiting []eventWait
}

type eventWait struct {
	match func(telemetry.Event) bool
	found chan telemetry.Event
}

// Handle implements telemetry.Handler.
func (e *events) Handle(event telemetry.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
	kept := e.waiting[:0]
	for _, w := range e.waiting {
		if w.match(event) {
			w.found <- event
			continue
		}
		kept = append(kept, w)
	}
	e.waiting = kept
}

// count of the events so far that match.
func (e *events) count(match func(telemetry.Event) bool) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, event := range e.list {
		if match(event) {
			n++
		}
	}
	return n
}

// next registers for the first event from now on that matches.
func (e *events) next(match func(telemetry.Event) bool) <-chan telemetry.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	found := make(chan telemetry.Event, 1)
	e.waiting = append(e.waiting, eventWait{match, found})
	return found
}

// is matches events of one type.
func is[T telemetry.Event](event telemetry.Event) bool {
	_, ok := event.(T)
	return ok
}

// receive takes from a channel, in bounded time.
func receive[T any](t *testing.T, ctx context.Context, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-ctx.Done():
		require.FailNow(t, "it did not come: "+what)
		panic("not reached")
	}
}

// find returns the first actor of the client's tree that the path leads to: the
// ids from below the client's own supervisor on, "*" for any.
func find(t *testing.T, client *moldau.Client, path ...string) *supervisor.Node {
	t.Helper()
	tree, err := client.Tree(bounded(t, patience))
	require.NoError(t, err)
	return descend(tree, append([]string{"client:" + client.Name()}, path...))
}

func descend(node *supervisor.Node, path []string) *supervisor.Node {
	if len(path) == 0 {
		return node
	}
	for _, child := range node.Children {
		if path[0] == "*" || child.ID == path[0] {
			if found := descend(child, path[1:]); found != nil {
				return found
			}
		}
	}
	return nil
}

// bug is a message that runs Do in the turn of the actor that gets it, between
// two of its own messages: protoactor asks such a message for its answer itself.
type bug struct{ Do func() }

// GetAutoResponse implements actor.AutoRespond.
func (b *bug) GetAutoResponse(actor.Context) any {
	b.Do()
	return nil
}

// crash makes the actor that lives at a place panic, and returns when it does. An
// incarnation that is on its way out takes no message, so the next is tried.
func crash(t *testing.T, client *moldau.Client, path ...string) {
	t.Helper()
	ctx := bounded(t, patience)
	struck := make(chan struct{})
	var once sync.Once
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if node := find(t, client, path...); node != nil && node.PID != nil {
			client.System().Root.Send(node.PID, &bug{func() {
				once.Do(func() {
					close(struck)
					panic("planted in " + node.ID)
				})
			}})
		}
		select {
		case <-struck:
			return
		case <-again.C:
		case <-ctx.Done():
			require.FailNow(t, "nobody lives there", "%v", path)
		}
	}
}

// requireNoGoroutine waits until no goroutine is left that the library or the
// actor system has started.
func requireNoGoroutine(t *testing.T, before map[string]bool) {
	t.Helper()
	var left []string
	require.Eventually(t, func() bool {
		left = left[:0]
		for id, stack := range goroutines() {
			if !before[id] {
				left = append(left, stack)
			}
		}
		return len(left) == 0
	}, patience, 5*time.Millisecond, "goroutines are left")
	require.Empty(t, left)
}

// goroutines of the library and its actor system, by their number.
func goroutines() map[string]string {
	dump := make([]byte, 1<<16)
	for {
		if n := runtime.Stack(dump, true); n < len(dump) {
			dump = dump[:n]
			break
		}
		dump = make([]byte, 2*len(dump))
	}
	found := map[string]string{}
	for stack := range strings.SplitSeq(string(dump), "\n\n") {
		ours := strings.Contains(stack, "moldau-go/moldau/") && !strings.Contains(stack, "moldau/internal/kafkatest")
		if ours || strings.Contains(stack, "asynkron/protoactor-go") {
			id, _, _ := strings.Cut(stack, " [")
			found[id] = stack
		}
	}
	return found
}

// present are the goroutines that are there already.
func present() map[string]bool {
	before := map[string]bool{}
	for id := range goroutines() {
		before[id] = true
	}
	return before
}

// away is how long a trouble lasts.
func away(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
