package wire

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/moldau-go/moldau/wire/sasl"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// loginRounds bounds a login that a broker would never end.
	loginRounds = 32
	// longestSaid bounds how much of a broker's text an error holds, in bytes.
	longestSaid = 500
)

var errRounds = fmt.Errorf("the broker asked for more than %d messages", loginRounds)

// handshakeVersion is 1 where the broker has SaslAuthenticate (since 1.0), so
// that it can say why a login fails (KIP-152); else 0.
func handshakeVersion(v Versions) int16 {
	_, highest, ok := v.Range(keySASLHandshake)
	_, _, authenticates := v.Range(keySASLAuthenticate)
	if ok && highest >= 1 && authenticates && v.Origin() == Asked {
		return 1
	}
	return 0
}

// loginState is one login.
type loginState struct {
	*shaker
	auth     sasl.Authenticator
	target   sasl.Target
	session  sasl.Session
	version  int16 // of SaslAuthenticate
	lifetime time.Duration
}

// login logs in and tells how long that is good for.
func (s *shaker) login(ctx context.Context, auth sasl.Authenticator, target sasl.Target, v Versions) (time.Duration, error) {
	l := &loginState{shaker: s, auth: auth, target: target}
	if version, err := v.choose(keySASLAuthenticate, s.cfg.Pins); err == nil {
		l.version = version
	}
	if err := l.run(ctx); err != nil {
		return 0, err
	}
	return l.limit(), nil
}

func (l *loginState) run(ctx context.Context) error {
	session, err := bounded(ctx, func() (sasl.Session, error) { return l.auth.Start(ctx, l.target) }, func(sasl.Session) {})
	if err != nil {
		return l.failed(err, "")
	}
	l.session = session
	if err := l.handshake(ctx); err != nil {
		return err
	}
	token, err := bounded(ctx, session.First, func([]byte) {})
	for round := 0; err == nil; round++ {
		if round == loginRounds {
			return l.failed(errRounds, "")
		}
		challenge, sent := l.send(ctx, token)
		if sent != nil {
			return sent
		}
		var done bool
		token, done, err = l.next(ctx, challenge)
		if err == nil && done {
			return nil
		}
	}
	return l.failed(err, "")
}

// next runs the mechanism, which may block or panic, for one message.
func (l *loginState) next(ctx context.Context, challenge []byte) (token []byte, done bool, err error) {
	type step struct {
		token []byte
		done  bool
	}
	s, err := bounded(ctx, func() (step, error) {
		token, done, err := l.session.Next(ctx, challenge)
		return step{token, done}, err
	}, func(step) {})
	return s.token, s.done, err
}

// handshake names the mechanism (KIP-43).
func (l *loginState) handshake(ctx context.Context) error {
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Version, req.Mechanism = l.target.HandshakeVersion, l.auth.Mechanism()
	answer, err := l.exchange(req)
	if err != nil {
		return l.broken(ctx, err, hintNoSASL)
	}
	resp := answer.(*kmsg.SASLHandshakeResponse)
	switch code := Code(resp.ErrorCode); code {
	case None:
		return nil
	case IllegalSASLState:
		return l.refused(code, "", hintNoSASL)
	case UnsupportedSASLMechanism:
		return l.refused(code, "", "the listener offers "+strings.Join(resp.SupportedMechanisms, ", "))
	default:
		return l.refused(code, "", "")
	}
}

// send carries one message to the broker and gives its answer.
func (l *loginState) send(ctx context.Context, token []byte) ([]byte, error) {
	if l.target.HandshakeVersion == 0 {
		challenge, err := l.exchangeToken(token)
		if err != nil {
			return nil, l.broken(ctx, err, hintLoginCut)
		}
		return challenge, nil
	}
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.Version, req.SASLAuthBytes = l.version, token
	answer, err := l.exchange(req)
	if err != nil {
		return nil, l.broken(ctx, err, hintLoginCut)
	}
	resp := answer.(*kmsg.SASLAuthenticateResponse)
	if code := Code(resp.ErrorCode); code != None {
		said := ""
		if resp.ErrorMessage != nil {
			said = *resp.ErrorMessage
		}
		return nil, l.refused(code, said, "")
	}
	l.lifetime = time.Duration(resp.SessionLifetimeMillis) * time.Millisecond
	return resp.SASLAuthBytes, nil
}

// limit is the shorter of the broker's and the mechanism's own lifetime.
func (l *loginState) limit() time.Duration {
	own := time.Duration(0)
	if s, ok := l.session.(sasl.Lifetimer); ok {
		own = max(0, s.Lifetime())
	}
	brokers := max(0, l.lifetime)
	if own == 0 || brokers == 0 {
		return max(own, brokers)
	}
	return min(own, brokers)
}

// failed is a login that this side gave up.
func (l *loginState) failed(err error, hint string) error {
	return &AuthError{Mechanism: l.auth.Mechanism(), Address: l.address, Hint: hint, Cause: err}
}

// broken is a login during which the connection failed. A broker that cannot
// say why it refuses (handshake v0) just ends the connection.
func (l *loginState) broken(ctx context.Context, err error, hint string) error {
	if !isCut(err) || ctx.Err() != nil {
		hint = ""
	}
	err = l.fail(ctx, StageLogin, err, "")
	return &AuthError{Mechanism: l.auth.Mechanism(), Address: l.address, Said: l.explanation(), Hint: hint, Cause: err}
}

// refused is a login that the broker refused with a code.
func (l *loginState) refused(code Code, said, hint string) error {
	if s, ok := l.session.(sasl.Scrubber); ok {
		said = s.Scrub(said)
	}
	if why := l.explanation(); !strings.Contains(said, why) {
		said = strings.TrimPrefix(said+"; "+why, "; ")
	}
	said = said[:min(len(said), longestSaid)]
	return &AuthError{Mechanism: l.auth.Mechanism(), Address: l.address, Code: code, Said: said, Hint: hint}
}

// explanation is what the mechanism was told in the course of the login.
func (l *loginState) explanation() string {
	if s, ok := l.session.(sasl.Explainer); ok {
		return s.Explain()
	}
	return ""
}
