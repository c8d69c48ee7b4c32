package wire

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// request is what a fake broker reads.
type request struct {
	key, version int16
	id           int32
	body         []byte // with header and client id cut off
}

func readRequest(r io.Reader) (request, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return request{}, err
	}
	b := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(r, b); err != nil {
		return request{}, err
	}
	q := request{key: int16(binary.BigEndian.Uint16(b)), version: int16(binary.BigEndian.Uint16(b[2:])), id: int32(binary.BigEndian.Uint32(b[4:]))}
	b = b[8:]
	if n := int16(binary.BigEndian.Uint16(b)); n > 0 {
		b = b[n:]
	}
	b = b[2:]
	if q.parsed(nil).IsFlexible() {
		b = b[1:]
	}
	q.body = b
	return q, nil
}

// parsed decodes a request; with nil only its kind and version are set.
func (q request) parsed(t testing.TB) kmsg.Request {
	req := kmsg.RequestForKey(q.key)
	req.SetVersion(q.version)
	if t != nil {
		require.NoError(t, req.ReadFrom(q.body))
	}
	return req
}

// answer is the frame of a response to a request.
func (q request) answer(resp kmsg.Response) []byte {
	resp.SetVersion(q.version)
	return q.raw(resp.AppendTo(nil))
}

// raw is the frame of a response body to a request.
func (q request) raw(body []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0}, uint32(q.id))
	if q.key != keyAPIVersions && q.parsed(nil).IsFlexible() {
		b = append(b, 0)
	}
	b = append(b, body...)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// offers is an answer to ApiVersions with everything that this client speaks.
func offers() *kmsg.ApiVersionsResponse {
	resp := kmsg.NewPtrApiVersionsResponse()
	for key := range apis {
		resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: int16(key), MaxVersion: min(apis[key].max, 4)})
	}
	return resp
}

// handler answers one request of a connection; nil is no answer, and false ends
// the connection.
type handler func(q request) (answer []byte, goOn bool)

// serve answers ApiVersions itself and gives everything else to h.
func serve(conn net.Conn, h handler) {
	defer conn.Close()
	for {
		q, err := readRequest(conn)
		if err != nil {
			return
		}
		var answer []byte
		goOn := true
		if q.key == keyAPIVersions {
			answer = q.answer(offers())
		} else {
			answer, goOn = h(q)
		}
		if answer != nil {
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
		if !goOn {
			return
		}
	}
}

// echo answers every request with its kind's empty response.
func echo(q request) ([]byte, bool) { return q.answer(q.parsed(nil).ResponseKind()), true }

// inMemory is a Config whose connections end in h, over pipes that synctest
// understands. dialed counts them.
func inMemory(serveConn func(n int, conn net.Conn)) Config {
	n := 0
	return Config{Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go serveConn(n, server)
		n++
		return client, nil
	}}
}

func with(h handler) func(int, net.Conn) {
	return func(_ int, conn net.Conn) { serve(conn, h) }
}

// listen runs serveConn for every connection to a loopback TCP port, and ends
// all of them with the test.
func listen(t testing.TB, serveConn func(conn net.Conn)) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wait sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			wait.Go(func() { serveConn(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		wait.Wait()
	})
	return l.Addr().String()
}

// dial connects and closes with the test.
func dial(t testing.TB, address string, cfg Config) *Conn {
	c, err := Dial(context.Background(), address, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close(nil)
		<-c.Done()
	})
	return c
}

// memory dials an in-memory broker.
func memory(t testing.TB, cfg Config) *Conn { return dial(t, "broker:9092", cfg) }

// send puts a call on a connection and gives its outcome on a channel.
func send(c *Conn, call *Call) <-chan Result {
	got := make(chan Result, 2) // two, so that a second Done is seen, not blocked
	call.Done = func(r Result) { got <- r }
	c.Send(call)
	return got
}

func heartbeat() *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID = "group", "member"
	return req
}
