package supervisor

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// batch is protoactor's batch of messages.
type batch []any

func (b batch) GetMessages() []any { return b }

// plain spawns a function with Props.
func (h *harness) plain(f actor.ReceiveFunc) *actor.PID {
	pid := h.system.Root.Spawn(Props(h.system, func() actor.Actor { return f }))
	h.roots = append(h.roots, pid)
	synctest.Wait()
	return pid
}

func TestMailboxAndDispatcher(t *testing.T) {
	runCases(t, []otpCase{
		{"messages of one sender keep their order, over any burst", func(h *harness) {
			next := 0
			pid := h.plain(func(ctx actor.Context) {
				if n, ok := ctx.Message().(int); ok {
					require.Equal(h, next, n)
					next++
				}
			})
			for i := range 20_000 {
				h.system.Root.Send(pid, i)
			}
			h.sleep(0)
			require.Equal(h, 20_000, next)
		}},
		{"many senders lose nothing", func(h *harness) {
			got := 0
			pid := h.plain(func(ctx actor.Context) {
				if _, ok := ctx.Message().(int); ok {
					got++
				}
			})
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for i := range 2_000 {
						h.system.Root.Send(pid, i)
					}
				})
			}
			wg.Wait()
			h.sleep(0)
			require.Equal(h, 16_000, got)
		}},
		{"the memory of a burst is given back", func(h *harness) {
			m := newMailbox(extensionOf(h.system), nil)
			until := make(chan struct{})
			m.RegisterHandlers(invoke(func(any) { <-until }), extensionOf(h.system).pool)
			for i := range 100_000 {
				m.PostUserMessage(i)
			}
			require.Positive(h, m.UserMessageCount())
			close(until)
			h.sleep(0)
			require.Zero(h, m.UserMessageCount())
			require.LessOrEqual(h, cap(m.user)+cap(m.batch)+cap(m.spare), 3*keptBatch)
		}},
		{"nil messages are dead letters and burn no time", func(h *harness) {
			pid := h.plain(func(actor.Context) {})
			h.system.Root.Send(pid, nil)
			h.system.Root.Send(pid, (*actor.MessageEnvelope)(nil))
			extensionOf(h.system).sendSystem(pid, nil)
			require.Equal(h, []any{nil, nil}, h.deadLetters())
		}},
		{"protoactor restarts a plain actor that panics or calls Goexit, and keeps its queue", func(h *harness) {
			pid := h.plain(func(ctx actor.Context) {
				switch msg := ctx.Message().(type) {
				case *actor.Started:
					h.note("started")
				case string:
					h.note(msg)
				case boom:
					panic("plain")
				case run:
					runtime.Goexit()
				}
			})
			for _, msg := range []any{"a", boom{}, "b", run(nil), "c"} {
				h.system.Root.Send(pid, msg)
			}
			require.Equal(h, "started a started b started c", h.log())
		}},
		{"a batch is delivered item by item, then itself", func(h *harness) {
			var got []string
			pid := h.plain(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case int, batch:
					got = append(got, fmt.Sprint(ctx.Message()))
				}
			})
			h.system.Root.Send(pid, batch{1, 2})
			h.sleep(0)
			require.Equal(h, []string{"1", "2", "[1 2]"}, got)
		}},
		{"an actor that blocks holds up nobody", func(h *harness) {
			until := make(chan struct{})
			for range 50 {
				h.system.Root.Send(h.plain(func(ctx actor.Context) {
					if _, ok := ctx.Message().(ping); ok {
						<-until
					}
				}), ping{})
			}
			answered := h.plain(func(ctx actor.Context) { ctx.Respond(pong{}) })
			h.must(answered, ping{})
			close(until)
		}},
		{"idle goroutines end, those in use stay", func(h *harness) {
			pid := h.plain(func(actor.Context) {})
			pool := extensionOf(h.system).pool
			for range 10 {
				h.system.Root.Send(pid, ping{})
				h.sleep(idleTime / 2)
				pool.mu.Lock()
				require.NotEmpty(h, pool.idle)
				pool.mu.Unlock()
			}
			h.sleep(3 * idleTime)
			pool.mu.Lock()
			defer pool.mu.Unlock()
			require.Empty(h, pool.idle)
		}},
		{"idle goroutines end with the system", func(h *harness) {
			own := newHarness(h.T, newSystem())
			own.system.Root.Send(own.plain(func(actor.Context) {}), ping{})
			own.system.Shutdown()
			own.sleep(idleTime)
			require.Empty(h, extensionOf(own.system).pool.idle)
		}},
		{"ten thousand dynamic children are cheap to start, find and stop", func(h *harness) {
			sup := h.one()
			for i := range 10_000 {
				h.must(sup, &StartChild{Spec: ChildSpec{ID: strconv.Itoa(i), Start: noop}})
			}
			require.Equal(h, "9999", h.find(sup, "9999").ID)
			require.Len(h, h.snapshot(sup).Children, 10_000)
			require.NoError(h, Stop(h.system, sup, time.Second))
			require.Equal(h, time.Duration(0), time.Since(h.birth))
		}},
	})
}

// invoke is a function as protoactor's invoker.
type invoke func(any)

func (i invoke) InvokeSystemMessage(any)  {}
func (i invoke) InvokeUserMessage(m any)  { i(m) }
func (i invoke) EscalateFailure(any, any) {}
