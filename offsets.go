package moldau

import (
	"context"
	"errors"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
)

// Partition names a partition.
type Partition = handle.Partition

// PartitionOffset is the offset that a position stands for in a partition.
type PartitionOffset struct {
	Partition
	Offset int64
	// Err is why the offset could not be found; Offset is then -1.
	Err error
}

// PartitionPosition is a position in a partition, to be looked up.
type PartitionPosition struct {
	Partition
	Position Position
}

// Offset is the offset that a position stands for: Earliest, Latest, Last or Since
// a time; a time after that of every record stands for the end. Latest is the
// last stable offset with ReadCommitted, else the high watermark. At and
// AfterProcessed are their own answer, and nobody is asked.
//
// It tries again where that may help, until ctx or CallTimeout ends; then the
// error is a *GaveUpError. Other errors are a *wire.Error, as of class
// wire.ErrUnknownTopic, or ErrStopped.
func (c *Client) Offset(ctx context.Context, topic string, partition int32, position Position) (int64, error) {
	list, err := c.Offsets(ctx, position, Partition{Topic: topic, Partition: partition})
	return list[0].Offset, err
}

// Offsets is Offset for many partitions, of one or of many topics, with one
// request for each leader. The answers are in the order of the partitions; the
// error joins those of the partitions that have none.
func (c *Client) Offsets(ctx context.Context, position Position, partitions ...Partition) ([]PartitionOffset, error) {
	places := make([]PartitionPosition, len(partitions))
	for i, p := range partitions {
		places[i] = PartitionPosition{p, position}
	}
	return c.OffsetsOf(ctx, places...)
}

// OffsetsOf is Offsets with a position of its own for each partition. A partition
// may be there more than once: its oldest record and its end, say.
func (c *Client) OffsetsOf(ctx context.Context, positions ...PartitionPosition) ([]PartitionOffset, error) {
	places := make([]actors.Place, len(positions))
	for i, p := range positions {
		places[i] = actors.Place{Key: p.Partition, Position: p.Position}
	}
	list := make([]PartitionOffset, len(positions))
	var errs []error
	for i, found := range actors.ListOffsets(ctx, c.system, c.handle, c.handle.Config().Consume.Isolation, places) {
		list[i] = PartitionOffset{Partition: positions[i].Partition, Offset: found.Offset, Err: found.Err}
		if found.Err != nil {
			list[i].Offset = -1
			errs = append(errs, found.Err)
		}
	}
	return list, errors.Join(errs...)
}
