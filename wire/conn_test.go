package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestDoRoundTrip(t *testing.T) {
	c := dial(t, listen(t, func(conn net.Conn) {
		serve(conn, func(q request) ([]byte, bool) {
			resp := kmsg.NewPtrHeartbeatResponse()
			resp.ErrorCode, resp.ThrottleMillis = int16(RebalanceInProgress), 7
			return q.answer(resp), true
		})
	}), Config{ClientID: "test"})
	resp, err := c.Do(context.Background(), heartbeat())
	require.NoError(t, err)
	require.Equal(t, int16(RebalanceInProgress), resp.(*kmsg.HeartbeatResponse).ErrorCode)

	r := <-send(c, &Call{Request: heartbeat()})
	require.NoError(t, r.Err)
	require.Equal(t, 7*time.Millisecond, r.Throttle)
	require.True(t, r.Throttled)
	require.True(t, r.Written)
	require.Positive(t, r.RequestBytes)
	require.Positive(t, r.ResponseBytes)
	require.Zero(t, c.InFlight())
	require.NoError(t, c.Err())
	s := c.Stats()
	require.EqualValues(t, 2, s.Requests)
	require.EqualValues(t, 2, s.Answers)
}

func TestPipeliningAnsweredInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 5
		cfg := inMemory(func(_ int, conn net.Conn) {
			var waiting []request
			serve(conn, func(q request) ([]byte, bool) {
				if waiting = append(waiting, q); len(waiting) < n {
					return nil, true
				}
				var all []byte
				for i := range waiting {
					q := waiting[(i+2)%n] // out of order
					resp := kmsg.NewPtrHeartbeatResponse()
					resp.ThrottleMillis = q.id
					all = append(all, q.answer(resp)...)
				}
				return all, true
			})
		})
		c := memory(t, cfg)
		var got [n]<-chan Result
		for i := range got {
			got[i] = send(c, &Call{Request: heartbeat()})
		}
		for i := range got {
			r := <-got[i]
			require.NoError(t, r.Err)
			require.Equal(t, time.Duration(i)*time.Millisecond, r.Throttle)
		}
	})
}

func TestDeadlineCoversTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, inMemory(with(func(request) ([]byte, bool) { return nil, true })))
		began := time.Now()
		slow := send(c, &Call{Request: kmsg.NewPtrJoinGroupRequest(), Timeout: time.Minute})
		quick := send(c, &Call{Request: heartbeat(), Timeout: 3 * time.Second})
		r := <-quick
		require.Equal(t, 3*time.Second, time.Since(began))
		require.ErrorIs(t, r.Err, ErrTimeout)
		require.ErrorIs(t, r.Err, ErrConnection)
		require.ErrorIs(t, r.Err, ErrUnsure)
		require.True(t, Retriable(r.Err))
		require.True(t, SafeToRetry(r.Err), "a heartbeat can be repeated")
		r = <-slow
		require.ErrorIs(t, r.Err, ErrUnsure)
		require.False(t, SafeToRetry(r.Err), "a join cannot")
		require.True(t, r.Written)
		<-c.Done()
		require.ErrorIs(t, c.Err(), ErrTimeout)
		require.ErrorContains(t, c.Err(), "Heartbeat was not answered within 3s")
	})
}

func TestDeadlineCoversAStuckWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		c := memory(t, inMemory(func(_ int, conn net.Conn) {
			q, _ := readRequest(conn)
			_, _ = conn.Write(q.answer(offers()))
			<-stuck // reads nothing any more
			_ = conn.Close()
		}))
		defer close(stuck)
		began := time.Now()
		first := send(c, &Call{Request: heartbeat(), Timeout: 10 * time.Second})
		synctest.Wait() // the first is in the write that does not end
		second := send(c, &Call{Request: heartbeat(), Timeout: 4 * time.Second})
		oneway := send(c, &Call{Request: kmsg.NewPtrProduceRequest(), NoResponse: true})
		r := <-second
		require.Equal(t, 4*time.Second, time.Since(began))
		require.ErrorIs(t, r.Err, ErrTimeout)
		require.NotErrorIs(t, r.Err, ErrUnsure, "it never left the queue")
		require.False(t, r.Written)
		require.True(t, SafeToRetry(r.Err))
		r = <-first
		require.ErrorIs(t, r.Err, ErrUnsure, "a pipe may have passed on a part")
		r = <-oneway
		require.False(t, r.Written)
		require.ErrorContains(t, c.Err(), "takes no bytes")
	})
}

func TestTimerIsSetAnewForLaterDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan bool, 8)
		c := memory(t, inMemory(with(func(q request) ([]byte, bool) {
			if <-answer {
				return echo(q)
			}
			return nil, true
		})))
		for range 5 { // each is answered after most of its timeout
			got := send(c, &Call{Request: heartbeat(), Timeout: 10 * time.Second})
			time.Sleep(9 * time.Second)
			answer <- true
			require.NoError(t, (<-got).Err)
		}
		began := time.Now()
		answer <- false
		require.ErrorIs(t, (<-send(c, &Call{Request: heartbeat(), Timeout: 10 * time.Second})).Err, ErrTimeout)
		require.Equal(t, 10*time.Second, time.Since(began))
	})
}

func TestNoResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var produced atomic.Int32
		c := memory(t, inMemory(with(func(q request) ([]byte, bool) {
			if q.key == keyProduce {
				produced.Add(1)
				return nil, true
			}
			return echo(q)
		})))
		for range 3 {
			r := <-send(c, &Call{Request: kmsg.NewPtrProduceRequest(), NoResponse: true})
			require.NoError(t, r.Err)
			require.True(t, r.Written)
			require.Nil(t, r.Response)
		}
		require.NoError(t, (<-send(c, &Call{Request: heartbeat()})).Err, "ids stay in step")
		require.EqualValues(t, 3, produced.Load())
	})
}

func TestRawAnswer(t *testing.T) {
	for _, size := range []int{0, 100, slabFrame, slabFrame + 1, 3 << 20} {
		body := make([]byte, 4+size)
		body[3] = 9 // throttle
		c := dial(t, listen(t, func(conn net.Conn) {
			serve(conn, func(q request) ([]byte, bool) { return q.raw(body), true })
		}), Config{Pins: map[int16]int16{keyFetch: 4}})
		r := <-send(c, &Call{Request: kmsg.NewPtrFetchRequest(), Raw: true})
		require.NoError(t, r.Err)
		require.Nil(t, r.Response)
		require.Equal(t, body, r.Body)
		require.Equal(t, 9*time.Millisecond, r.Throttle)
		require.False(t, r.Throttled, "before v8 the broker has waited already")
	}
}

// A large answer is read into memory that the caller gives; one that he refuses
// to give memory for, and a small one, are not.
func TestMemoryOfTheCaller(t *testing.T) {
	for _, size := range []int{slabFrame - 8, slabFrame + 1, 1 << 20, 3 << 20} {
		body := make([]byte, size)
		body[size-1] = 7
		c := dial(t, listen(t, func(conn net.Conn) {
			serve(conn, func(q request) ([]byte, bool) { return q.raw(body), true })
		}), Config{Pins: map[int16]int16{keyFetch: 4}})
		var mine []byte
		asked := 0
		r := <-send(c, &Call{Request: kmsg.NewPtrFetchRequest(), Raw: true, Memory: func(n int) []byte {
			if asked = n; n > 2<<20 {
				return nil
			}
			mine = make([]byte, n+5)
			return mine
		}})
		require.NoError(t, r.Err)
		require.Equal(t, body, r.Body)
		switch {
		case size < slabFrame:
			require.Zero(t, asked)
		case size > 2<<20:
			require.Greater(t, asked, 2<<20)
		default:
			require.Same(t, &mine[asked-size], &r.Body[0])
		}
	}
}

func TestCloseFailsEverythingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, inMemory(with(func(request) ([]byte, bool) { return nil, true })))
		why := errors.New("no longer needed")
		got := send(c, &Call{Request: heartbeat()})
		synctest.Wait()
		c.Close(why)
		c.Close(errors.New("another reason"))
		r := <-got
		require.ErrorIs(t, r.Err, why)
		require.ErrorIs(t, r.Err, ErrClosed)
		<-c.Done()
		require.Empty(t, got)

		done := false
		c.Send(&Call{Request: heartbeat(), Done: func(r Result) {
			done = true
			require.ErrorIs(t, r.Err, ErrClosed)
			require.False(t, r.Written)
			require.True(t, SafeToRetry(r.Err))
		}})
		require.True(t, done, "a closed connection answers at once")
		_, err := c.Do(context.Background(), heartbeat())
		require.ErrorIs(t, err, ErrClosed)
	})
}

func TestBrokerEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, inMemory(with(func(request) ([]byte, bool) { return nil, false })))
		r := <-send(c, &Call{Request: heartbeat()})
		require.ErrorIs(t, r.Err, io.EOF)
		require.ErrorIs(t, r.Err, ErrUnsure)
		require.ErrorContains(t, r.Err, "may want a login")
		require.True(t, RefreshMetadata(r.Err))
	})
}

func TestDoEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		c := memory(t, inMemory(with(func(q request) ([]byte, bool) {
			<-answer
			return echo(q)
		})))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := c.Do(ctx, heartbeat())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, ErrTimeout)
		require.ErrorIs(t, err, ErrUnsure)
		close(answer)
		_, err = c.Do(context.Background(), heartbeat())
		require.NoError(t, err, "the connection goes on")
	})
}

func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := inMemory(with(func(request) ([]byte, bool) { return nil, true }))
		cfg.MaxCalls = 3
		c := memory(t, cfg)
		for range 3 {
			send(c, &Call{Request: heartbeat()})
		}
		r := <-send(c, &Call{Request: heartbeat()})
		require.ErrorIs(t, r.Err, ErrBusy)
		require.True(t, SafeToRetry(r.Err))
		require.Equal(t, 3, c.InFlight())
	})
}

func TestRefusedBeforeSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := inMemory(with(echo))
		cfg.MaxRequest = 1000
		cfg.Pins = map[int16]int16{19: 9}
		c := memory(t, cfg)
		big := heartbeat()
		big.Group = string(make([]byte, 2000))
		tests := map[string]struct {
			call *Call
			kind error
		}{
			"no request":  {&Call{}, ErrInvalid},
			"too large":   {&Call{Request: big}, ErrTooLarge},
			"bad pin":     {&Call{Request: kmsg.NewPtrCreateTopicsRequest()}, ErrUnsupportedVersion},
			"fixed":       {&Call{Request: &kmsg.FetchRequest{Version: 18}, FixedVersion: true}, ErrUnsupportedVersion},
			"encoder":     {&Call{Request: &brokenRequest{panics: true}}, ErrInvalid},
			"unknown API": {&Call{Request: &brokenRequest{key: 999}}, ErrUnsupportedVersion},
		}
		for name, test := range tests {
			r := <-send(c, test.call)
			require.ErrorIs(t, r.Err, test.kind, name)
			require.False(t, r.Written, name)
			require.False(t, Retriable(r.Err), name)
		}
		require.NoError(t, (<-send(c, &Call{Request: heartbeat()})).Err, "the connection goes on")
	})
}

// brokenRequest is a heartbeat whose code fails.
type brokenRequest struct {
	kmsg.HeartbeatRequest
	key             int16
	panics, garbles bool
}

func (b *brokenRequest) Key() int16 {
	if b.key != 0 {
		return b.key
	}
	return b.HeartbeatRequest.Key()
}

func (b *brokenRequest) AppendTo(dst []byte) []byte {
	if b.panics {
		panic("encoder")
	}
	return b.HeartbeatRequest.AppendTo(dst)
}

func (b *brokenRequest) ResponseKind() kmsg.Response {
	if b.garbles {
		panic("decoder")
	}
	return b.HeartbeatRequest.ResponseKind()
}

func TestAnswerThatDoesNotDecodeFailsItsCallOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, inMemory(with(func(q request) ([]byte, bool) {
			if q.key == 3 {
				return q.raw([]byte{1}), true
			}
			return echo(q)
		})))
		r := <-send(c, &Call{Request: kmsg.NewPtrMetadataRequest()})
		require.ErrorIs(t, r.Err, ErrCorrupt)
		require.ErrorIs(t, r.Err, ErrUnsure)
		require.Nil(t, r.Response)
		r = <-send(c, &Call{Request: &brokenRequest{garbles: true}})
		require.ErrorIs(t, r.Err, ErrCorrupt)
		require.NoError(t, (<-send(c, &Call{Request: heartbeat()})).Err)
	})
}

