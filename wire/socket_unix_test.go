//go:build unix

package wire

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSocketOptions(t *testing.T) {
	address := listen(t, func(conn net.Conn) { serve(conn, echo) })
	controlled := false
	c := dial(t, address, Config{Socket: Socket{
		ReadBuffer: 1 << 16, WriteBuffer: 1 << 16, KeepAlive: time.Minute,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)},
		Control: func(_, _ string, _ syscall.RawConn) error {
			controlled = true
			return nil
		},
	}})
	require.True(t, controlled)
	require.Equal(t, "127.0.0.1", c.net.LocalAddr().(*net.TCPAddr).IP.String())
	raw, err := c.net.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		v, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
		require.NoError(t, err)
		require.Equal(t, 1, v, "no-delay is the default")
		v, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
		require.NoError(t, err)
		require.Equal(t, 1, v)
	}))
	require.False(t, Socket{KeepAlive: -1}.dialer().KeepAliveConfig.Enable)
	require.Equal(t, DefaultKeepAlive, Socket{}.dialer().KeepAliveConfig.Idle)
}
