package sasl

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Token is a bearer token with what goes with it.
type Token struct {
	Value Secret
	// AuthzID is the identity to act as; empty means the token's own.
	AuthzID string
	// Extensions are the SASL extensions of KIP-342: names of letters, values of
	// printable ASCII and space.
	Extensions map[string]string
	// Lifetime is how long the token is good for; 0 if that is not known.
	Lifetime time.Duration
}

// OAuthBearer is SASL OAUTHBEARER (RFC 7628, KIP-255, KIP-342). It refuses to
// run over a connection without TLS unless that is allowed.
type OAuthBearer struct {
	// Token is asked at each login. It may block until ctx ends and must be
	// safe for concurrent use. Its error is shown, so it must not hold a secret.
	Token func(ctx context.Context) (Token, error)
	// AllowWithoutTLS sends the token readable by anyone on the way.
	AllowWithoutTLS bool
}

var _ Authenticator = OAuthBearer{}

const (
	oauthBearer = "OAUTHBEARER"
	// longestReason bounds how much of a broker's text an error holds, in bytes.
	longestReason = 500
)

// Mechanism is OAUTHBEARER.
func (OAuthBearer) Mechanism() string { return oauthBearer }

// Start gets a token and checks it.
func (o OAuthBearer) Start(ctx context.Context, to Target) (Session, error) {
	if err := requireTLS(oauthBearer, to, o.AllowWithoutTLS); err != nil {
		return nil, err
	}
	if o.Token == nil {
		return nil, &Error{oauthBearer, "no Token function is set", nil}
	}
	token, err := o.Token(ctx)
	if err != nil {
		return nil, &Error{oauthBearer, "the Token function failed", err}
	}
	if err := token.check(); err != nil {
		return nil, err
	}
	return &oauthSession{token: token}, nil
}

// check holds the token against RFC 7628 section 3.1, so that no value can
// break out of its place in the message.
func (t Token) check() error {
	switch value := t.Value.Reveal(); {
	case value == "":
		return &Error{oauthBearer, "the Token function gave an empty token", nil}
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &Error{oauthBearer, "the token has a character that is not printable ASCII", nil}
	case strings.ContainsAny(t.AuthzID, "\x00\x01"):
		return &Error{oauthBearer, "the authorization id has a control character", nil}
	}
	for name, value := range t.Extensions {
		if !validExtension(name, value) {
			return &Error{oauthBearer, fmt.Sprintf("the extension %q is not valid: names are letters but not auth, values printable ASCII", name), nil}
		}
	}
	return nil
}

func validExtension(name, value string) bool {
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	printable := func(r rune) bool { return r >= ' ' && r <= '~' || r == '\t' || r == '\r' || r == '\n' }
	not := func(f func(rune) bool) func(rune) bool { return func(r rune) bool { return !f(r) } }
	return name != "" && name != "auth" && !strings.ContainsFunc(name, not(letter)) && !strings.ContainsFunc(value, not(printable))
}

type oauthSession struct {
	token   Token
	refused string
}

func (s *oauthSession) First() ([]byte, error) {
	var b strings.Builder
	b.WriteString("n,")
	if s.token.AuthzID != "" {
		escaped := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.token.AuthzID)
		b.WriteString("a=" + escaped)
	}
	b.WriteString(",\x01auth=Bearer " + s.token.Value.Reveal() + "\x01")
	names := make([]string, 0, len(s.token.Extensions))
	for name := range s.token.Extensions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name + "=" + s.token.Extensions[name] + "\x01")
	}
	b.WriteString("\x01")
	return []byte(b.String()), nil
}

// Next: an empty answer is success. Anything else is the broker's reason, which
// must be acknowledged with a single 0x01 before it ends the login.
func (s *oauthSession) Next(_ context.Context, challenge []byte) ([]byte, bool, error) {
	if s.refused != "" {
		return nil, false, &Error{oauthBearer, fmt.Sprintf("the broker refused the token: %q", s.refused), nil}
	}
	if len(challenge) == 0 {
		return nil, true, nil
	}
	s.refused = s.Scrub(string(challenge))
	s.refused = s.refused[:min(len(s.refused), longestReason)]
	return []byte{1}, false, nil
}

// Explain is the reason that the broker gave before it ended the login.
func (s *oauthSession) Explain() string { return s.refused }

// Scrub takes the token out of a text.
func (s *oauthSession) Scrub(text string) string { return s.token.Value.scrub(text) }

// Lifetime is the token's.
func (s *oauthSession) Lifetime() time.Duration { return s.token.Lifetime }
