package moldau

import (
	"context"

	"github.com/moldau-go/moldau/actors"
)

// StartProducers starts the producers of a topic with settings of its own, and
// waits until the topic's partitions are known, as Topic.Ready does. What is zero
// in config is the default, not what Config.Produce says. Where the producers run
// already, the same settings are fine; others are an *OtherTopicConfigError, and
// nothing changes. Wrong settings are a *ConfigError.
func (c *Client) StartProducers(ctx context.Context, topic string, config ProduceConfig) error {
	t, err := c.handle.StartTopic(topic, config)
	if err != nil {
		return err
	}
	return Topic{client: c, topic: t}.known(ctx)
}

// StopProducers waits until everything that was accepted for a topic is settled,
// and ends its producers. When ctx ends first, what is left fails with ErrStopped,
// and StopProducers returns ctx's error. A Topic of before fails with
// ErrNoProducers from then on; a new one starts producers again, unless
// NoAutoProducers leaves that to StartProducers. Without producers it does nothing.
func (c *Client) StopProducers(ctx context.Context, topic string) error {
	t := c.handle.Produced(topic)
	if t == nil {
		return nil
	}
	err := t.Flush(ctx)
	actors.End(c.system, c.handle, t, ErrStopped)
	return err
}

// AbortProducers ends a topic's producers at once: what is not settled fails with
// ErrAborted, though it may have been written or be under way. Otherwise it is
// StopProducers.
func (c *Client) AbortProducers(topic string) {
	if t := c.handle.Produced(topic); t != nil {
		actors.End(c.system, c.handle, t, ErrAborted)
	}
}

// Dropped is how many records were dropped because there was no room for them, as
// Produce.OnFull wants.
func (c *Client) Dropped() uint64 { return c.handle.Dropped() }
