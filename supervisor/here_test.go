package supervisor

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// goroutine names the goroutine that runs it.
func goroutine() string {
	var buf [64]byte
	return string(bytes.Fields(buf[:runtime.Stack(buf[:], false)])[1])
}

func TestSendHere(t *testing.T) {
	runCases(t, []otpCase{
		{"an idle actor's turn runs on the sender's goroutine, and is over when it returns", func(h *harness) {
			var ran []string
			h.spawn(Spec{Children: []ChildSpec{h.acting("a", Permanent, func(ctx actor.Context) {
				if _, ok := ctx.Message().(int); ok {
					ran = append(ran, goroutine())
				}
			})}})
			for i := range 3 {
				SendHere(h.system, h.pid("a"), i)
			}
			here := goroutine()
			require.Equal(h, []string{here, here, here}, ran)
		}},
		{"an actor that is at work gets it in its turn", func(h *harness) {
			var got []int
			enter, leave := make(chan struct{}), make(chan struct{})
			h.spawn(Spec{Children: []ChildSpec{h.acting("a", Permanent, func(ctx actor.Context) {
				if n, ok := ctx.Message().(int); ok {
					got = append(got, n)
					if n == 0 {
						close(enter)
						<-leave
					}
				}
			})}})
			h.system.Root.Send(h.pid("a"), 0)
			<-enter
			for n := 1; n < 4; n++ {
				SendHere(h.system, h.pid("a"), n)
			}
			close(leave)
			h.sleep(0)
			require.Equal(h, []int{0, 1, 2, 3}, got)
		}},
		{"a turn that goes on and on is handed over", func(h *harness) {
			var ran []string
			h.spawn(Spec{Children: []ChildSpec{h.acting("a", Permanent, func(ctx actor.Context) {
				if n, ok := ctx.Message().(int); ok {
					ran = append(ran, goroutine())
					if n > 0 {
						ctx.Send(ctx.Self(), n-1)
					}
				}
			})}})
			SendHere(h.system, h.pid("a"), 2*hereMessages)
			h.sleep(0)
			require.Len(h, ran, 2*hereMessages+1)
			require.Equal(h, goroutine(), ran[hereMessages-1])
			require.NotEqual(h, goroutine(), ran[hereMessages])
		}},
		{"a panic is the actor's alone", func(h *harness) {
			h.spawn(Spec{Children: []ChildSpec{h.acting("a", Permanent, func(ctx actor.Context) {
				if ctx.Message() == "panic" {
					panic("planted")
				}
			})}})
			first := h.pid("a")
			SendHere(h.system, first, "panic")
			require.True(h, strings.Contains(h.told("a", Failed)[0].Reason.Error(), "planted"))
			require.False(h, h.pid("a").Equal(first), "restarted")
			h.mu.Lock()
			h.dead = nil
			h.mu.Unlock()
			SendHere(h.system, first, "late")
			require.Equal(h, []any{"late"}, h.deadLetters())
		}},
		{"an actor outside of a supervisor gets it as ever", func(h *harness) {
			got := 0
			pid := h.plain(func(ctx actor.Context) {
				if n, ok := ctx.Message().(int); ok {
					got += n
				}
			})
			SendHere(h.system, pid, 1)
			h.sleep(0)
			require.Equal(h, 1, got)
		}},
	})
}
