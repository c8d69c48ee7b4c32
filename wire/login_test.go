package wire

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moldau-go/moldau/wire/sasl"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/xdg-go/scram"
)

const password = "hunter2-the-secret"

// checker is a broker's side of a mechanism: it takes a message and gives an
// answer, whether that was the last, and an error that refuses the login.
type checker func(message []byte) (answer []byte, done bool, err error)

// saslBroker is a broker with one mechanism. mute drops SaslAuthenticate from
// its offers, as brokers before 1.0 have it.
type saslBroker struct {
	mechanism string
	check     func() checker
	v0        bool
	lifetime  time.Duration
}

func (b saslBroker) serve(_ int, conn net.Conn) {
	defer conn.Close()
	check := b.check()
	loggedIn := false
	for {
		q, err := readRequest(conn)
		if err != nil {
			return
		}
		var answer []byte
		switch q.key {
		case keyAPIVersions:
			resp := offers()
			if b.v0 {
				resp.ApiKeys[17].MaxVersion = 0
				resp.ApiKeys = resp.ApiKeys[:36]
			}
			answer = q.answer(resp)
		case keySASLHandshake:
			req := q.parsed(nil).(*kmsg.SASLHandshakeRequest)
			_ = req.ReadFrom(q.body)
			resp := &kmsg.SASLHandshakeResponse{SupportedMechanisms: []string{b.mechanism}}
			if req.Mechanism != b.mechanism {
				resp.ErrorCode = int16(UnsupportedSASLMechanism)
			}
			_, _ = conn.Write(q.answer(resp))
			if q.version == 0 && resp.ErrorCode == 0 {
				if loggedIn = b.serveBare(conn, check); !loggedIn {
					return
				}
			}
			continue
		case keySASLAuthenticate:
			req := q.parsed(nil).(*kmsg.SASLAuthenticateRequest)
			_ = req.ReadFrom(q.body)
			resp := kmsg.NewPtrSASLAuthenticateResponse()
			resp.SessionLifetimeMillis = b.lifetime.Milliseconds()
			var refused error
			resp.SASLAuthBytes, loggedIn, refused = check(req.SASLAuthBytes)
			if refused != nil {
				resp.ErrorCode, resp.ErrorMessage = int16(SASLAuthenticationFailed), kmsg.StringPtr(refused.Error())
			}
			answer = q.answer(resp)
		default:
			if !loggedIn {
				return
			}
			answer, _ = echo(q)
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// serveBare is a login by handshake v0: bare messages, and silence on refusal.
func (b saslBroker) serveBare(conn net.Conn, check checker) bool {
	for {
		var head [4]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return false
		}
		message := make([]byte, binary.BigEndian.Uint32(head[:]))
		_, _ = io.ReadFull(conn, message)
		answer, done, err := check(message)
		if err != nil {
			return false
		}
		_, _ = conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
		if done {
			return true
		}
	}
}

func plainChecker() checker {
	return func(m []byte) ([]byte, bool, error) {
		if string(m) == "\x00alice\x00"+password {
			return nil, true, nil
		}
		return nil, false, fmt.Errorf("Authentication failed for %q", m) // a careless broker
	}
}

func scramChecker(hash scram.HashGeneratorFcn, iterations int) func() checker {
	return func() checker {
		client, _ := hash.NewClient("alice", password, "")
		stored, _ := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt-of-alice", Iters: iterations})
		server, _ := hash.NewServer(func(user string) (scram.StoredCredentials, error) {
			if user != "alice" {
				return scram.StoredCredentials{}, errors.New("unknown user")
			}
			return stored, nil
		})
		talk := server.NewConversation()
		return func(m []byte) ([]byte, bool, error) {
			answer, err := talk.Step(string(m))
			return []byte(answer), talk.Valid(), err
		}
	}
}

func oauthChecker() checker {
	refused := false
	return func(m []byte) ([]byte, bool, error) {
		switch {
		case refused && string(m) == "\x01":
			return nil, false, errors.New("Authentication failed")
		case string(m) == "n,,\x01auth=Bearer "+password+"\x01cluster=c1\x01\x01":
			return nil, true, nil
		}
		refused = true
		return []byte(`{"status":"invalid_token"}`), false, nil
	}
}

func token(value string) func(context.Context) (sasl.Token, error) {
	return func(context.Context) (sasl.Token, error) {
		return sasl.Token{Value: sasl.NewSecret(value), Extensions: map[string]string{"cluster": "c1"}, Lifetime: time.Hour}, nil
	}
}

type mechanism struct {
	broker saslBroker
	with   func(password string) sasl.Authenticator
}

func mechanisms() map[string]mechanism {
	plain := func(password string) sasl.Authenticator {
		return sasl.Plain{Username: "alice", Password: sasl.NewSecret(password), AllowWithoutTLS: true}
	}
	scrams := func(hash sasl.Hash) func(string) sasl.Authenticator {
		return func(password string) sasl.Authenticator {
			return sasl.Scram{Hash: hash, Username: "alice", Password: sasl.NewSecret(password)}
		}
	}
	oauth := func(value string) sasl.Authenticator {
		return sasl.OAuthBearer{Token: token(value), AllowWithoutTLS: true}
	}
	return map[string]mechanism{
		"PLAIN":         {saslBroker{mechanism: "PLAIN", check: plainChecker}, plain},
		"SCRAM-SHA-256": {saslBroker{mechanism: "SCRAM-SHA-256", check: scramChecker(scram.SHA256, 4096)}, scrams(sasl.SHA256)},
		"SCRAM-SHA-512": {saslBroker{mechanism: "SCRAM-SHA-512", check: scramChecker(scram.SHA512, 4096)}, scrams(sasl.SHA512)},
		"OAUTHBEARER":   {saslBroker{mechanism: "OAUTHBEARER", check: oauthChecker}, oauth},
	}
}

func TestLogin(t *testing.T) {
	for name, m := range mechanisms() {
		for _, v0 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s v0=%v", name, v0), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m.broker.v0 = v0
					cfg := inMemory(m.broker.serve)
					cfg.SASL = m.with(password)
					c := memory(t, cfg)
					_, err := c.Do(context.Background(), heartbeat())
					require.NoError(t, err)

					cfg = inMemory(m.broker.serve)
					cfg.SASL = m.with("wrong-" + password)
					_, err = Dial(context.Background(), "b:1", cfg)
					var auth *AuthError
					require.ErrorAs(t, err, &auth)
					require.ErrorIs(t, err, ErrAuthentication)
					require.Equal(t, name, auth.Mechanism)
					require.ErrorContains(t, err, "SASL "+name)
					require.NotContains(t, fmt.Sprintf("%+v %#v", err, err), password)
					if v0 {
						require.ErrorIs(t, err, ErrConnection)
						require.ErrorContains(t, err, "wrong credentials are the usual reason")
						require.True(t, Retriable(err))
					} else {
						require.Equal(t, SASLAuthenticationFailed, auth.Code)
						require.NotEmpty(t, auth.Said)
						require.False(t, Retriable(err))
					}
					if name == "OAUTHBEARER" {
						require.ErrorContains(t, err, "invalid_token")
					}
				})
			})
		}
	}
}

