package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestApiVersionsIsDowngraded(t *testing.T) {
	// What a broker that knows up to v3, v2 (2.4 and later list their range with
	// the refusal) or v0 only does with the first question.
	for name, lists := range map[string]int16{"2.4 to 3.7": 3, "lists v2": 2, "before 2.4": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked []int16
				cfg := inMemory(func(_ int, conn net.Conn) {
					defer conn.Close()
					for {
						q, err := readRequest(conn)
						if err != nil {
							return
						}
						asked = append(asked, q.version)
						resp := offers()
						if q.version > max(lists, 0) {
							resp = &kmsg.ApiVersionsResponse{ErrorCode: int16(UnsupportedVersion)}
							if lists >= 0 {
								resp.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 18, MaxVersion: lists}}
							}
							q.version = 0
						}
						_, _ = conn.Write(q.answer(resp))
					}
				})
				c := memory(t, cfg)
				require.Equal(t, []int16{4, max(lists, 0)}, asked)
				v, err := c.Version(3)
				require.NoError(t, err)
				require.EqualValues(t, 4, v)
			})
		})
	}
}

func TestApiVersionsRefusedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := Dial(context.Background(), "b:1", inMemory(func(_ int, conn net.Conn) {
			defer conn.Close()
			for {
				q, err := readRequest(conn)
				if err != nil {
					return
				}
				q.version = 0
				_, _ = conn.Write(q.answer(&kmsg.ApiVersionsResponse{ErrorCode: int16(UnsupportedVersion)}))
			}
		}))
		require.ErrorIs(t, err, ErrUnsupportedVersion)
	})
}

// oldBroker is one before 0.10: on ApiVersions it ends the connection or, with
// silent, says nothing; others it answers.
func oldBroker(silent bool) func(int, net.Conn) {
	return func(_ int, conn net.Conn) {
		defer conn.Close()
		for {
			q, err := readRequest(conn)
			if err != nil || q.key == keyAPIVersions && !silent {
				return
			}
			if q.key != keyAPIVersions {
				_, _ = conn.Write(q.answer(q.parsed(nil).ResponseKind()))
			}
		}
	}
}

func TestBrokerWithoutApiVersions(t *testing.T) {
	for name, silent := range map[string]bool{"ends the connection": false, "says nothing": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				c := memory(t, inMemory(oldBroker(silent)))
				require.Equal(t, Detected, c.Versions().Origin())
				if silent {
					require.Equal(t, DefaultConnectTimeout/2, time.Since(began))
				}
				v, err := c.Version(keyProduce)
				require.NoError(t, err)
				require.Zero(t, v)
				_, err = c.Version(19)
				require.ErrorIs(t, err, ErrUnsupportedVersion)
				_, err = c.Do(context.Background(), kmsg.NewPtrMetadataRequest())
				require.NoError(t, err)

				// The next connection is spared the detour.
				cfg := inMemory(oldBroker(silent))
				cfg.Assume = c.Versions()
				began = time.Now()
				again := memory(t, cfg)
				require.Zero(t, time.Since(began))
				require.Equal(t, Detected, again.Versions().Origin())
			})
		})
	}
}

// A new broker that is stopped is not taken for an old one: it does not answer
// the old request either.
func TestSilentBrokerIsNotTakenForAnOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := Dial(context.Background(), "b:1", inMemory(func(_ int, conn net.Conn) {
			_, _ = io.Copy(io.Discard, conn)
		}))
		require.ErrorIs(t, err, ErrTimeout)
		require.ErrorIs(t, err, ErrConnection)
		require.True(t, Retriable(err))
		require.Equal(t, DefaultConnectTimeout, time.Since(began))
	})
}

func TestNoAPIVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := inMemory(oldBroker(false))
		cfg.NoAPIVersions = true
		cfg.Pins = map[int16]int16{keyFetch: 2}
		c := memory(t, cfg)
		require.Equal(t, Assumed, c.Versions().Origin())
		for key, want := range map[int16]int16{keyProduce: 0, keyFetch: 2, 8: 1} {
			got, err := c.Version(key)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

// One deadline bounds everything, wherever Dial hangs.
func TestOneDeadline(t *testing.T) {
	tests := map[string]Config{
		"a Dial that ignores its context": {Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			time.Sleep(time.Hour)
			return nil, errors.New("late")
		}},
		"a TLS handshake": func() Config {
			cfg := inMemory(func(_ int, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
			cfg.TLS = &tls.Config{}
			return cfg
		}(),
		"a write that nobody reads": inMemory(func(int, net.Conn) {}),
	}
	for name, cfg := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg.ConnectTimeout = 7 * time.Second
				began := time.Now()
				_, err := Dial(context.Background(), "b:1", cfg)
				require.ErrorIs(t, err, ErrTimeout)
				require.ErrorIs(t, err, ErrConnection)
				require.Equal(t, 7*time.Second, time.Since(began))
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				_, err = Dial(ctx, "b:1", cfg)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 8*time.Second, time.Since(began))
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

func TestDialCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(time.Second, func() { cancel(why) })
		_, err := Dial(ctx, "b:1", inMemory(func(_ int, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }))
		require.ErrorIs(t, err, why)
	})
}

