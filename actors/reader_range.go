package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/reading"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// OffsetRangeError is a read from an offset that the partition does not have, or has
// no more. It is of class wire.ErrOffsetOutOfRange.
type OffsetRangeError struct {
	handle.Partition
	// Offset is where reading was to begin, or to go on.
	Offset int64
	// Earliest is the oldest record that is there, Latest the offset after the last.
	Earliest, Latest int64
	Cause            error
}

// Error names the range.
func (e *OffsetRangeError) Error() string {
	text := "its records were deleted; go on at the earliest, or where you can do without what is gone"
	if e.Offset > e.Latest {
		text = "it is not written yet, or a leader without all records was elected"
	}
	return fmt.Sprintf("moldau: offset %d is not in %s/%d, which has %d to %d (OFFSET_OUT_OF_RANGE): %s", e.Offset, e.Topic, e.Partition.Partition, e.Earliest, e.Latest, text)
}

// Unwrap gives the Cause, a *wire.Error.
func (e *OffsetRangeError) Unwrap() error { return e.Cause }

// ranged puts the range of a partition into an error that an offset is not in it.
func (r *Reader) ranged(ctx context.Context, partition int32, offset int64, err error) error {
	if !errors.Is(err, wire.ErrOffsetOutOfRange) {
		return err
	}
	key := r.key(partition)
	list := ListOffsets(ctx, r.system, r.handle, handle.ReadUncommitted, []Place{{key, behaviors.Earliest}, {key, behaviors.Latest}})
	if list[0].Err != nil || list[1].Err != nil {
		return err
	}
	return &OffsetRangeError{Partition: key, Offset: offset, Earliest: list[0].Offset, Latest: list[1].Offset, Cause: err}
}

// inRange refuses to begin behind the end, where nobody would be asked: that is an
// error unless the offset is there, in transactions that are open.
func (r *Reader) inRange(ctx context.Context, spans []reading.Span) error {
	for _, s := range spans {
		if s.Next <= s.End || r.ask.End != behaviors.Latest {
			continue
		}
		err := r.ranged(ctx, s.Partition, s.Next, &wire.Error{Code: wire.OffsetOutOfRange, API: int16(kmsg.Fetch), Topic: r.ask.Topic, Partition: s.Partition})
		var out *OffsetRangeError
		if !errors.As(err, &out) || out.Offset > out.Latest {
			return err
		}
	}
	return nil
}
