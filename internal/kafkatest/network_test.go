package kafkatest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// memPair returns both ends of one connection.
func memPair(t require.TestingT, n *Network) (client, server net.Conn) {
	l, err := n.Listen("tcp", "broker:9092")
	require.NoError(t, err)
	client, err = n.Dial(context.Background(), "tcp", "broker:9092")
	require.NoError(t, err)
	server, err = l.Accept()
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return client, server
}

func TestNetworkKeepsEveryByteInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sent := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(rt, "sent")
		pieces := rapid.SliceOfN(rapid.IntRange(1, 700), 1, 20).Draw(rt, "pieces")
		reads := rapid.IntRange(1, 900).Draw(rt, "reads")
		n := NewNetwork()
		n.SetLink(LinkRule{Buffer: rapid.IntRange(1, 2000).Draw(rt, "buffer")})
		client, server := memPair(rt, n)
		go func() {
			rest := sent
			for i := 0; len(rest) > 0; i++ {
				k := min(len(rest), pieces[i%len(pieces)])
				if _, err := client.Write(rest[:k]); err != nil {
					return
				}
				rest = rest[k:]
			}
			client.Close()
		}()
		var got []byte
		buf := make([]byte, reads)
		for {
			k, err := server.Read(buf)
			got = append(got, buf[:k]...)
			if err == io.EOF {
				break
			}
			require.NoError(rt, err)
		}
		require.Equal(rt, len(sent), len(got))
		require.Equal(rt, string(sent), string(got))
		server.Close()
		require.Zero(rt, n.Open())
	})
}

func TestNetworkLatencyIsVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetLink(LinkRule{To: "broker:9092", Latency: 3 * time.Second})
		start := time.Now()
		client, server := memPair(t, n)
		require.Equal(t, 6*time.Second, time.Since(start), "a dial is one round trip")
		_, err := client.Write([]byte("ping"))
		require.NoError(t, err)
		require.Equal(t, 6*time.Second, time.Since(start), "a write does not wait")
		buf := make([]byte, 10)
		k, err := server.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "ping", string(buf[:k]))
		require.Equal(t, 9*time.Second, time.Since(start))
		require.NoError(t, client.Close())
		_, err = server.Read(buf)
		require.Equal(t, io.EOF, err)
		require.Equal(t, 12*time.Second, time.Since(start), "the end of file travels too")
		server.Close()
	})
}

func TestNetworkDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetLink(LinkRule{Buffer: 10})
		client, server := memPair(t, n)
		defer client.Close()
		defer server.Close()
		start := time.Now()

		require.NoError(t, client.SetReadDeadline(start.Add(time.Minute)))
		_, err := client.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		var netErr net.Error
		require.True(t, errors.As(err, &netErr) && netErr.Timeout())
		require.Equal(t, time.Minute, time.Since(start))

		require.NoError(t, client.SetWriteDeadline(time.Now().Add(time.Minute)))
		k, err := client.Write(make([]byte, 25))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 10, k, "what the buffer took was written")
		require.Equal(t, 2*time.Minute, time.Since(start))

		// A deadline that is set while a read waits ends it; one that is lifted does not.
		require.NoError(t, client.SetReadDeadline(time.Time{}))
		failed := make(chan error, 1)
		go func() {
			_, err := client.Read(make([]byte, 1))
			failed <- err
		}()
		synctest.Wait()
		require.Empty(t, failed)
		require.NoError(t, client.SetReadDeadline(time.Unix(1, 0)))
		require.ErrorIs(t, <-failed, os.ErrDeadlineExceeded)
	})
}

func TestNetworkBackpressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetLink(LinkRule{Buffer: 100})
		client, server := memPair(t, n)
		written := make(chan int, 1)
		go func() {
			k, _ := client.Write(make([]byte, 150))
			written <- k
		}()
		synctest.Wait()
		require.Empty(t, written, "150 bytes do not fit in 100")
		_, err := io.ReadFull(server, make([]byte, 50))
		require.NoError(t, err)
		require.Equal(t, 150, <-written)
		client.Close()
		server.Close()
	})
}

