package moldau

import (
	"context"
	"time"

	"github.com/moldau-go/moldau/actors"
)

// FetchOptions are the settings of one Fetch.
type FetchOptions struct {
	// MaxBytes is how much to ask for. A larger batch comes whole. Default:
	// Consume.MaxPartitionBytes.
	MaxBytes int32
	// MaxWait is how long to wait for a first record. Default:
	// Consume.MaxWait; NoWait for not at all.
	MaxWait time.Duration
	// ReadUncommitted shows records of open and aborted transactions, whatever
	// Consume.Isolation says.
	ReadUncommitted bool
}

// NoWait as FetchOptions.MaxWait returns at once when there is no record.
const NoWait time.Duration = -1

// Fetch reads records of a partition once, from an offset on, and returns them
// with the offset to read on from. The set is never nil without an error; it
// has no records at the end of the partition. To read continuously, subscribe.
//
// It tries again where that may help, until ctx or CallTimeout ends; then the
// error is a *GaveUpError. Other errors are a *wire.Error, as of class
// wire.ErrOffsetOutOfRange or wire.ErrUnknownTopic, what package record says of
// data that cannot be read, or ErrStopped.
func (c *Client) Fetch(ctx context.Context, topic string, partition int32, offset int64, options FetchOptions) (*MessageSet, int64, error) {
	ask := c.fetchAsk(options)
	ask.Key, ask.Offset = Partition{Topic: topic, Partition: partition}, offset
	set, err := actors.Fetch(ctx, c.system, c.handle, ask)
	if err != nil {
		return nil, offset, err
	}
	return set, set.Last() + 1, nil
}

// fetchAsk is what a fetch is to ask for, with the defaults filled in.
func (c *Client) fetchAsk(options FetchOptions) actors.FetchAsk {
	settings := c.handle.Config().Consume
	ask := actors.FetchAsk{MaxBytes: options.MaxBytes, MaxWait: options.MaxWait, Isolation: settings.Isolation}
	if ask.MaxBytes <= 0 {
		ask.MaxBytes = settings.MaxPartitionBytes
	}
	if ask.MaxWait == 0 {
		ask.MaxWait = settings.MaxWait
	}
	if options.ReadUncommitted {
		ask.Isolation = ReadUncommitted
	}
	return ask
}
