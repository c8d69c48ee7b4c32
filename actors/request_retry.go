package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/backoff"
	"github.com/moldau-go/moldau/wire"
)

// The pauses between attempts of a direct call.
const (
	retryMin = 50 * time.Millisecond
	retryMax = time.Second
)

// GaveUpError is a direct call whose time was over before an attempt had
// succeeded. Last is why the last one had failed; Cause is what ended the call:
// that CallTimeout was over, or the ctx's own cause.
type GaveUpError struct {
	Attempts    int
	Last, Cause error
}

// Error names both reasons.
func (e *GaveUpError) Error() string {
	return fmt.Sprintf("moldau: gave up after %d attempts (%v): %v", e.Attempts, e.Cause, e.Last)
}

// Unwrap gives both reasons to errors.Is and errors.As.
func (e *GaveUpError) Unwrap() []error { return []error{e.Last, e.Cause} }

// errCallTimeout ends a direct call whose ctx lives on.
var errCallTimeout = fmt.Errorf("Config.CallTimeout is over: %w", context.DeadlineExceeded)

// Retry is the one loop of direct calls: it calls try until it succeeds or
// fails for good, with a pause of 50 ms that doubles up to a second between two
// attempts. again says which errors another attempt may help against. ctx and
// CallTimeout bound it; then the error is a *GaveUpError.
func Retry(ctx context.Context, h *handle.Handle, again func(error) bool, try func(ctx context.Context, attempt int) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, h.Config().CallTimeout, errCallTimeout)
	defer cancel()
	var last error
	for attempt := 0; ; attempt++ {
		err := try(ctx, attempt)
		switch {
		case err == nil || ctx.Err() == nil && !again(err):
			return err
		case ctx.Err() == nil || last == nil || !errors.Is(err, context.Cause(ctx)) || errors.Is(err, wire.ErrUnsure):
			last = err
		}
		if ctx.Err() == nil {
			pause := time.NewTimer(backoff.After(attempt+1, retryMin, retryMax, rand.Float64()))
			select {
			case <-pause.C:
				continue
			case <-h.Ended():
				pause.Stop()
				return handle.ErrStopped
			case <-ctx.Done():
				pause.Stop()
			}
		}
		return &GaveUpError{Attempts: attempt + 1, Last: last, Cause: context.Cause(ctx)}
	}
}

// Repeatable says that a request that only reads may be sent again after err.
// That the cluster itself does not know a topic is final; that one broker does
// not may be its lag.
func Repeatable(err error) bool {
	var coded *wire.Error
	if errors.As(err, &coded) && coded.API == int16(kmsg.Metadata) && coded.Code.Is(wire.ErrUnknownTopic) {
		return false
	}
	return wire.Retriable(err)
}