func TestDialConfigIsChecked(t *testing.T) {
	for name, test := range map[string]struct {
		address string
		cfg     Config
		text    string
	}{
		"no port":  {"broker", Config{}, "host:port"},
		"client":   {"b:1", Config{ClientID: string(make([]byte, 40000))}, "ClientID"},
		"software": {"b:1", Config{SoftwareVersion: "1 2"}, "KIP-511"},
		"nothing":  {"b:1", Config{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, nil }}, "neither"},
		"panic":    {"b:1", Config{Dial: func(context.Context, string, string) (net.Conn, error) { panic("dial") }}, "panic"},
	} {
		_, err := Dial(context.Background(), test.address, test.cfg)
		require.ErrorContains(t, err, test.text, name)
	}
}

func TestHints(t *testing.T) {
	certificate, roots := selfSigned(t)
	speaksTLS := func(conn net.Conn) {
		c := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
		_ = c.Handshake()
		_ = c.Close()
	}
	says := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = conn.Write([]byte(text))
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}
	hangsUp := func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 10))
		_ = conn.Close()
	}
	tests := map[string]struct {
		peer func(net.Conn)
		tls  *tls.Config
		text string
	}{
		"plain to TLS":     {says("\x15\x03\x03\x00\x02\x02\x46"), nil, "the listener speaks TLS"},
		"plain to Go TLS":  {speaksTLS, nil, "want TLS"},
		"plain to HTTP":    {says("HTTP/1.1 400 Bad Request\r\n\r\n"), nil, "web server"},
		"plain, hung up":   {hangsUp, nil, "want TLS"},
		"TLS to plain":     {hangsUp, &tls.Config{}, "plain-text listener"},
		"TLS to HTTP":      {says("HTTP/1.1 400 Bad Request\r\n\r\n"), &tls.Config{}, "web server"},
		"TLS to something": {says("SSH-2.0-OpenSSH_9.9\r\n"), &tls.Config{}, "does not speak TLS"},
		"wrong CA":         {speaksTLS, &tls.Config{}, "RootCAs"},
		"wrong name":       {speaksTLS, &tls.Config{RootCAs: roots, ServerName: "other"}, "ServerName"},
	}
	for name, test := range tests {
		_, err := Dial(context.Background(), listen(t, test.peer), Config{TLS: test.tls})
		require.ErrorContains(t, err, test.text, name)
		require.ErrorIs(t, err, ErrConnection, name)
	}
}

func TestTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	address := listen(t, func(conn net.Conn) {
		serve(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}), echo)
	})
	c := dial(t, address, Config{TLS: &tls.Config{RootCAs: roots}})
	require.True(t, c.Secure())
	calls := make([]<-chan Result, 200)
	for i := range calls {
		req := &chunked{chunks: [][]byte{heartbeat().AppendTo(nil)}}
		calls[i] = send(c, &Call{Request: req})
	}
	for _, got := range calls {
		require.NoError(t, (<-got).Err)
	}
}

// A broker that wants a client certificate says so only after the handshake
// (TLS 1.3) or within it (1.2).
func TestClientCertificateIsMissing(t *testing.T) {
	certificate, roots := selfSigned(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address := listen(t, func(conn net.Conn) {
			c := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: version})
			_ = c.Handshake()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		})
		_, err := Dial(context.Background(), address, Config{TLS: &tls.Config{RootCAs: roots}})
		require.ErrorIs(t, err, ErrAuthentication)
		require.ErrorIs(t, err, ErrConnection)
		require.ErrorContains(t, err, "client certificate")
		require.False(t, Retriable(err))
	}
}

// selfSigned is a certificate for 127.0.0.1 and a pool that trusts it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), NotBefore: time.Now().Add(-time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"broker"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// A broker whose answer to ApiVersions never ends, or claims 2 GB, costs
// neither time nor memory beyond the limits.
func TestHostileHandshake(t *testing.T) {
	for name, head := range map[string]string{"2 GB": "\x7f\xff\xff\xff", "negative": "\x80\x00\x00\x00", "tiny": "\x00\x00\x00\x01"} {
		_, err := Dial(context.Background(), listen(t, func(conn net.Conn) {
			defer conn.Close()
			_, _ = readRequest(conn)
			_, _ = conn.Write([]byte(head))
			_, _ = io.Copy(io.Discard, conn)
		}), Config{})
		var frame *FrameError
		require.ErrorAs(t, err, &frame, name)
	}
}
