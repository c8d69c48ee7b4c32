package compress

import (
	"errors"
	"fmt"
)

// The reasons of an Error, to be used with errors.Is.
var (
	// ErrTooLarge: the data decompresses to more than the cap.
	ErrTooLarge = errors.New("decompressed data exceeds the limit")
	// ErrCorrupt: the data is not what the codec writes.
	ErrCorrupt = errors.New("compressed data is corrupt")
	// ErrUnknownCodec: no codec is registered for the id.
	ErrUnknownCodec = errors.New("no codec is registered")
	// ErrFailed: a codec could not compress.
	ErrFailed = errors.New("compression failed")
)

// Error tells which codec failed and why. It is one of ErrTooLarge, ErrCorrupt,
// ErrUnknownCodec and ErrFailed, and unwraps to the codec's own error as well.
type Error struct {
	Codec  Type
	Reason error // one of the sentinels above
	Max    int   // the cap in bytes, with ErrTooLarge
	Cause  error // what the codec itself said; may be nil
}

// Error names the cause and, where there is one, the cure.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %v", e.Codec, e.Reason)
	switch e.Reason {
	case ErrTooLarge:
		text += fmt.Sprintf(" of %d bytes; raise the limit if batches of this size are expected", e.Max)
	case ErrUnknownCodec:
		text += "; register one for this id"
	}
	if e.Cause != nil && e.Cause != e.Reason {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the reason and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Cause}
}

func tooLarge(t Type, max int) error {
	return &Error{Codec: t, Reason: ErrTooLarge, Max: max}
}

func corrupt(t Type, cause error) error {
	return &Error{Codec: t, Reason: ErrCorrupt, Cause: cause}
}

func corruptf(t Type, format string, args ...any) error {
	return corrupt(t, fmt.Errorf(format, args...))
}
