package moldau

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/wire"
)

// CreateTopic creates a topic with so many partitions, each on so many brokers,
// and returns when the client can produce to it. It needs brokers from 0.10.1
// on. Errors are a *wire.Error, as with code TopicAlreadyExists, or ctx's.
func (c *Client) CreateTopic(ctx context.Context, name string, partitions int32, replicas int16) error {
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
	return c.awaitCreated(ctx, name)
}

// awaitCreated asks until the brokers know of a topic that was just created.
func (c *Client) awaitCreated(ctx context.Context, name string) error {
	for {
		err := actors.AwaitTopic(ctx, c.system, c.handle, name)
		if err == nil || !wire.Retriable(err) || ctx.Err() != nil {
			return err
		}
	}
}

// DeleteTopic deletes a topic with all its records. Errors as CreateTopic.
func (c *Client) DeleteTopic(ctx context.Context, name string) error {
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
