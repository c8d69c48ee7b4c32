package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// tracked is a call whose outcomes are counted.
type tracked struct {
	Call
	done     atomic.Int32
	released atomic.Int32
	vectored bool
	result   Result
}

// trackedRequest is a heartbeat that counts its releases.
type trackedRequest struct {
	chunked
	t *tracked
}

func (r *trackedRequest) Release() { r.t.released.Add(1) }

// step is one thing that a script does; number is what it needs a number for.
type step struct {
	do     string
	number int
}

func newTracked(kind int, big []byte) *tracked {
	c := new(tracked)
	switch kind % 6 {
	case 0, 1:
		c.vectored = true
		req := &trackedRequest{t: c}
		req.chunks = [][]byte{{0, 1, 'g'}, big, {0, 0}}
		c.Request = req
	case 2:
		c.vectored = true
		req := &trackedRequest{t: c}
		req.panics = true
		c.Request = req
	case 3:
		c.Request, c.NoResponse = kmsg.NewPtrProduceRequest(), true
	default:
		c.Request = heartbeat()
	}
	c.Timeout = time.Duration(1+kind%20) * time.Second
	c.Done = func(r Result) {
		c.result = r
		if c.done.Add(1); kind == 99 {
			panic("a Done that panics")
		}
	}
	return c
}

// Whatever the order of calls, answers, silences, garbage, cuts, deadlines and
// closes: every call's Done runs exactly once, every Release exactly once, and
// the connection ends with both its goroutines (or synctest would complain).
func TestInterleavingsProperty(t *testing.T) {
	do := rapid.SampledFrom([]string{"send", "send", "send", "read", "read", "read", "answer", "answer", "answer last", "wait", "settle", "garbage", "cut", "close"})
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{do.Draw(t, "do"), rapid.IntRange(0, 99).Draw(t, "number")}
	}), 0, 40)
	rapid.Check(t, func(rt *rapid.T) {
		script := steps.Draw(rt, "script")
		var err error
		synctest.Test(t, func(t *testing.T) { err = interleave(script) })
		require.NoError(rt, err)
	})
}

// scripted is a broker that reads, answers and misbehaves on command.
func scripted(conn net.Conn, commands <-chan string) {
	defer conn.Close()
	q, err := readRequest(conn)
	if err != nil {
		return
	}
	_, _ = conn.Write(q.answer(offers()))
	var waiting []request
	for command := range commands {
		_ = conn.SetDeadline(time.Now().Add(time.Millisecond))
		switch command {
		case "read":
			q, err := readRequest(conn)
			if err != nil && !isTimeout(err) {
				return
			}
			if err == nil && q.key != keyProduce {
				waiting = append(waiting, q)
			}
		case "answer", "answer last":
			if len(waiting) == 0 {
				continue
			}
			i := 0
			if command == "answer last" {
				i = len(waiting) - 1
			}
			answer, _ := echo(waiting[i])
			waiting = append(waiting[:i], waiting[i+1:]...)
			if _, err := conn.Write(answer); err != nil {
				return
			}
		case "garbage":
			_, _ = conn.Write([]byte{0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8})
		case "cut":
			return
		}
	}
}

func interleave(script []step) error {
	commands := make(chan string, len(script))
	cfg := inMemory(func(_ int, conn net.Conn) { scripted(conn, commands) })
	cfg.MaxCalls = 10
	c, err := Dial(context.Background(), "b:1", cfg)
	if err != nil {
		return err
	}
	big := make([]byte, 40<<10)
	var calls []*tracked
	for _, s := range script {
		switch s.do {
		case "send":
			call := newTracked(s.number, big)
			calls = append(calls, call)
			func() { // a call that is refused at once panics here
				defer func() { _ = recover() }()
				c.Send(&call.Call)
			}()
		case "wait":
			time.Sleep(time.Duration(s.number) * 30 * time.Millisecond)
		case "settle":
			synctest.Wait()
		case "close":
			if s.number < 25 {
				c.Close(nil)
			}
		default:
			commands <- s.do
		}
	}
	close(commands)
	c.Close(nil)
	<-c.Done()
	if n := c.InFlight(); n != 0 {
		return fmt.Errorf("%d calls are left", n)
	}
	for i, call := range calls {
		if err := call.check(); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	return nil
}

func (c *tracked) check() error {
	r := c.result
	switch {
	case c.done.Load() != 1:
		return fmt.Errorf("Done ran %d times", c.done.Load())
	case c.vectored && c.released.Load() != 1:
		return fmt.Errorf("Release ran %d times", c.released.Load())
	case r.Err == nil && !r.Written:
		return errors.New("answered and not written")
	case r.Err != nil && r.Written != errors.Is(r.Err, ErrUnsure):
		return fmt.Errorf("Written is %v and the error %w", r.Written, r.Err)
	}
	return nil
}

// 2 GB claimed on a live connection: a typed error, and no memory to speak of.
func TestHostileLengthOnALiveConnection(t *testing.T) {
	for name, head := range map[string]uint32{"2 GB": 1<<31 - 1, "within the limit": 99 << 20, "negative": 1 << 31, "tiny": 2} {
		c := dial(t, listen(t, func(conn net.Conn) {
			serve(conn, func(q request) ([]byte, bool) {
				b := binary.BigEndian.AppendUint32(nil, head)
				return binary.BigEndian.AppendUint32(b, uint32(q.id)), false
			})
		}), Config{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := <-send(c, &Call{Request: heartbeat()})
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), name)
		require.ErrorIs(t, r.Err, ErrConnection, name)
		require.ErrorIs(t, r.Err, ErrUnsure, name)
		var frame *FrameError
		if name != "within the limit" {
			require.ErrorAs(t, r.Err, &frame, name)
		}
	}
}

// Many callers at once over TCP and cut off in the middle: nobody is forgotten,
// and a call that says it was not written was not seen by the broker.
func TestManyCallersAndACut(t *testing.T) {
	var seen atomic.Int64
	const callers, each, cutAfter = 8, 300, 1000
	address := listen(t, func(conn net.Conn) {
		serve(conn, func(q request) ([]byte, bool) {
			n := seen.Add(1)
			answer, _ := echo(q)
			return answer, n < cutAfter
		})
	})
	c := dial(t, address, Config{})
	var answered, unsure, unwritten atomic.Int64
	for range callers {
		go func() {
			for range each {
				c.Send(&Call{Request: heartbeat(), Done: func(r Result) {
					switch {
					case r.Err == nil:
						answered.Add(1)
					case r.Written:
						unsure.Add(1)
					default:
						unwritten.Add(1)
					}
				}})
			}
		}()
	}
	<-c.Done()
	require.Eventually(t, func() bool { return answered.Load()+unsure.Load()+unwritten.Load() == callers*each }, 10*time.Second, time.Millisecond)
	require.LessOrEqual(t, answered.Load(), int64(cutAfter))
	require.LessOrEqual(t, seen.Load(), answered.Load()+unsure.Load())
}
