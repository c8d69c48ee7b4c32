package wire

import (
	"net"
	"syscall"
	"time"
)

// The defaults of Socket: a peer that is gone without a word is noticed on an
// idle connection within 15 + 3*5 = 30 s. Under load the request deadline
// notices it.
const (
	DefaultKeepAlive     = 15 * time.Second
	keepAliveInterval    = 5 * time.Second
	keepAliveProbes      = 3
	defaultFallbackDelay = 300 * time.Millisecond
)

// Socket tunes TCP. The zero value is the documented default.
type Socket struct {
	// ReadBuffer and WriteBuffer are SO_RCVBUF and SO_SNDBUF in bytes; 0 leaves
	// the system's.
	ReadBuffer, WriteBuffer int
	// Delay turns Nagle's algorithm on (TCP_NODELAY off). Requests are written
	// whole, so waiting for more only adds latency.
	Delay bool
	// KeepAlive is how long a connection is idle before TCP probes the peer; 0
	// means 15 s, negative turns probing off.
	KeepAlive time.Duration
	// LocalAddr is the address to connect from; nil leaves it to the system.
	LocalAddr net.Addr
	// Control is called with the socket before it connects, as in net.Dialer.
	Control func(network, address string, c syscall.RawConn) error
}

// dialer is the TCP dialer that Socket asks for. Names with several addresses
// are tried in turn, IPv4 and IPv6 in parallel (RFC 6555).
func (s Socket) dialer() *net.Dialer {
	d := &net.Dialer{LocalAddr: s.LocalAddr, Control: s.Control, FallbackDelay: defaultFallbackDelay}
	d.KeepAliveConfig = net.KeepAliveConfig{Enable: s.KeepAlive >= 0, Idle: s.KeepAlive, Interval: keepAliveInterval, Count: keepAliveProbes}
	if s.KeepAlive == 0 {
		d.KeepAliveConfig.Idle = DefaultKeepAlive
	}
	if s.KeepAlive < 0 {
		d.KeepAlive = -1
	}
	return d
}

// tune applies what can be set on a connected socket; other kinds of
// connection are left alone.
func (s Socket) tune(conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	if s.ReadBuffer > 0 {
		if err := tcp.SetReadBuffer(s.ReadBuffer); err != nil {
			return err
		}
	}
	if s.WriteBuffer > 0 {
		if err := tcp.SetWriteBuffer(s.WriteBuffer); err != nil {
			return err
		}
	}
	return tcp.SetNoDelay(!s.Delay)
}
