package sasl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Source gives user and password at each login, so that they can change while
// the client runs. It may block until ctx ends and must be safe for concurrent
// use.
type Source func(ctx context.Context) (username string, password Secret, err error)

// FromFile is a Source that reads a file at each login: the first line that is
// not empty is the user, the second the password; line ends are dropped, other
// space is kept.
func FromFile(path string) Source {
	return func(context.Context) (string, Secret, error) {
		f, err := os.Open(path)
		if err != nil {
			return "", Secret{}, err
		}
		defer f.Close()
		var lines []string
		for s := bufio.NewScanner(f); s.Scan() && len(lines) < 2; {
			if line := strings.TrimRight(s.Text(), "\r"); line != "" {
				lines = append(lines, line)
			}
		}
		if len(lines) < 2 {
			return "", Secret{}, fmt.Errorf("%s: needs two lines that are not empty, user and password", path)
		}
		return lines[0], NewSecret(lines[1]), nil
	}
}

// credentials resolves what a mechanism was configured with and checks it.
func credentials(ctx context.Context, mechanism, username string, password Secret, source Source) (string, Secret, error) {
	if source != nil {
		var err error
		if username, password, err = source(ctx); err != nil {
			return "", Secret{}, &Error{mechanism, "the credentials cannot be read", err}
		}
	}
	if username == "" {
		return "", Secret{}, &Error{mechanism, "no user name is set", nil}
	}
	if password.Empty() {
		return "", Secret{}, &Error{mechanism, "no password is set", nil}
	}
	return username, password, nil
}

var errNotSecure = errors.New("the connection is not encrypted, so that anyone on the way could read the credential; configure TLS, or set AllowWithoutTLS on a network you trust")

// requireTLS refuses to send a credential as it is over a plain connection.
func requireTLS(mechanism string, to Target, allowed bool) error {
	if to.Secure || allowed {
		return nil
	}
	return &Error{mechanism, "refused", errNotSecure}
}
