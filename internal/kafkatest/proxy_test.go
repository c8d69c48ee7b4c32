package kafkatest

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// echo serves connections that return what they get, until the test ends.
func echo(t *testing.T, l net.Listener) {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
}

// tcpProxy is a proxy before an echo server on real sockets, where only the order of events is tested.
func tcpProxy(t *testing.T) (*Proxy, net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	echo(t, l)
	p := NewProxy(t, l.Addr().String(), ProxyOptions{})
	return p, dialTCP(t, p.Addr())
}

func dialTCP(t *testing.T, address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

// memProxy is a proxy in a synctest bubble, where time is exact.
func memProxy(t *testing.T) (*Proxy, net.Conn) {
	n := NewNetwork()
	l, err := n.Listen("tcp", "broker:9092")
	require.NoError(t, err)
	echo(t, l)
	p := NewProxy(t, "broker:9092", ProxyOptions{Listen: n.Listen, Dial: n.From("proxy"), Address: "proxy:9092"})
	conn, err := n.Dial(t.Context(), "tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return p, conn
}

func exchange(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
	buf := make([]byte, len(text))
	_, err = io.ReadFull(conn, buf)
	require.NoError(t, err)
	require.Equal(t, text, string(buf))
}

func TestProxyPassesOn(t *testing.T) {
	p, conn := tcpProxy(t)
	exchange(t, conn, "hello")
	exchange(t, conn, string(bytes.Repeat([]byte("x"), 1<<20)))
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	_, err := conn.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err, "half-close goes through and back")
	require.NoError(t, p.Close())
	stats := p.Stats()
	require.Equal(t, ProxyStats{Accepted: 1, BytesUp: 1<<20 + 5, BytesDown: 1<<20 + 5}, stats)
}

func TestProxyDelayAndJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, conn := memProxy(t)
		start := time.Now()
		p.Set(Faults{Up: Flow{Delay: time.Second}, Down: Flow{Delay: 2 * time.Second}})
		exchange(t, conn, "late")
		require.Equal(t, 3*time.Second, time.Since(start))

		start = time.Now()
		p.Set(Faults{Down: Flow{Delay: time.Second, Jitter: time.Second}})
		exchange(t, conn, "jittered")
		took := time.Since(start)
		require.GreaterOrEqual(t, took, time.Second)
		require.LessOrEqual(t, took, 2*time.Second)

		start = time.Now()
		p.Set(Faults{})
		exchange(t, conn, "prompt")
		require.Zero(t, time.Since(start))
	})
}

func TestProxyThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, conn := memProxy(t)
		p.Set(Faults{Down: Flow{BytesPerSecond: 1000}})
		start := time.Now()
		exchange(t, conn, string(make([]byte, 5000)))
		took := time.Since(start)
		require.GreaterOrEqual(t, took, 4900*time.Millisecond)
		require.LessOrEqual(t, took, 5*time.Second)
	})
}

func TestProxyDropsEachDirection(t *testing.T) {
	for name, faults := range map[string]Faults{"up": {Up: Flow{Drop: true}}, "down": {Down: Flow{Drop: true}}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, conn := memProxy(t)
				p.Set(faults)
				_, err := io.WriteString(conn, "gone")
				require.NoError(t, err)
				require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Hour)))
				_, err = conn.Read(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				require.EqualValues(t, 4, p.Stats().Dropped)
				require.Equal(t, name == "down", p.Stats().BytesUp == 4)
				p.Set(Faults{})
				require.NoError(t, conn.SetReadDeadline(time.Time{}))
				exchange(t, conn, "back")
			})
		})
	}
}

func TestProxyHoldsAndDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, conn := memProxy(t)
		p.Set(Faults{Up: Flow{Hold: true}})
		start := time.Now()
		time.AfterFunc(time.Hour, func() { p.Set(Faults{}) })
		exchange(t, conn, "held")
		require.Equal(t, time.Hour, time.Since(start))
	})
}

func TestProxyCutsMidFrame(t *testing.T) {
	for _, reset := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p, conn := memProxy(t)
			exchange(t, conn, "before")
			p.Set(Faults{Down: Flow{CutAfter: 10, CutReset: reset}})
			exchange(t, conn, "1234")
			_, err := io.WriteString(conn, "567890abc")
			require.NoError(t, err)
			buf := make([]byte, 20)
			k, err := io.ReadFull(conn, buf)
			if reset {
				// A reset overtakes what the receiver has not read yet, on this network as on a real one.
				require.ErrorIs(t, err, syscall.ECONNRESET)
			} else {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.Equal(t, "567890", string(buf[:k]))
			}
			synctest.Wait()
			require.EqualValues(t, 1, p.Stats().Cuts)
			require.Zero(t, p.Stats().Open)
		})
	}
}

func TestProxyCorruptsOneByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, conn := memProxy(t)
		exchange(t, conn, "before")
		p.Set(Faults{Up: Flow{CorruptAt: 3}})
		_, err := io.WriteString(conn, "abcdef")
		require.NoError(t, err)
		buf := make([]byte, 6)
		_, err = io.ReadFull(conn, buf)
		require.NoError(t, err)
		require.Equal(t, "ab\x9cdef", string(buf))
		exchange(t, conn, "abcdef")
		require.EqualValues(t, 1, p.Stats().Corrupted)
	})
}

func TestProxyReset(t *testing.T) {
	p, conn := tcpProxy(t)
	exchange(t, conn, "hello")
	require.Equal(t, 1, p.Reset())
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	exchange(t, dialTCP(t, p.Addr()), "again")
	require.EqualValues(t, 1, p.Stats().Resets)
}

func TestProxyHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, conn := memProxy(t)
		exchange(t, conn, "hello")
		require.Equal(t, 1, p.HalfOpen())
		require.Zero(t, p.HalfOpen(), "once is enough")
		for range 100 {
			_, err := conn.Write(make([]byte, 10_000))
			require.NoError(t, err, "the client does not notice")
		}
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Hour)))
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, conn.Close())
		synctest.Wait()
		require.Zero(t, p.Stats().Open)
	})
}

func TestProxyRefusesAndLimits(t *testing.T) {
	p, first := tcpProxy(t)
	exchange(t, first, "hello")
	p.Set(Faults{MaxConns: 1})
	requireReset(t, p.Addr())
	p.Set(Faults{Refuse: true})
	requireReset(t, p.Addr())
	require.EqualValues(t, 2, p.Stats().Refused)
	exchange(t, first, "still here")

	p.Down()
	_, err := first.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	_, err = net.Dial("tcp", p.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	p.Set(Faults{})
	require.NoError(t, p.Up())
	exchange(t, dialTCP(t, p.Addr()), "up again")
}

// requireReset connects and is reset: as it reads, or, when the proxy is quick, before the dial returns.
func requireReset(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err == nil {
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
		_, err = conn.Read(make([]byte, 1))
	}
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestProxyWithoutTargetResets(t *testing.T) {
	n := NewNetwork()
	p := NewProxy(t, "nobody:1", ProxyOptions{Listen: n.Listen, Dial: n.Dial})
	conn, err := n.Dial(context.Background(), "tcp", p.Addr())
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	require.NoError(t, p.Close())
	require.EqualValues(t, 1, p.Stats().Refused)
	require.ErrorIs(t, p.Up(), net.ErrClosed)
}
