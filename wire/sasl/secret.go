package sasl

import (
	"fmt"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// Secret is a password or token that prints as [redacted] however it is
// printed: every verb of fmt, JSON, XML and other text encodings, slog. Printed
// by reflection from within an unexported field, where no method can be called,
// it shows an address. The zero value is the empty secret. Immutable; safe for
// concurrent use.
type Secret struct{ reveal func() string }

// NewSecret makes a secret of a value.
func NewSecret(value string) Secret { return Secret{func() string { return value }} }

// Reveal gives the value. It is for those who write a login mechanism.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Empty tells whether there is nothing in it.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// scrub replaces the secret's value in a text.
func (s Secret) scrub(text string) string {
	if s.Empty() {
		return text
	}
	return strings.ReplaceAll(text, s.Reveal(), redacted)
}

// Format prints [redacted] under every verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = f.Write([]byte(`"` + redacted + `"`))
		return
	}
	_, _ = f.Write([]byte(redacted))
}

// String is [redacted].
func (s Secret) String() string { return redacted }

// GoString is [redacted].
func (s Secret) GoString() string { return redacted }

// MarshalText is [redacted].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON is "[redacted]".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalBinary is [redacted], which gob and the like use.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }

// LogValue is [redacted].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