func TestAnswerThatNobodyWaitsFor(t *testing.T) {
	for _, size := range []int{10, slabFrame + 100} {
		synctest.Test(t, func(t *testing.T) {
			c := memory(t, inMemory(with(func(q request) ([]byte, bool) {
				q.id += 5
				answer := q.raw(make([]byte, size))
				if size > slabFrame {
					answer = answer[:8] // refused before a large body comes
				}
				return answer, true
			})))
			began := time.Now()
			r := <-send(c, &Call{Request: heartbeat()})
			require.Zero(t, time.Since(began))
			var frame *FrameError
			require.ErrorAs(t, r.Err, &frame)
			require.ErrorIs(t, r.Err, ErrUnsure)
			require.ErrorContains(t, r.Err, "correlation id 5")
		})
	}
}

// notifying is a Vectored request that tells of its release.
type notifying struct {
	chunked
	free chan struct{}
}

func (n *notifying) Release() { n.free <- struct{}{} }

func TestBuffersAreReleasedOnceWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, inMemory(with(func(q request) ([]byte, bool) { return nil, true })))
		req := &notifying{free: make(chan struct{}, 2)}
		req.chunks = [][]byte{heartbeat().AppendTo(nil)}
		began := time.Now()
		got := send(c, &Call{Request: req})
		<-req.free
		require.Zero(t, time.Since(began))
		require.Empty(t, got, "released while the answer is still awaited")
		c.Close(nil)
		require.ErrorIs(t, (<-got).Err, ErrUnsure)
		<-c.Done()
		require.Empty(t, req.free)
	})
}

// The kernel took a part of the request only: to the broker that is none.
func TestHalfWrittenOverTCPIsNotUnsure(t *testing.T) {
	stop := make(chan struct{})
	c := dial(t, listen(t, func(conn net.Conn) {
		q, _ := readRequest(conn)
		_, _ = conn.Write(q.answer(offers()))
		<-stop // reads nothing any more
	}), Config{})
	defer close(stop)
	req := &chunked{chunks: [][]byte{nil, make([]byte, 64<<20)}}
	got := send(c, &Call{Request: req})
	for c.Stats().Requests == 0 {
		runtime.Gosched()
	}
	c.Close(nil)
	r := <-got
	require.ErrorIs(t, r.Err, ErrClosed)
	require.NotErrorIs(t, r.Err, ErrUnsure)
	require.False(t, r.Written)
	<-c.Done()
	require.Equal(t, 1, req.released)
}

// deaf is a connection whose writes fail while its reads wait for ever.
type deaf struct {
	net.Conn
	broken *atomic.Bool
}

func (d deaf) Write(p []byte) (int, error) {
	if d.broken.Load() {
		return 0, syscall.EPIPE
	}
	return d.Conn.Write(p)
}

func TestWriteThatFailsEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		cfg := inMemory(with(echo))
		plain := cfg.Dial
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := plain(ctx, network, address)
			return deaf{conn, &broken}, err
		}
		c := memory(t, cfg)
		broken.Store(true)
		began := time.Now()
		r := <-send(c, &Call{Request: heartbeat()})
		require.Zero(t, time.Since(began))
		require.ErrorIs(t, r.Err, syscall.EPIPE)
		require.ErrorContains(t, r.Err, "writing")
	})
}

func TestPanicInDoneEndsTheConnectionNotTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, inMemory(with(func(q request) ([]byte, bool) {
			if q.key == 3 {
				return nil, true
			}
			return echo(q)
		})))
		waits := send(c, &Call{Request: kmsg.NewPtrMetadataRequest()})
		also := &Call{Request: kmsg.NewPtrMetadataRequest(), Done: func(Result) { panic("second") }}
		c.Send(also)
		c.Send(&Call{Request: heartbeat(), Done: func(Result) { panic("first") }})
		require.ErrorContains(t, (<-waits).Err, "first")
		<-c.Done()
		require.ErrorContains(t, c.Err(), "first")
		require.ErrorContains(t, c.Err(), "second")
	})
}

func TestHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var connected, wrote, closed int
		cfg := inMemory(with(echo))
		cfg.Hooks = Hooks{
			Connected: func(*Conn, time.Duration) { connected++ },
			Wrote:     func(_ *Conn, calls, bytes int, _ time.Duration, err error) { wrote += calls },
			Closed: func(_ *Conn, cause error) {
				closed++
				require.ErrorIs(t, cause, ErrClosed)
				panic("a hook that panics hurts nobody")
			},
		}
		c := memory(t, cfg)
		require.NoError(t, (<-send(c, &Call{Request: heartbeat()})).Err)
		c.Close(nil)
		<-c.Done()
		require.Equal(t, []int{1, 1, 1}, []int{connected, wrote, closed})
	})
}