func TestSessionLifetime(t *testing.T) {
	for _, test := range []struct{ brokers, want time.Duration }{{0, time.Hour}, {time.Minute, time.Minute}, {2 * time.Hour, time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			m := mechanisms()["OAUTHBEARER"]
			m.broker.lifetime = test.brokers
			cfg := inMemory(m.broker.serve)
			cfg.SASL = m.with(password)
			require.Equal(t, test.want, memory(t, cfg).SessionLifetime())
		})
	}
}

func TestMechanismThatTheBrokerDoesNotOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := inMemory(mechanisms()["SCRAM-SHA-256"].broker.serve)
		cfg.SASL = sasl.Scram{Hash: sasl.SHA512, Username: "alice", Password: sasl.NewSecret(password)}
		_, err := Dial(context.Background(), "b:1", cfg)
		require.ErrorIs(t, err, ErrAuthentication)
		require.ErrorContains(t, err, "the listener offers SCRAM-SHA-256")
		require.False(t, Retriable(err))
	})
}

func TestListenerWithoutSASL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := inMemory(with(func(q request) ([]byte, bool) {
			return q.answer(&kmsg.SASLHandshakeResponse{ErrorCode: int16(IllegalSASLState)}), true
		}))
		cfg.SASL = sasl.Scram{Username: "alice", Password: sasl.NewSecret(password)}
		_, err := Dial(context.Background(), "b:1", cfg)
		require.ErrorContains(t, err, "does not take SASL")
	})
}

