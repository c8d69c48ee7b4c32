package handle

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moldau-go/moldau/wire/sasl"
)

// security is TLS and login as text names them. Secrets are never in it: it
// names the files that hold them, and those are read at every login.
type security struct {
	TLS  tlsText
	SASL saslText

	dir string // relative file names are below it
}

type tlsText struct {
	Enabled    bool
	CAFile     string
	CertFile   string
	KeyFile    string
	ServerName string
}

type saslText struct {
	Mechanism       string
	Username        string
	PasswordFile    string
	CredentialsFile string
	TokenFile       string
	AllowWithoutTLS bool
}

// options are the settings of TLS and login that can be written as text.
func (s *security) options() []option {
	return []option{
		{name: "TLS.Enabled", field: &s.TLS.Enabled},
		{name: "TLS.CAFile", field: &s.TLS.CAFile},
		{name: "TLS.CertFile", field: &s.TLS.CertFile},
		{name: "TLS.KeyFile", field: &s.TLS.KeyFile},
		{name: "TLS.ServerName", field: &s.TLS.ServerName},
		{name: "SASL.Mechanism", field: &s.SASL.Mechanism},
		{name: "SASL.Username", field: &s.SASL.Username},
		{name: "SASL.PasswordFile", field: &s.SASL.PasswordFile},
		{name: "SASL.CredentialsFile", field: &s.SASL.CredentialsFile},
		{name: "SASL.TokenFile", field: &s.SASL.TokenFile},
		{name: "SASL.AllowWithoutTLS", field: &s.SASL.AllowWithoutTLS},
	}
}

// apply makes TLS and login of what the text said; nothing said changes
// nothing. names is how settings are called where the text comes from.
func (s *security) apply(config *Config, names func(string) string) []error {
	var mistakes []error
	if s.TLS != (tlsText{}) {
		made, err := s.tls(names)
		if err != nil {
			mistakes = append(mistakes, err)
		}
		config.TLS = made
	}
	if s.SASL != (saslText{}) {
		made, err := s.sasl(names)
		if err != nil {
			mistakes = append(mistakes, err)
		}
		config.SASL = made
	}
	return mistakes
}

func (s *security) tls(names func(string) string) (*tls.Config, error) {
	t := s.TLS
	if !t.Enabled {
		return nil, fmt.Errorf("%s: must be true where other settings of TLS are given", names("TLS.Enabled"))
	}
	made := &tls.Config{ServerName: t.ServerName}
	if t.CAFile != "" {
		text, err := os.ReadFile(s.path(t.CAFile))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names("TLS.CAFile"), err)
		}
		made.RootCAs = x509.NewCertPool()
		if !made.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: %s has no certificate in PEM form", names("TLS.CAFile"), t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, fmt.Errorf("%s and %s: one needs the other", names("TLS.CertFile"), names("TLS.KeyFile"))
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.path(t.CertFile), s.path(t.KeyFile))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names("TLS.CertFile"), err)
		}
		made.Certificates = []tls.Certificate{pair}
	}
	return made, nil
}

func (s *security) sasl(names func(string) string) (sasl.Authenticator, error) {
	t := s.SASL
	switch t.Mechanism {
	case "OAUTHBEARER":
		if t.TokenFile == "" || t.Username+t.PasswordFile+t.CredentialsFile != "" {
			return nil, fmt.Errorf("%s: OAUTHBEARER needs %s and nothing else", names("SASL.Mechanism"), names("SASL.TokenFile"))
		}
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
		both := t.Username != "" && t.PasswordFile != ""
		if t.TokenFile != "" || both == (t.CredentialsFile != "") || !both && t.Username+t.PasswordFile != "" {
			return nil, fmt.Errorf("%s: %s needs either %s, with user and password on two lines, or %s and %s",
				names("SASL.Mechanism"), t.Mechanism, names("SASL.CredentialsFile"), names("SASL.Username"), names("SASL.PasswordFile"))
		}
	default:
		return nil, fmt.Errorf("%s: want PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", names("SASL.Mechanism"))
	}
	t.PasswordFile, t.CredentialsFile, t.TokenFile = s.path(t.PasswordFile), s.path(t.CredentialsFile), s.path(t.TokenFile)
	return fileLogin{t}, nil
}

// path is a file's place; empty stays empty.
func (s *security) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

// fileLogin is a login whose secrets are read from files each time, so that
// they can change while the client runs. Two of the same files are equal.
type fileLogin struct{ text saslText }

var _ sasl.Authenticator = fileLogin{}

func (l fileLogin) Mechanism() string { return l.text.Mechanism }

func (l fileLogin) Start(ctx context.Context, to sasl.Target) (sasl.Session, error) {
	switch t := l.text; t.Mechanism {
	case "OAUTHBEARER":
		return sasl.OAuthBearer{Token: l.token, AllowWithoutTLS: t.AllowWithoutTLS}.Start(ctx, to)
	case "PLAIN":
		return sasl.Plain{Source: l.source(), AllowWithoutTLS: t.AllowWithoutTLS}.Start(ctx, to)
	case "SCRAM-SHA-512":
		return sasl.Scram{Source: l.source(), Hash: sasl.SHA512}.Start(ctx, to)
	default:
		return sasl.Scram{Source: l.source()}.Start(ctx, to)
	}
}

func (l fileLogin) source() sasl.Source {
	if l.text.CredentialsFile != "" {
		return sasl.FromFile(l.text.CredentialsFile)
	}
	return func(context.Context) (string, sasl.Secret, error) {
		password, err := readSecret(l.text.PasswordFile)
		return l.text.Username, password, err
	}
}

func (l fileLogin) token(context.Context) (sasl.Token, error) {
	token, err := readSecret(l.text.TokenFile)
	return sasl.Token{Value: token}, err
}

// readSecret reads a file with one line.
func readSecret(path string) (sasl.Secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return sasl.Secret{}, err
	}
	line := strings.TrimRight(string(text), "\r\n")
	if line == "" || strings.ContainsAny(line, "\r\n") {
		return sasl.Secret{}, errors.New(path + ": want one line with the secret")
	}
	return sasl.NewSecret(line), nil
}
