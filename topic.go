package moldau

import (
	"context"
	"errors"
	"fmt"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/wire"
)

// Topic produces to one topic. It is a small value; make it as often as you
// like. Methods are safe for concurrent use.
type Topic struct {
	client *Client
	topic  *handle.Topic
	err    error // the client had ended
	by     Partitioner
}

// Topic is the handle to produce to a topic, with the settings of Config.Topics
// or Config.Produce. It does no I/O: whether the topic exists is found out by the
// first record. With NoAutoProducers every call fails with ErrNoProducers unless
// the topic is in Config.Topics or was started by StartProducers.
func (c *Client) Topic(name string) Topic {
	topic, err := c.handle.Topic(name)
	return Topic{client: c, topic: topic, err: err}
}

// By is the same topic with another partitioner, as On(3); nil is that of the
// configuration.
func (t Topic) By(partitioner Partitioner) Topic {
	t.by = partitioner
	return t
}

// Produce accepts a record and returns at once, but for two cases: the first
// record of a topic waits for its partitions to be known, and a record waits
// while the memory for records is full. ctx and Produce.MaxBlock bound both;
// they never cancel a record that was accepted. Key, value and headers may be
// reused when Produce returns.
//
// Every record ends acked or failed; the Pending tells. One that was not
// accepted has failed already.
func (t Topic) Produce(ctx context.Context, r Record) Pending {
	if t.topic != nil && t.topic.Count() > 0 { // as append, without its cost
		return t.topic.Append(ctx, &r, t.by, handle.Lingers, nil)
	}
	return t.append(ctx, &r, handle.Lingers, nil)
}

// ProduceSync produces one record and waits for its offset. The record's batch
// does not linger.
func (t Topic) ProduceSync(ctx context.Context, r Record) (int64, error) {
	return t.append(ctx, &r, handle.Awaited, nil).Wait(ctx)
}

// ProduceFunc is Produce with a callback, which is called once with the offset
// (-1 where the broker does not tell it) or the error of a record that was
// accepted. Callbacks of a partition are made in the order of its records, on a
// goroutine of their own; one that blocks holds up only those behind it, and a
// panic ends nothing but itself, with an event. The error is that of a record
// that was not accepted; then there is no callback.
func (t Topic) ProduceFunc(ctx context.Context, r Record, made func(offset int64, err error)) error {
	return t.append(ctx, &r, handle.Lingers, made).NotAccepted()
}

func (t Topic) append(ctx context.Context, r *Record, haste handle.Haste, made func(int64, error)) Pending {
	if err := t.known(ctx); err != nil {
		return handle.Failed(err)
	}
	return t.topic.Append(ctx, r, t.by, haste, made)
}

// ProduceAll is Produce for many records in one call, for less than half of what
// as many calls cost: each record goes to the partition that it would go to
// alone, in order. A record that is not accepted fails alone; when ctx ends, all
// that are not accepted yet fail with it.
func (t Topic) ProduceAll(ctx context.Context, records []Record) Pendings {
	if err := t.known(ctx); err != nil {
		return handle.AllFailed(err, len(records))
	}
	return t.topic.AppendAll(ctx, records, t.by, handle.Lingers)
}

// ProduceTogether accepts records whole or not at all, into one partition, as
// one batch: the offsets of its records follow each other. The partition is that
// of key, which is in none of the records; a nil key, as that of a record without
// key, leaves it to the partitioner. All of them must fit in Produce.BatchBytes.
// A broker that refuses the batch as too large, or for records that it names, has
// it cut: then records may fail apart, and offsets of others lie between.
func (t Topic) ProduceTogether(ctx context.Context, key []byte, records []Record) Pendings {
	if err := t.known(ctx); err != nil {
		return handle.AllFailed(err, len(records))
	}
	return t.topic.AppendTogether(ctx, key, records, t.by, handle.Lingers)
}

// ProduceNoAck accepts a record of which nobody wants to know the outcome, and
// never waits. A record that finds no room is dropped and counted where the
// topic's settings say so (FullDrops), and fails with ErrBufferFull otherwise.
// The first record of a topic fails with ErrNotReady, or is dropped, until the
// topic's partitions are known; Ready waits for that.
func (t Topic) ProduceNoAck(r Record) error {
	if t.err != nil {
		return t.err
	}
	if t.topic.Count() == 0 {
		actors.Prepare(t.client.system, t.client.handle, t.topic)
		if err := t.topic.LostOne(); err == nil {
			return nil
		}
		return ErrNotReady
	}
	return t.topic.Try(&r, t.by)
}

// Ready waits until the topic's partitions are known, until ctx or
// Produce.MaxBlock ends. Producing waits for it by itself, but for ProduceNoAck.
func (t Topic) Ready(ctx context.Context) error { return t.known(ctx) }

// Flush returns when every record of the topic that was accepted before is
// acked or failed, or when ctx ends, with its error.
func (t Topic) Flush(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	return t.topic.Flush(ctx)
}

// known is ready where the partitions are not known yet.
func (t Topic) known(ctx context.Context) error {
	if t.topic == nil || t.topic.Count() == 0 {
		return t.ready(ctx)
	}
	return nil
}

// ready waits until the topic's partitions are known, and starts its producers.
func (t Topic) ready(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.topic.Config().MaxBlock, errMaxBlock)
	defer cancel()
	if _, err := actors.Partitions(ctx, t.client.system, t.client.handle, t.topic.Name()); err != nil {
		if errors.Is(err, wire.ErrConnection) {
			return fmt.Errorf("moldau: topic %q: %w; check Brokers, and that a broker listens there", t.topic.Name(), err)
		}
		return fmt.Errorf("moldau: topic %q: %w", t.topic.Name(), err)
	}
	actors.Use(t.client.system, t.client.handle, t.topic)
	return nil
}

var errMaxBlock = fmt.Errorf("its partitions are not known within Produce.MaxBlock: %w", context.DeadlineExceeded)
