package kafkatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Certificates is a certificate authority made for one cluster, with a certificate for its brokers
// (127.0.0.1, ::1, localhost) and one for a client. All are PEM; keys are PKCS#8. They are valid for one day.
type Certificates struct {
	CA                    []byte
	BrokerCert, BrokerKey []byte
	ClientCert, ClientKey []byte
}

// NewCertificates makes new keys and certificates. The client's common name is "client".
func NewCertificates() (*Certificates, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, fmt.Errorf("kafkatest: no certificate authority: %w", err)
	}
	c := &Certificates{CA: ca.certPEM}
	if c.BrokerCert, c.BrokerKey, err = ca.issue("broker", x509.ExtKeyUsageServerAuth); err != nil {
		return nil, fmt.Errorf("kafkatest: no broker certificate: %w", err)
	}
	if c.ClientCert, c.ClientKey, err = ca.issue("client", x509.ExtKeyUsageClientAuth); err != nil {
		return nil, fmt.Errorf("kafkatest: no client certificate: %w", err)
	}
	return c, nil
}

// ClientConfig trusts the authority and nothing else; it shows no client certificate.
func (c *Certificates) ClientConfig() *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.CA)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// MutualConfig is ClientConfig with the client's certificate.
func (c *Certificates) MutualConfig() (*tls.Config, error) {
	pair, err := tls.X509KeyPair(c.ClientCert, c.ClientKey)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: the client certificate does not fit its key: %w", err)
	}
	cfg := c.ClientConfig()
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

// ServerConfig is for a broker in this process.
func (c *Certificates) ServerConfig() (*tls.Config, error) {
	pair, err := tls.X509KeyPair(c.BrokerCert, c.BrokerKey)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: the broker certificate does not fit its key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

type authority struct {
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
	certPEM []byte
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificate("moldau test authority")
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key, certPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, nil
}

func (a *authority) issue(name string, use x509.ExtKeyUsage) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template, err := certificate(name)
	if err != nil {
		return nil, nil, err
	}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{use}
	template.DNSNames = []string{"localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

func certificate(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}, nil
}
