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

// Topic is the handle to produce to a topic. It does no I/O: whether the topic
// exists is found out by the first record.
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
	if t.topic == nil || t.topic.Count() == 0 {
		if err := t.ready(ctx); err != nil {
			return handle.Failed(err)
		}
	}
	return t.topic.Append(ctx, r, t.by, haste, made)
}

// Flush returns when every record of the topic that was accepted before is
// acked or failed, or when ctx ends, with its error.
func (t Topic) Flush(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	return t.topic.Flush(ctx)
}

// ready waits until the topic's partitions are known, and starts its producers.
func (t Topic) ready(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.client.handle.Config().Produce.MaxBlock, errMaxBlock)
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
