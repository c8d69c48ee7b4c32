package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// foreign recognises the first bytes of other protocols where a frame's length
// should be; empty if they look like none.
func foreign(head []byte) string {
	if len(head) < 4 {
		return ""
	}
	switch {
	case head[0] == 0x15 && head[1] == 3:
		return "this is a TLS alert: the listener speaks TLS; set Config.TLS or use its plain-text port"
	case head[0] == 0x16 && head[1] == 3:
		return "this is a TLS handshake: the listener speaks TLS; set Config.TLS or use its plain-text port"
	case string(head) == "HTTP":
		return "this is an HTTP answer: the address is that of a web server, not of a broker"
	case string(head) == "SSH-":
		return "this is an SSH greeting: the address is that of an SSH server, not of a broker"
	}
	return ""
}

// hintTLS explains a TLS handshake that failed.
func hintTLS(err error) string {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record) && string(record.RecordHeader[:4]) == "HTTP":
		return "the peer answered in HTTP: the address is that of a web server"
	case errors.As(err, &record):
		return "the peer does not speak TLS: unset Config.TLS or use the broker's TLS port"
	case isAlert(err):
		return "the broker refused the handshake: check the client certificate and the TLS versions"
	case isCertificate(err):
		return "the broker's certificate is not trusted: check RootCAs and that ServerName is a name in the certificate"
	case isCut(err):
		return "the broker closed the connection: is this a plain-text listener? unset Config.TLS or use its TLS port; or it wants a client certificate"
	}
	return ""
}

// hintFirstAnswer explains a connection that ended before the broker ever
// answered.
func hintFirstAnswer(err error, secure bool) string {
	switch {
	case isAlert(err):
		return hintCertificate
	case isCut(err) && !secure:
		return "the broker closed the connection without an answer: does the listener want TLS (set Config.TLS)?"
	case isCut(err):
		return "the broker closed the connection without an answer: is this the address of a Kafka listener?"
	case isTimeout(err):
		return "nothing was answered: is this the address of a Kafka listener, and does a proxy or firewall swallow the bytes?"
	}
	return ""
}

const (
	hintNeedsLogin  = "the broker closed the connection on the first request: the listener may want a login (set Config.SASL)"
	hintLoginCut    = "the broker closed the connection during the login: wrong credentials are the usual reason, or the mechanism is not enabled"
	hintNoSASL      = "the listener does not take SASL: unset Config.SASL or use a SASL listener's port"
	hintCertificate = "the broker refused the client certificate: set Config.TLS.Certificates to one that it trusts"
)

// isCut tells whether the peer ended the connection.
func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// isTimeout tells whether a deadline passed.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// isAlert tells whether the peer ended TLS with a reason, which a retry meets
// again: it does not like our certificate or version. crypto/tls has no type of
// its own for it.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// isCertificate tells whether the peer's certificate was refused on this side.
func isCertificate(err error) bool {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid)
}
