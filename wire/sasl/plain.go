package sasl

import (
	"context"
	"strings"
)

// Plain is SASL PLAIN (RFC 4616): user and password as they are. It refuses to
// run over a connection without TLS unless that is allowed.
type Plain struct {
	Username string
	Password Secret
	// Source, if set, is asked at each login instead of the two fields above.
	Source Source
	// AuthzID is the identity to act as; empty means the user itself.
	AuthzID string
	// AllowWithoutTLS sends the password readable by anyone on the way.
	AllowWithoutTLS bool
}

var _ Authenticator = Plain{}

// Mechanism is PLAIN.
func (Plain) Mechanism() string { return "PLAIN" }

// Start checks the connection and resolves the credentials.
func (p Plain) Start(ctx context.Context, to Target) (Session, error) {
	if err := requireTLS("PLAIN", to, p.AllowWithoutTLS); err != nil {
		return nil, err
	}
	user, password, err := credentials(ctx, "PLAIN", p.Username, p.Password, p.Source)
	if err != nil {
		return nil, err
	}
	if strings.ContainsRune(p.AuthzID+user+password.Reveal(), 0) {
		return nil, &Error{"PLAIN", "user, password and authorization id must not contain a zero byte", nil}
	}
	return plainSession{p.AuthzID, user, password}, nil
}

type plainSession struct {
	authzID, user string
	password      Secret
}

func (s plainSession) First() ([]byte, error) {
	return []byte(s.authzID + "\x00" + s.user + "\x00" + s.password.Reveal()), nil
}

func (s plainSession) Next(context.Context, []byte) ([]byte, bool, error) { return nil, true, nil }

// Scrub takes the password out of a text.
func (s plainSession) Scrub(text string) string { return s.password.scrub(text) }
