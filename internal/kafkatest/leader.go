package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// MoveLeader makes a node the leader of a partition and returns when every node that is up says so. A node without a
// replica gets one in place of the present leader's. It needs Kafka 2.4 (KIP-455); the node must be up.
func (k *Kafka) MoveLeader(ctx context.Context, topic string, number, to int32) error {
	if !k.version.atLeast(2, 4) {
		return &UnsupportedError{What: "moving a leader", Since: "2.4", Have: k.version.text}
	}
	err := k.placeFirst(ctx, topic, number, to)
	if err == nil {
		err = retry(ctx, func(ctx context.Context) error { return k.elect(ctx, topic, number, to) })
	}
	if err != nil {
		return fmt.Errorf("kafkatest: the leader of %s/%d cannot be moved to node %d: %w", topic, number, to, err)
	}
	return nil
}

// placeFirst makes the node the preferred leader: the first of the replicas.
func (k *Kafka) placeFirst(ctx context.Context, topic string, number, to int32) error {
	replicas, err := k.replicas(ctx, topic, number)
	if err != nil {
		return err
	}
	wanted := []int32{to}
	if !slices.Contains(replicas, to) {
		replicas = replicas[1:]
	}
	for _, r := range replicas {
		if r != to {
			wanted = append(wanted, r)
		}
	}
	if err := retry(ctx, func(ctx context.Context) error { return k.reassign(ctx, topic, number, wanted) }); err != nil {
		return err
	}
	return retry(ctx, func(ctx context.Context) error {
		now, err := k.replicas(ctx, topic, number)
		if err == nil && !slices.Equal(now, wanted) {
			err = fmt.Errorf("the replicas are %v, not %v yet", now, wanted)
		}
		return err
	})
}

func (k *Kafka) replicas(ctx context.Context, topic string, number int32) ([]int32, error) {
	n, err := k.anyUp()
	if err != nil {
		return nil, err
	}
	meta, err := n.metadata(ctx, topic)
	if err != nil {
		return nil, err
	}
	p, err := partition(meta, topic, number)
	if err != nil {
		return nil, err
	}
	return p.Replicas, nil
}

func (k *Kafka) reassign(ctx context.Context, topic string, number int32, replicas []int32) error {
	controller, err := k.controller(ctx)
	if err != nil {
		return err
	}
	p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
	p.Partition, p.Replicas = number, replicas
	t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.Topics = append(req.Topics, t)
	response, err := controller.request(ctx, req)
	if err != nil {
		return err
	}
	answer := response.(*kmsg.AlterPartitionAssignmentsResponse)
	if err := codeError(answer.ErrorCode, answer.ErrorMessage); err != nil {
		return err
	}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if err := codeError(p.ErrorCode, p.ErrorMessage); err != nil {
				return err
			}
		}
	}
	return nil
}

// elect asks for the preferred leader until all nodes see it lead.
func (k *Kafka) elect(ctx context.Context, topic string, number, to int32) error {
	if n := k.NodeByID(to); n == nil || n.State() != NodeUp {
		return &finalError{errors.New("that node is not up")}
	}
	if k.allSeeLeader(ctx, topic, number, to) == nil {
		return nil
	}
	controller, err := k.controller(ctx)
	if err != nil {
		return err
	}
	t := kmsg.NewElectLeadersRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, number)
	req := kmsg.NewPtrElectLeadersRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, t), 10_000
	response, err := controller.request(ctx, req)
	if err != nil {
		return err
	}
	if err := electError(response.(*kmsg.ElectLeadersResponse)); err != nil {
		return err
	}
	return k.allSeeLeader(ctx, topic, number, to)
}

func electError(answer *kmsg.ElectLeadersResponse) error {
	const notNeeded = 84
	if err := codeError(answer.ErrorCode, nil); err != nil {
		return err
	}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode == notNeeded {
				continue
			}
			if err := codeError(p.ErrorCode, p.ErrorMessage); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *Kafka) allSeeLeader(ctx context.Context, topic string, number, leader int32) error {
	for _, n := range k.nodes {
		if n.State() != NodeUp {
			continue
		}
		meta, err := n.metadata(ctx, topic)
		if err != nil {
			return err
		}
		p, err := partition(meta, topic, number)
		if err != nil {
			return err
		}
		if p.Leader != leader {
			return fmt.Errorf("%s sees node %d lead", n, p.Leader)
		}
	}
	return nil
}
