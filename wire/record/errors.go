package record

import (
	"errors"
	"fmt"
)

// The reasons of an Error, to be used with errors.Is.
var (
	// ErrCorrupt: the bytes are not well-formed.
	ErrCorrupt = errors.New("malformed records")
	// ErrChecksum: the bytes are not those that were sent or stored.
	ErrChecksum = errors.New("wrong checksum")
	// ErrUnsupportedFormat: a message format other than v0, v1 and v2.
	ErrUnsupportedFormat = errors.New("unsupported message format")
	// ErrDecompress: the codec failed; Cause says how, a *compress.Error.
	ErrDecompress = errors.New("records cannot be decompressed")
	// ErrNoHeaders: formats v0 and v1 have no record headers.
	ErrNoHeaders = errors.New("the broker's message format has no record headers")
	// ErrNoCodec: formats v0 and v1 have no zstd.
	ErrNoCodec = errors.New("the broker's message format does not have this codec")
	// ErrNoTimestamps: format v0 has no timestamps.
	ErrNoTimestamps = errors.New("the broker's message format has no timestamps")
)

// Error is what this package returns for bytes that it cannot read and for records
// that it cannot write. It is one of the reasons above and unwraps to Cause as well.
type Error struct {
	Reason error
	Offset int64 // of the batch or message concerned; an index when converting; -1 if unknown
	Detail string
	Cause  error
}

// Error names the reason, the place and the detail.
func (e *Error) Error() string {
	text := e.Reason.Error()
	if e.Offset >= 0 {
		text += fmt.Sprintf(" at offset %d", e.Offset)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Cause != nil {
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

func corruptf(offset int64, format string, args ...any) error {
	return &Error{Reason: ErrCorrupt, Offset: offset, Detail: fmt.Sprintf(format, args...)}
}

func checksumError(offset int64, stored, computed uint32) error {
	return &Error{Reason: ErrChecksum, Offset: offset, Detail: fmt.Sprintf("stored %08x, computed %08x", stored, computed)}
}

func formatError(offset int64, magic int8) error {
	return &Error{Reason: ErrUnsupportedFormat, Offset: offset, Detail: fmt.Sprintf("magic %d", magic)}
}
