// Package sasl holds the login mechanisms of Kafka connections (KIP-12,
// KIP-43, KIP-84, KIP-255) and the interface through which others are added.
//
// A mechanism computes messages; package wire carries them. No error, log line
// or printed value of this package holds a credential: see Secret.
package sasl

import (
	"context"
	"fmt"
	"time"
)

// Authenticator is a login mechanism with its credentials. One Authenticator
// serves many connections, so it must be safe for concurrent use.
type Authenticator interface {
	// Mechanism is the name that the broker knows, as PLAIN.
	Mechanism() string
	// Start begins one login. ctx ends at the connection's deadline; Start may
	// block until then, to fetch a token for example. An error ends the login
	// and is given to the caller of Dial, so it must not hold a credential.
	Start(ctx context.Context, to Target) (Session, error)
}

// Target is what a login is told of the connection.
type Target struct {
	// Host is the broker's host name without port, as GSSAPI and tokens need it.
	Host string
	// Address is host and port.
	Address string
	// ClientID is Kafka's client.id of the connection.
	ClientID string
	// HandshakeVersion is 0 if messages travel bare, as with brokers before
	// 1.0, and 1 if they travel in SaslAuthenticate requests (KIP-152).
	HandshakeVersion int16
	// Secure tells whether the connection is encrypted.
	Secure bool
}

// Session is one login under way. It is used by one goroutine.
type Session interface {
	// First is the message that opens the login.
	First() ([]byte, error)
	// Next takes the broker's answer to the message before. done ends the login
	// successfully, without another message; otherwise response is sent. An
	// error ends the login and must not hold a credential.
	Next(ctx context.Context, challenge []byte) (response []byte, done bool, err error)
}

// Lifetimer may be implemented by a Session that knows how long its login is
// good for. It is asked once, after the login; zero means without end. The
// broker's own limit (KIP-368) counts as well, the shorter one wins.
type Lifetimer interface {
	Lifetime() time.Duration
}

// Scrubber may be implemented by a Session to take its credentials out of what
// the broker said before that is put into an error; a careless broker may quote
// them.
type Scrubber interface {
	Scrub(text string) string
}

// Explainer may be implemented by a Session that was told in the course of the
// login why it will fail. It is asked after a failure.
type Explainer interface {
	Explain() string
}

// Error is a login that failed on this side. Its Reason never holds a
// credential.
type Error struct {
	Mechanism string
	Reason    string
	Cause     error
}

// Error names mechanism, reason and cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("SASL %s: %s: %v", e.Mechanism, e.Reason, e.Cause)
	}
	return fmt.Sprintf("SASL %s: %s", e.Mechanism, e.Reason)
}

// Unwrap gives the Cause.
func (e *Error) Unwrap() error { return e.Cause }