func TestNetworkHalfCloseAndClose(t *testing.T) {
	client, server := memPair(t, NewNetwork())
	require.NoError(t, client.(interface{ CloseWrite() error }).CloseWrite())
	_, err := server.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
	_, err = server.Write([]byte("late"))
	require.NoError(t, err)
	buf := make([]byte, 4)
	_, err = io.ReadFull(client, buf)
	require.NoError(t, err)
	require.Equal(t, "late", string(buf))
	_, err = client.Write(buf)
	require.ErrorIs(t, err, net.ErrClosed)

	require.NoError(t, client.Close())
	_, err = server.Write(buf)
	require.ErrorIs(t, err, syscall.EPIPE)
	_, err = client.Read(buf)
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorIs(t, client.Close(), net.ErrClosed)
	require.ErrorIs(t, client.SetDeadline(time.Now()), net.ErrClosed)
}

func TestNetworkPartitionHoldsAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		client, server := memPair(t, n)
		l, err := n.Listen("tcp", "broker:9092")
		require.NoError(t, err)
		n.Partition("client", "broker:9092")
		_, err = client.Write([]byte("held"))
		require.NoError(t, err)
		require.NoError(t, server.SetReadDeadline(time.Now().Add(time.Hour)))
		_, err = server.Read(make([]byte, 4))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = n.Dial(ctx, "tcp", "broker:9092")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var netErr net.Error
		require.True(t, errors.As(err, &netErr) && netErr.Timeout())
		other, err := n.From("other")(t.Context(), "tcp", "broker:9092")
		require.NoError(t, err, "another host is not cut off")
		require.NoError(t, other.Close())

		dialled := make(chan error, 1)
		go func() {
			conn, err := n.Dial(t.Context(), "tcp", "broker:9092")
			if err == nil {
				conn.Close()
			}
			dialled <- err
		}()
		synctest.Wait()
		require.Empty(t, dialled)
		n.Heal("client", "broker:9092")
		require.NoError(t, <-dialled)
		require.NoError(t, server.SetReadDeadline(time.Time{}))
		buf := make([]byte, 4)
		_, err = io.ReadFull(server, buf)
		require.NoError(t, err)
		require.Equal(t, "held", string(buf))
		require.NoError(t, l.Close())
		client.Close()
		server.Close()
	})
}

func TestNetworkResetAndRefusal(t *testing.T) {
	n := NewNetwork()
	client, server := memPair(t, n)
	require.Zero(t, n.Reset("", "other:1"))
	require.Equal(t, 1, n.Reset("client", ""))
	for _, conn := range []net.Conn{client, server} {
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		_, err = conn.Write([]byte{1})
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.NoError(t, conn.Close())
	}
	_, err := n.Dial(t.Context(), "tcp", "broker:9092")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)

	l, err := n.Listen("tcp", "broker:0")
	require.NoError(t, err)
	_, err = n.Listen("tcp", l.Addr().String())
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	waiting, err := n.Dial(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = waiting.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET, "nobody accepted it")
	require.Zero(t, n.Open())
}

func TestNetworkCarriesTLS(t *testing.T) {
	certificates, err := NewCertificates()
	require.NoError(t, err)
	serverConfig, err := certificates.ServerConfig()
	require.NoError(t, err)
	client, server := memPair(t, NewNetwork())
	go func() {
		secure := tls.Server(server, serverConfig)
		_, _ = io.Copy(secure, secure)
		secure.Close()
	}()
	config := certificates.ClientConfig()
	config.ServerName = "localhost"
	secure := tls.Client(client, config)
	_, err = secure.Write([]byte("secret"))
	require.NoError(t, err)
	buf := make([]byte, 6)
	_, err = io.ReadFull(secure, buf)
	require.NoError(t, err)
	require.Equal(t, "secret", string(buf))
	require.NoError(t, secure.Close())
}
