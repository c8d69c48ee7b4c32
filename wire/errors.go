package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Error is a Kafka error code that a broker answered, with where it happened.
// It is of the classes of its code (errors.Is with the sentinels), and Unwrap
// gives the Cause. Immutable once made; safe for concurrent use.
type Error struct {
	Code Code
	// API is the key of the request; the zero value is Produce.
	API int16
	// Broker is the address or name of the broker; may be empty.
	Broker string
	// Topic and Partition name what the code is about. An empty Topic means
	// that the code is about the whole request, and Partition has no meaning; a
	// negative Partition that it is about the whole topic.
	Topic     string
	Partition int32
	// Group is the group that was asked about; empty for none.
	Group string
	// Message is the broker's own text, where the answer has one.
	Message string
	Cause   error
}

// Error names the cause and what helps.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", APIName(e.API), e.Code.Name())
	switch {
	case e.Topic != "" && e.Partition < 0:
		fmt.Fprintf(&b, " for %s", e.Topic)
	case e.Topic != "":
		fmt.Fprintf(&b, " for %s/%d", e.Topic, e.Partition)
	}
	if e.Group != "" {
		fmt.Fprintf(&b, " in group %q", e.Group)
	}
	if e.Broker != "" {
		fmt.Fprintf(&b, " from %s", e.Broker)
	}
	b.WriteString(": " + e.Code.Description())
	if e.Message != "" {
		fmt.Fprintf(&b, " (broker: %q)", e.Message)
	}
	if cure := e.Code.Cure(); cure != "" {
		b.WriteString("; " + cure)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Is matches the sentinels of the code's classes.
func (e *Error) Is(target error) bool { return e.Code.Is(target) }

// Unwrap gives the Cause.
func (e *Error) Unwrap() error { return e.Cause }

// Retriable tells whether the same request may succeed later.
func (e *Error) Retriable() bool { return e.Code.Retriable() }

// SafeToRetry tells whether a retry is worth it and cannot take effect twice:
// the broker refused before any effect, or the API can be repeated freely.
func (e *Error) SafeToRetry() bool {
	return e.Code.SafeToRetry() || e.Code.Retriable() && repeatable(e.API)
}

// RefreshMetadata tells whether leaders or topics have to be looked up again.
func (e *Error) RefreshMetadata() bool { return e.Code.RefreshMetadata() }

// Stage is the part of a connection's life in which it failed.
type Stage string

// The stages, in order.
const (
	StageDial     Stage = "connecting"
	StageTLS      Stage = "TLS handshake"
	StageVersions Stage = "ApiVersions"
	StageLogin    Stage = "SASL login"
	StageWrite    Stage = "writing"
	StageRead     Stage = "reading"
	StageDeadline Stage = "waiting for an answer"
	StageClosed   Stage = "closing"
)

// ConnError says that a connection could not be made or broke, and what that
// means for one call. It is ErrConnection; ErrUnsure if Written; ErrTimeout at
// StageDeadline; ErrClosed at StageClosed; ErrAuthentication if the broker
// refused the TLS handshake. Unwrap gives the Cause.
type ConnError struct {
	Stage   Stage
	Address string
	// API is the call's API key; negative if the error is about no call.
	API int16
	// Written: the request may have reached the broker.
	Written bool
	// Hint is a likely reason and its cure; may be empty.
	Hint  string
	Cause error
}

// Error names the address, the stage, the cause and the hint.
func (e *ConnError) Error() string {
	var b strings.Builder
	if e.API >= 0 {
		b.WriteString(APIName(e.API))
		if e.Written {
			b.WriteString(" (outcome unsure)")
		} else {
			b.WriteString(" (not sent)")
		}
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "connection to %s failed (%s)", e.Address, e.Stage)
	switch {
	case errors.Is(e.Cause, context.DeadlineExceeded):
		b.WriteString(": timed out")
	case e.Cause != nil:
		b.WriteString(": " + e.Cause.Error())
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Is matches ErrConnection and the classes that follow from stage and Written.
func (e *ConnError) Is(target error) bool {
	c := classConnection
	if e.Written {
		c |= classUnsure
	}
	switch e.Stage {
	case StageDeadline:
		c |= classTimeout
	case StageClosed:
		c |= classClosed
	}
	if isTimeout(e.Cause) {
		c |= classTimeout
	}
	if isAlert(e.Cause) {
		c |= classAuthentication
	}
	return c.is(target)
}

// Unwrap gives the Cause.
func (e *ConnError) Unwrap() error { return e.Cause }

// Retriable: true unless the cause says otherwise (a refused login, a frame
// over the limit, a certificate that is not trusted).
func (e *ConnError) Retriable() bool {
	var c classified
	if errors.As(e.Cause, &c) {
		return c.Retriable()
	}
	return !isCertificate(e.Cause) && !isAlert(e.Cause)
}

// SafeToRetry: retriable, and either not sent or of an API that can be repeated.
func (e *ConnError) SafeToRetry() bool {
	return e.Retriable() && (!e.Written || e.API >= 0 && repeatable(e.API))
}

// RefreshMetadata: a broker that cannot be reached may have left the cluster.
func (e *ConnError) RefreshMetadata() bool { return true }

// FrameError is an answer whose length or correlation id cannot be. The
// connection is closed, as nothing after it can be trusted. It is ErrCorrupt,
// and ErrTooLarge if Size is above Max.
type FrameError struct {
	// Size is the length that the frame claims, in bytes.
	Size int32
	// Max is the largest that is accepted (Config.MaxFrame).
	Max int
	// Reason says what is wrong.
	Reason string
}

// Error says what is wrong with the frame.
func (e *FrameError) Error() string {
	return fmt.Sprintf("bad frame of %d bytes: %s", e.Size, e.Reason)
}

// Is matches ErrCorrupt, and ErrTooLarge for a length above the limit.
func (e *FrameError) Is(target error) bool {
	c := classCorrupt
	if int64(e.Size) > int64(e.Max) {
		c |= classTooLarge
	}
	return c.is(target)
}

// Retriable: a frame over the limit would come again; anything else may not.
func (e *FrameError) Retriable() bool { return int64(e.Size) <= int64(e.Max) }

// SafeToRetry is false: the broker answered something, so it did something.
func (e *FrameError) SafeToRetry() bool { return false }

// RefreshMetadata is false.
func (e *FrameError) RefreshMetadata() bool { return false }

// VersionError says, before anything is sent, that this client and the broker
// have no version of an API in common. It is ErrUnsupportedVersion and not
// retriable.
type VersionError struct {
	API int16
	// OurMin and OurMax are what this client speaks, after pins.
	OurMin, OurMax int16
	// BrokerMin and BrokerMax are what the broker offers; both negative if it
	// does not offer the API at all.
	BrokerMin, BrokerMax int16
	// Wanted is the version that was asked for; negative if it was left open.
	Wanted int16
	// Pinned tells whether Wanted comes from Config.Pins.
	Pinned bool
}

// Error names both ranges and what helps.
func (e *VersionError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: no version in common: ", APIName(e.API))
	switch {
	case e.OurMax < 0:
		b.WriteString("this client does not know the API; update moldau")
		return b.String()
	case e.Wanted >= 0 && e.Pinned:
		fmt.Fprintf(&b, "pinned to v%d, ", e.Wanted)
	case e.Wanted >= 0:
		fmt.Fprintf(&b, "v%d was asked for, ", e.Wanted)
	default:
		fmt.Fprintf(&b, "this client speaks v%d to v%d, ", e.OurMin, e.OurMax)
	}
	if e.BrokerMax < 0 {
		b.WriteString("the broker does not offer this API; it needs a newer or another kind of broker")
	} else {
		fmt.Fprintf(&b, "the broker v%d to v%d", e.BrokerMin, e.BrokerMax)
	}
	return b.String()
}

// Is matches ErrUnsupportedVersion.
func (e *VersionError) Is(target error) bool { return classUnsupportedVersion.is(target) }

// Retriable is false.
func (e *VersionError) Retriable() bool { return false }

// SafeToRetry is false.
func (e *VersionError) SafeToRetry() bool { return false }

// RefreshMetadata is false.
func (e *VersionError) RefreshMetadata() bool { return false }

// CallError is a call that failed by itself while its connection lives on: it
// could not be encoded, is too large to be sent, found the queue full, or its
// answer could not be decoded. Kind is the sentinel of its class (ErrInvalid,
// ErrTooLarge, ErrBusy or ErrCorrupt).
type CallError struct {
	API     int16
	Kind    error
	Written bool
	Cause   error
}

// Error names the API and the cause.
func (e *CallError) Error() string {
	return fmt.Sprintf("%s: %v: %v", APIName(e.API), e.Kind, e.Cause)
}

// Is matches Kind, and ErrUnsure if the request was written.
func (e *CallError) Is(target error) bool {
	return target == e.Kind || e.Written && target == ErrUnsure
}

// Unwrap gives the Cause.
func (e *CallError) Unwrap() error { return e.Cause }

// Retriable is true for a full queue only.
func (e *CallError) Retriable() bool { return e.Kind == ErrBusy }

// SafeToRetry is true for a full queue only: nothing was sent.
func (e *CallError) SafeToRetry() bool { return e.Kind == ErrBusy && !e.Written }

// RefreshMetadata is false.
func (e *CallError) RefreshMetadata() bool { return false }

// AuthError is a failed login. It is ErrAuthentication and, where the broker
// named a code, of that code's classes. It never holds a credential.
type AuthError struct {
	// Mechanism is the SASL mechanism, as PLAIN.
	Mechanism string
	Address   string
	// Code is what the broker answered; None if the failure is on this side or
	// the broker said nothing.
	Code Code
	// Said is the broker's own text; may be empty.
	Said string
	// Hint is a likely reason and its cure; may be empty.
	Hint  string
	Cause error
}

// Error names mechanism, broker, what the broker said, and the hint.
func (e *AuthError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "login to %s with SASL %s failed", e.Address, e.Mechanism)
	if e.Code != None {
		fmt.Fprintf(&b, ": %s: %s", e.Code.Name(), e.Code.Description())
	}
	if e.Said != "" {
		fmt.Fprintf(&b, " (broker: %q)", e.Said)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	} else if e.Code != None && e.Code.Cure() != "" {
		b.WriteString("; " + e.Code.Cure())
	}
	return b.String()
}

// Is matches ErrAuthentication and the classes of the code.
func (e *AuthError) Is(target error) bool {
	return classAuthentication.is(target) || e.Code != None && e.Code.Is(target)
}

// Unwrap gives the Cause.
func (e *AuthError) Unwrap() error { return e.Cause }

// Retriable: a refusal stands; a connection that broke during the login may
// have had another reason.
func (e *AuthError) Retriable() bool {
	return e.Code == None && errors.Is(e.Cause, ErrConnection) || e.Code.Retriable()
}

// SafeToRetry is as Retriable: a login has no effect.
func (e *AuthError) SafeToRetry() bool { return e.Retriable() }

// RefreshMetadata is false.
func (e *AuthError) RefreshMetadata() bool { return false }

// deadlineError is the cause at StageDeadline.
type deadlineError struct {
	api     int16
	timeout time.Duration
	queued  bool
}

func (e *deadlineError) Error() string {
	where := "was not answered"
	if e.queued {
		where = "could not be written (the connection takes no bytes)"
	}
	return fmt.Sprintf("%s %s within %v", APIName(e.api), where, e.timeout)
}

func (e *deadlineError) Is(target error) bool { return classTimeout.is(target) }

// panicError is code of a caller (an encoder, a Done) that panicked on the
// connection's goroutine.
type panicError struct {
	where string
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("panic in %s: %v\n%s", e.where, e.value, e.stack)
}
