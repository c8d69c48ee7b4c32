package wire

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/moldau-go/moldau/wire/sasl"
)

// The defaults of Config.
const (
	// DefaultConnectTimeout bounds TCP, TLS, ApiVersions and SASL together.
	DefaultConnectTimeout = 10 * time.Second
	// DefaultRequestTimeout is the Java client's request.timeout.ms.
	DefaultRequestTimeout = 30 * time.Second
	// DefaultMaxFrame is a broker's own limit (socket.request.max.bytes), which
	// this client keeps in both directions.
	DefaultMaxFrame = 100 << 20
	// DefaultMaxCalls bounds the calls queued and in flight on one connection.
	DefaultMaxCalls = 16 << 10
)

// Config is how to make a connection. The zero value connects in plain text
// with the defaults above. It is not changed by Dial and may be shared.
type Config struct {
	// ClientID is Kafka's client.id; empty sends none.
	ClientID string
	// SoftwareVersion is told to the broker with ApiVersions (KIP-511); empty
	// means "dev". Letters, digits, dots and dashes.
	SoftwareVersion string
	// Dial, if set, replaces TCP's. Its ctx ends at the deadline; a Dial that
	// overstays it is abandoned and its connection closed. Close of the
	// connection that it returns must unblock Read and Write, as net.Conn says.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS, if set, encrypts the connection. An empty ServerName becomes the host
	// of the address.
	TLS *tls.Config
	// SASL, if set, logs in.
	SASL sasl.Authenticator
	// ConnectTimeout bounds everything that Dial does; 0 means 10 s.
	ConnectTimeout time.Duration
	// RequestTimeout is the deadline of a Call that has none; 0 means 30 s.
	RequestTimeout time.Duration
	// MaxFrame is the largest answer that is accepted, in bytes; 0 means 100 MiB.
	MaxFrame int
	// MaxRequest is the largest request that is sent, in bytes; 0 means 100 MiB.
	MaxRequest int
	// MaxCalls is how many calls may be queued and in flight at once; more fail
	// with ErrBusy. 0 means 16384.
	MaxCalls int
	// NoAPIVersions does not ask the broker which versions it knows and uses the
	// lowest of each API (brod's query_api_versions=false).
	NoAPIVersions bool
	// Assume, if it is Known, is used instead of asking the broker: what an
	// earlier connection to the same broker found (Conn.Versions).
	Assume Versions
	// Pins fixes the version of an API, by key.
	Pins map[int16]int16
	// Socket tunes TCP. Of a connection that Dial above returns, if it is a
	// *net.TCPConn, only buffers and no-delay are set.
	Socket Socket
	// Hooks observe the connection.
	Hooks Hooks
}

// Hooks are called by a connection's goroutines and must not block. Nil ones
// are left out. They may be shared by connections.
type Hooks struct {
	// Connected: Dial is through; took is its whole time.
	Connected func(c *Conn, took time.Duration)
	// Wrote: calls requests of bytes in all were given to the socket at once.
	Wrote func(c *Conn, calls, bytes int, took time.Duration, err error)
	// Closed: the connection has ended and every call was answered.
	Closed func(c *Conn, cause error)
}

// withDefaults fills what is zero.
func (c Config) withDefaults() Config {
	if c.SoftwareVersion == "" {
		c.SoftwareVersion = "dev"
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = DefaultConnectTimeout
	}
	if c.RequestTimeout <= 0 {
		c.RequestTimeout = DefaultRequestTimeout
	}
	if c.MaxFrame <= 0 {
		c.MaxFrame = DefaultMaxFrame
	}
	if c.MaxRequest <= 0 {
		c.MaxRequest = DefaultMaxFrame
	}
	if c.MaxCalls <= 0 {
		c.MaxCalls = DefaultMaxCalls
	}
	return c
}
