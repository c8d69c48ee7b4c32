package moldau

import (
	"context"
	"errors"
	"time"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
)

// Batch is what ProduceBatch writes: records of one partition, as one batch.
type Batch struct {
	Topic   string
	Records []Record
	// Key chooses the partition, by Settings.Partitioner; it is in none of the
	// records. nil, as that of a record without key, leaves it to the partitioner.
	Key []byte
	// Settings of this call: Acks, AckTimeout, BatchBytes, Codec, CodecLevel,
	// DropUnsupported and Partitioner count. What is zero is the default, whatever
	// Config says.
	Settings ProduceConfig
	// Version is the one of the Produce request. 0: the newest that the broker and
	// this client know.
	Version int16
}

// BatchResult is where a batch was written.
type BatchResult struct {
	Partition int32
	// Offset is the first record's; those of the others follow without a gap. -1
	// with AcksNone.
	Offset int64
	// LogAppendTime is the timestamp of all its records where the topic has the
	// broker give it (message.timestamp.type=LogAppendTime); else zero.
	LogAppendTime time.Time
}

// ProduceBatch writes one batch by itself, with settings of its own, in a request
// of its own, and waits for the answer; with AcksNone until it is written to the
// connection. It needs no producers and starts none. The order to other records is
// that of the calls only if one waits for the other.
//
// Nothing is numbered, so nothing is sent again that may have been written: then
// the error is of class wire.ErrUnsure, and the batch is in the log once or not at
// all. With AcksAll that is so too if the leader moves while the batch is under
// way: the old one may have written it before. What was surely not written is tried
// again until ctx or CallTimeout ends; then the error is a *GaveUpError. Other errors
// are a *ConfigError, a *wire.Error, as of class wire.ErrTooLarge, or ErrStopped.
func (c *Client) ProduceBatch(ctx context.Context, b Batch) (BatchResult, error) {
	result := BatchResult{Partition: -1, Offset: -1}
	settings, err := c.handle.Settings(b.Topic, b.Settings)
	if err != nil {
		return result, err
	}
	if err := b.mistakes(); err != nil {
		return result, err
	}
	if result.Partition, err = actors.Choose(ctx, c.system, c.handle, b.Topic, b.Key, settings.Partitioner); err != nil {
		return result, err
	}
	outcome, err := actors.Produce(ctx, c.system, c.handle, actors.ProduceAsk{
		Key: Partition{Topic: b.Topic, Partition: result.Partition}, Records: b.Records, Config: &settings, Version: b.Version,
	})
	if err != nil {
		return result, err
	}
	result.Offset = outcome.Base
	if outcome.LogAppend >= 0 {
		result.LogAppendTime = time.UnixMilli(outcome.LogAppend)
	}
	return result, nil
}

// mistakes are what is wrong with a batch itself.
func (b *Batch) mistakes() error {
	var list []error
	if b.Topic == "" {
		list = append(list, errors.New("Batch.Topic: a topic is needed"))
	}
	if len(b.Records) == 0 {
		list = append(list, errors.New("Batch.Records: there are none"))
	}
	if b.Version < 0 {
		list = append(list, errors.New("Batch.Version: must not be negative"))
	}
	if len(list) > 0 {
		return &handle.ConfigError{Mistakes: list}
	}
	return nil
}
