package wire

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answerer is a broker that costs as little as possible: it answers every
// request that it has read with the same body, in as few writes as it can.
func answerer(body []byte) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()
		q, err := readRequest(conn)
		if err != nil {
			return
		}
		_, _ = conn.Write(q.answer(offers()))
		in, out := make([]byte, 0, 256<<10), []byte(nil)
		for {
			n, err := conn.Read(in[len(in):cap(in)])
			if err != nil {
				return
			}
			in, out = in[:len(in)+n], out[:0]
			used := 0
			for len(in)-used >= 4 {
				size := 4 + int(binary.BigEndian.Uint32(in[used:]))
				if len(in)-used < size {
					break
				}
				out = binary.BigEndian.AppendUint32(out, uint32(4+len(body)))
				out = append(out, in[used+8:used+12]...)
				out = append(out, body...)
				used += size
			}
			in = in[:copy(in, in[used:])]
			if _, err := conn.Write(out); err != nil {
				return
			}
		}
	}
}

// BenchmarkRoundTrips is pipelined heartbeats over loopback TCP, with so many
// in flight at once; the broker runs on the same cores.
func BenchmarkRoundTrips(b *testing.B) {
	for _, depth := range []int{1, 16, 256} {
		b.Run(map[int]string{1: "depth=1", 16: "depth=16", 256: "depth=256"}[depth], func(b *testing.B) {
			c := dial(b, listen(b, answerer(append([]byte{0}, make([]byte, 7)...))), Config{})
			free := make(chan *Call, depth)
			for range depth {
				call := &Call{Request: heartbeat()}
				call.Done = func(r Result) {
					if r.Err != nil {
						panic(r.Err)
					}
					free <- call
				}
				free <- call
			}
			b.ReportAllocs()
			for b.Loop() {
				c.Send(<-free)
			}
			for range depth {
				<-free
			}
			s := c.Stats()
			b.ReportMetric(float64(s.Requests)/float64(s.Writes), "calls/write")
		})
	}
}

// produceBody is a Vectored request of chunks that are not copied.
type produceBody struct {
	kmsg.ProduceRequest
	head   []byte
	chunks [][]byte
}

func (p *produceBody) AppendVectors(scratch []byte, v net.Buffers) ([]byte, net.Buffers) {
	start := len(scratch)
	scratch = append(scratch, p.head...)
	v = append(v, scratch[start:len(scratch):len(scratch)])
	return scratch, append(v, p.chunks...)
}

func (p *produceBody) Release() {}

// BenchmarkProduceVectors writes requests of 1 MiB in 64 chunks.
func BenchmarkProduceVectors(b *testing.B) {
	address := listen(b, func(conn net.Conn) {
		defer conn.Close()
		q, _ := readRequest(conn)
		_, _ = conn.Write(q.answer(offers()))
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 1<<20))
	})
	c := dial(b, address, Config{})
	req := &produceBody{head: make([]byte, 30)}
	for range 64 {
		req.chunks = append(req.chunks, make([]byte, 16<<10))
	}
	free := make(chan struct{}, 1)
	call := &Call{Request: req, NoResponse: true, Done: func(Result) { free <- struct{}{} }}
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		c.Send(call)
		<-free
	}
}

// A round trip allocates what its response needs (the response struct), no more.
func TestAllocationsPerCall(t *testing.T) {
	c := dial(t, listen(t, answerer(append([]byte{0}, make([]byte, 7)...))), Config{})
	done := make(chan error, 1)
	call := &Call{Request: heartbeat(), Done: func(r Result) { done <- r.Err }}
	roundTrip := func() {
		c.Send(call)
		require.NoError(t, <-done)
	}
	roundTrip()
	require.LessOrEqual(t, testing.AllocsPerRun(2000, roundTrip), 1.0)
}

func TestManyQueuedCallsGoOutInOneWrite(t *testing.T) {
	hold := make(chan struct{})
	c := dial(t, listen(t, func(conn net.Conn) { serve(conn, echo) }), Config{Hooks: Hooks{
		Wrote: func(c *Conn, calls, _ int, _ time.Duration, _ error) { <-hold },
	}})
	first := send(c, &Call{Request: heartbeat()})
	require.NoError(t, (<-first).Err) // written; the writer is held in the hook
	var all []<-chan Result
	for range writeCalls {
		all = append(all, send(c, &Call{Request: heartbeat()}))
	}
	close(hold)
	for _, got := range all {
		require.NoError(t, (<-got).Err)
	}
	require.EqualValues(t, 2, c.Stats().Writes)
}
