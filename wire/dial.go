package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"github.com/moldau-go/moldau/wire/sasl"
)

// Dial connects to a broker at host:port: TCP, TLS, ApiVersions and SASL under
// one deadline, the earlier of ctx's and Config.ConnectTimeout. Its error is a
// *ConnError or an *AuthError (or a plain error for a configuration that cannot
// be), and tells the stage. ctx is not used once Dial has returned.
//
// A broker that ends the connection on ApiVersions, or does not answer within
// half of the time, is taken for one before 0.10 if it then answers an old
// request on a fresh connection; see Origin.
func Dial(ctx context.Context, address string, cfg Config) (*Conn, error) {
	cfg = cfg.withDefaults()
	host, err := cfg.check(address)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, cfg.ConnectTimeout)
	defer cancel()
	d := &dialing{address: address, host: host, cfg: cfg}
	c, err := d.attempt(ctx, cfg.known())
	if d.mayBeOld && ctx.Err() == nil {
		if older, olderErr := d.attempt(ctx, detectedVersions()); olderErr == nil {
			c, err = older, nil
		}
	}
	if err != nil {
		return nil, err
	}
	c.start()
	if cfg.Hooks.Connected != nil {
		cfg.Hooks.Connected(c, time.Since(began))
	}
	return c, nil
}

// check refuses a configuration that cannot work and splits the address.
func (c Config) check(address string) (host string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return "", fmt.Errorf("wire: the address %q is not host:port", address)
	}
	const longest = 1<<15 - 1
	if len(c.ClientID) > longest {
		return "", fmt.Errorf("wire: the ClientID has %d bytes; the protocol allows %d", len(c.ClientID), longest)
	}
	for _, r := range c.SoftwareVersion {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", r) {
			return "", fmt.Errorf("wire: SoftwareVersion %q may have letters, digits, dots and dashes only (KIP-511)", c.SoftwareVersion)
		}
	}
	return host, nil
}

// known is what the configuration says of the broker's versions; not Known if
// the broker is to be asked.
func (c Config) known() Versions {
	if c.Assume.Known() {
		return c.Assume
	}
	if c.NoAPIVersions {
		return assumedVersions()
	}
	return Versions{}
}

// dialing is one Dial, of one or two attempts.
type dialing struct {
	address, host string
	cfg           Config
	// mayBeOld: the broker did not take ApiVersions in a way that brokers
	// before 0.10 have.
	mayBeOld bool
}

// attempt makes one connection and takes it through its handshake.
func (d *dialing) attempt(ctx context.Context, known Versions) (*Conn, error) {
	raw, err := d.connect(ctx)
	if err != nil {
		return nil, d.fail(ctx, StageDial, err, "")
	}
	// Whatever waits for the socket ends when ctx does.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	c, err := d.shake(ctx, raw, known)
	if err == nil && !stop() {
		err = d.fail(ctx, StageDial, context.Cause(ctx), "")
	}
	if err != nil {
		stop()
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

// connect makes the plain connection. A Dial of the user's is not trusted to
// keep to ctx.
func (d *dialing) connect(ctx context.Context) (net.Conn, error) {
	dial := d.cfg.Dial
	if dial == nil {
		dial = d.cfg.Socket.dialer().DialContext
	}
	raw, err := bounded(ctx, func() (net.Conn, error) {
		return dial(ctx, "tcp", d.address)
	}, func(late net.Conn) {
		if late != nil {
			_ = late.Close()
		}
	})
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, errors.New("Config.Dial gave neither a connection nor an error")
	}
	if err := d.cfg.Socket.tune(raw); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return raw, nil
}

// shake takes a fresh connection through TLS, versions and login.
func (d *dialing) shake(ctx context.Context, raw net.Conn, known Versions) (*Conn, error) {
	conn, err := d.secure(ctx, raw)
	if err != nil {
		return nil, d.fail(ctx, StageTLS, err, hintTLS(err))
	}
	s := &shaker{dialing: d, conn: conn, raw: raw, frames: newFrameReader(conn, d.cfg.MaxFrame), header: newRequestHeader(d.cfg.ClientID)}
	versions, err := s.agree(ctx, known)
	if err != nil {
		return nil, err
	}
	c := &Conn{
		address: d.address, cfg: d.cfg, net: conn, raw: raw, secure: encrypted(conn),
		frames: s.frames, header: s.header, versions: versions,
	}
	if d.cfg.SASL != nil {
		target := sasl.Target{Host: d.host, Address: d.address, ClientID: d.cfg.ClientID, HandshakeVersion: handshakeVersion(versions), Secure: c.secure}
		if c.lifetime, err = s.login(ctx, d.cfg.SASL, target, versions); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// secure puts TLS on a connection if the configuration says so.
func (d *dialing) secure(ctx context.Context, raw net.Conn) (net.Conn, error) {
	if d.cfg.TLS == nil {
		return raw, nil
	}
	cfg := d.cfg.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = d.host
	}
	conn := tls.Client(raw, cfg)
	return conn, conn.HandshakeContext(ctx)
}

// encrypted recognises TLS, also of a connection that Config.Dial made.
func encrypted(conn net.Conn) bool {
	_, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok
}

// fail makes the error of a stage. If ctx has ended, that is the cause: the
// connection was cut because of it.
func (d *dialing) fail(ctx context.Context, stage Stage, err error, hint string) *ConnError {
	if ctx.Err() != nil {
		err = ended(ctx, err)
	}
	return &ConnError{Stage: stage, Address: d.address, API: -1, Hint: hint, Cause: err}
}

// ended is the error of something that failed because ctx has ended.
func ended(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || errors.Is(err, cause) {
		return cause
	}
	return fmt.Errorf("%w (%v)", cause, err)
}

// bounded runs code of the user's that may not keep to ctx, and gives up on it
// when ctx ends; late gets a value that comes after that. A panic of it is an
// error.
func bounded[T any](ctx context.Context, f func() (T, error), late func(T)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	got := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if v := recover(); v != nil {
				o.err = &panicError{"code of the configuration", v, debug.Stack()}
			}
			got <- o
		}()
		o.value, o.err = f()
	}()
	select {
	case o := <-got:
		return o.value, o.err
	case <-ctx.Done():
		go func() {
			if o := <-got; o.err == nil {
				late(o.value)
			}
		}()
		var zero T
		return zero, context.Cause(ctx)
	}
}