func TestPasswordIsNotSentInTheClear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, auth := range []sasl.Authenticator{
			sasl.Plain{Username: "alice", Password: sasl.NewSecret(password)},
			sasl.OAuthBearer{Token: token(password)},
		} {
			cfg := inMemory(mechanisms()["PLAIN"].broker.serve)
			cfg.SASL = auth
			_, err := Dial(context.Background(), "b:1", cfg)
			require.ErrorIs(t, err, ErrAuthentication)
			require.ErrorContains(t, err, "not encrypted")
		}
	})
	certificate, roots := selfSigned(t)
	address := listen(t, func(conn net.Conn) {
		mechanisms()["PLAIN"].broker.serve(0, tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	})
	dial(t, address, Config{TLS: &tls.Config{RootCAs: roots}, SASL: sasl.Plain{Username: "alice", Password: sasl.NewSecret(password)}})
}

// authFunc is a mechanism of a user's own.
type authFunc struct {
	start func(ctx context.Context, to sasl.Target) (sasl.Session, error)
}

func (authFunc) Mechanism() string { return "OWN" }
func (a authFunc) Start(ctx context.Context, to sasl.Target) (sasl.Session, error) {
	return a.start(ctx, to)
}

// talker says the same for ever.
type talker struct{}

func (talker) First() ([]byte, error) { return []byte("more"), nil }
func (talker) Next(context.Context, []byte) ([]byte, bool, error) {
	return []byte("more"), false, nil
}

func TestMechanismOfAUsersOwn(t *testing.T) {
	broker := saslBroker{mechanism: "OWN", check: func() checker {
		return func([]byte) ([]byte, bool, error) { return []byte("and"), false, nil }
	}}
	own := errors.New("no ticket")
	for name, test := range map[string]struct {
		start func(context.Context, sasl.Target) (sasl.Session, error)
		want  func(t *testing.T, err error)
	}{
		"its error is kept": {
			func(context.Context, sasl.Target) (sasl.Session, error) { return nil, own },
			func(t *testing.T, err error) { require.ErrorIs(t, err, own) },
		},
		"its panic is an error": {
			func(context.Context, sasl.Target) (sasl.Session, error) { panic("oops") },
			func(t *testing.T, err error) { require.ErrorContains(t, err, "oops") },
		},
		"it keeps to the deadline or is left": {
			func(context.Context, sasl.Target) (sasl.Session, error) { time.Sleep(time.Hour); return talker{}, nil },
			func(t *testing.T, err error) { require.ErrorIs(t, err, context.DeadlineExceeded) },
		},
		"an endless talk ends": {
			func(context.Context, sasl.Target) (sasl.Session, error) { return talker{}, nil },
			func(t *testing.T, err error) { require.ErrorContains(t, err, "more than 32 messages") },
		},
		"it is told of the connection": {
			func(ctx context.Context, to sasl.Target) (sasl.Session, error) {
				deadline, ok := ctx.Deadline()
				return nil, fmt.Errorf("%+v %v %v", to, ok, time.Until(deadline))
			},
			func(t *testing.T, err error) {
				require.ErrorContains(t, err, "{Host:broker Address:broker:9092 ClientID:me HandshakeVersion:1 Secure:false} true 10s")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := inMemory(broker.serve)
				cfg.ClientID, cfg.SASL = "me", authFunc{test.start}
				_, err := Dial(context.Background(), "broker:9092", cfg)
				require.ErrorIs(t, err, ErrAuthentication)
				test.want(t, err)
				time.Sleep(2 * time.Hour)
			})
		})
	}
}
