package actors

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/reading"
	"github.com/moldau-go/moldau/behaviors"
)

// ReadAsk is what a Reader reads.
type ReadAsk struct {
	Topic      string
	Partitions []int32 // nil: all
	From, End  behaviors.Position
	Resume     map[int32]int64 // in place of From
	// Follow is how long nothing may come before the end; 0: the end is where it is
	// at the beginning; negative: there is none.
	Follow     time.Duration
	Limit      int   // records; 0: none
	LimitBytes int64 // of their keys, values and headers; 0: none
	MaxBytes   int32
	MaxWait    time.Duration
	Isolation  handle.Isolation
	Group      string // to commit to; empty: none
	Every      time.Duration
}

// Reader reads a topic, or partitions of one, without a subscription. It is made by
// Client.Read, does nothing between two iterations, and needs no closing. It is not
// safe for concurrent use; any number of Readers may read the same.
type Reader struct {
	system *actor.ActorSystem
	handle *handle.Handle
	ask    ReadAsk

	next      map[int32]int64 // by partition, of those that were begun
	committed map[int32]int64 // what the group has, as far as it is known
	err       error
}

// NewReader makes a Reader. It does no I/O.
func NewReader(system *actor.ActorSystem, h *handle.Handle, ask ReadAsk) *Reader {
	ask.Partitions = slices.Compact(slices.Sorted(slices.Values(ask.Partitions)))
	next := maps.Clone(ask.Resume)
	if next == nil {
		next = map[int32]int64{}
	}
	return &Reader{system: system, handle: h, ask: ask, next: next, committed: map[int32]int64{}}
}

// Records iterates over the records: those of a partition in their order, those of
// several as they come. It ends at the end, at a limit, with ctx or with an error;
// Err then tells which. While the loop works on what is there, the next is fetched.
//
// A loop that is left by break, return or a panic leaves nothing behind; the record
// that it is left at counts as not finished. Iterating again goes on at Next, to the
// end as it is then.
//
// Keys, values and headers alias what was fetched, which is never written again:
// keeping a record is safe and keeps the memory of its fetch. Record.Clone detaches
// one.
func (r *Reader) Records(ctx context.Context) iter.Seq[behaviors.Record] {
	return func(yield func(behaviors.Record) bool) {
		run := &readRun{Reader: r}
		var err error
		defer func() { // also when the loop is left, or panics
			r.err = run.end(ctx, err)
		}()
		if err = run.begin(ctx); err == nil {
			err = run.loop(yield)
		}
	}
}

// Err is why the last iteration ended before its end: nil for the end, a limit, or
// a loop that was left. Errors of brokers that may pass were tried again, until
// CallTimeout was over; then it is a *GaveUpError. Others are ctx's, an
// *OffsetRangeError, another *wire.Error, as of class wire.ErrUnknownTopic for a
// topic that was deleted, what package record says of data that cannot be read, or
// handle.ErrStopped.
func (r *Reader) Err() error { return r.err }

// Next is the offset of each partition to go on from: behind the last record that
// the loop has finished, and behind what has none to show. A partition that was not
// begun is not in it. It may be called in the loop, and the map is the caller's.
func (r *Reader) Next() map[int32]int64 { return maps.Clone(r.next) }

// spans looks up what is to be read.
func (r *Reader) spans(ctx context.Context) ([]reading.Span, error) {
	partitions, err := r.partitions(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.askGroup(ctx, partitions); err != nil {
		return nil, err
	}
	var places []Place
	for _, p := range partitions {
		key, from := r.key(p), r.ask.From
		if next, begun := r.next[p]; begun {
			from = behaviors.At(next)
		}
		places = append(places, Place{key, from}, Place{key, r.ask.End}, Place{key, behaviors.Latest})
	}
	list := ListOffsets(ctx, r.system, r.handle, r.ask.Isolation, places)
	var errs []error
	spans := make([]reading.Span, len(partitions))
	for i, p := range partitions {
		from, end, latest := list[3*i], list[3*i+1], list[3*i+2]
		errs = append(errs, from.Err, end.Err, latest.Err)
		spans[i] = reading.Span{Partition: p, Next: from.Offset, End: r.endOf(end.Offset, latest.Offset)}
	}
	return spans, errors.Join(errs...)
}

func (r *Reader) endOf(end, latest int64) int64 {
	switch {
	case r.ask.Follow == 0:
		return min(end, latest)
	case r.ask.End == behaviors.Latest:
		return reading.Forever
	}
	return end
}

func (r *Reader) partitions(ctx context.Context) ([]int32, error) {
	if len(r.ask.Partitions) > 0 {
		return r.ask.Partitions, nil
	}
	count, err := Partitions(ctx, r.system, r.handle, r.ask.Topic)
	list := make([]int32, count)
	for i := range list {
		list[i] = int32(i)
	}
	return list, err
}

func (r *Reader) keys(partitions []int32) []handle.Partition {
	keys := make([]handle.Partition, len(partitions))
	for i, p := range partitions {
		keys[i] = r.key(p)
	}
	return keys
}

func (r *Reader) key(partition int32) handle.Partition {
	return handle.Partition{Topic: r.ask.Topic, Partition: partition}
}
