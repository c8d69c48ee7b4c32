package moldau

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/wire"
)

// CreateTopic creates a topic with so many partitions, each on so many brokers,
// and returns when the client can produce to it. It needs brokers from 0.10.1
// on. It tries again only where the topic cannot have been created already.
// Errors are a *wire.Error, as of class wire.ErrExists, a *GaveUpError, or
// ErrStopped.
func (c *Client) CreateTopic(ctx context.Context, name string, partitions int32, replicas int16) error {
	err := actors.Retry(ctx, c.handle, changeable, func(ctx context.Context, _ int) error {
		return c.createTopic(ctx, name, partitions, replicas)
	})
	if err != nil {
		return err
	}
	// Brokers may not know yet of what the controller has just made.
	return actors.Retry(ctx, c.handle, wire.Retriable, func(ctx context.Context, _ int) error {
		return actors.LookUp(ctx, c.system, c.handle, name, true)
	})
}

func (c *Client) createTopic(ctx context.Context, name string, partitions int32, replicas int16) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, replicas
	req.Topics = append(req.Topics, topic)
	resp, err := actors.Request(ctx, c.system, c.handle, actors.Controller, req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.CreateTopicsResponse).Topics {
		if t.ErrorCode != 0 {
			return topicError(kmsg.CreateTopics, name, t.ErrorCode, t.ErrorMessage)
		}
	}
	return nil
}

// DeleteTopic deletes a topic with all its records. Errors as CreateTopic.
func (c *Client) DeleteTopic(ctx context.Context, name string) error {
	return actors.Retry(ctx, c.handle, changeable, func(ctx context.Context, _ int) error { return c.deleteTopic(ctx, name) })
}

// changeable says that a request that changes something may be sent again.
func changeable(err error) bool {
	return wire.SafeToRetry(err) && !errors.Is(err, wire.ErrUnknownTopic)
}

func (c *Client) deleteTopic(ctx context.Context, name string) error {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TopicNames = []string{name}
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = kmsg.StringPtr(name)
	req.Topics = append(req.Topics, topic)
	resp, err := actors.Request(ctx, c.system, c.handle, actors.Controller, req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.DeleteTopicsResponse).Topics {
		if t.ErrorCode != 0 {
			return topicError(kmsg.DeleteTopics, name, t.ErrorCode, t.ErrorMessage)
		}
	}
	return nil
}

func topicError(api kmsg.Key, topic string, code int16, message *string) error {
	err := &wire.Error{Code: wire.Code(code), API: int16(api), Topic: topic, Partition: -1}
	if message != nil {
		err.Message = *message
	}
	return err
}
