package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topic says what topic to create.
type Topic struct {
	Name       string
	Partitions int               // 0 = 1
	Replicas   int               // 0 = 3 where there are three nodes, else 1
	Config     map[string]string // topic configuration, such as "compression.type"
}

// CreateTopic creates a topic and returns when every node that is up knows a leader for each partition. A topic that is
// there already is an error.
func (k *Kafka) CreateTopic(ctx context.Context, topic Topic) error {
	if topic.Partitions == 0 {
		topic.Partitions = 1
	}
	if topic.Replicas == 0 {
		topic.Replicas = 1
		if len(k.nodes) >= 3 {
			topic.Replicas = 3
		}
	}
	create := k.createByRequest
	if !k.version.atLeast(0, 10, 1) { // before KIP-4's CreateTopics
		create = k.createByTool
	}
	if err := create(ctx, topic); err != nil {
		return fmt.Errorf("kafkatest: topic %s cannot be created: %w", topic.Name, err)
	}
	for _, n := range k.nodes {
		if n.State() != NodeUp {
			continue
		}
		if err := retry(ctx, func(ctx context.Context) error { return n.hasLeaders(ctx, topic) }); err != nil {
			return fmt.Errorf("kafkatest: topic %s is created, but %s has no leader for it: %w", topic.Name, n, err)
		}
	}
	return nil
}

func (k *Kafka) createByRequest(ctx context.Context, topic Topic) error {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic.Name, int32(topic.Partitions), int16(topic.Replicas)
	for name, value := range topic.Config {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = name, &value
		t.Configs = append(t.Configs, c)
	}
	return retry(ctx, func(ctx context.Context) error {
		controller, err := k.controller(ctx)
		if err != nil {
			return err
		}
		req := kmsg.NewPtrCreateTopicsRequest()
		req.TimeoutMillis, req.Topics = 10_000, append(req.Topics, t)
		response, err := controller.request(ctx, req)
		if err != nil {
			return err
		}
		for _, answer := range response.(*kmsg.CreateTopicsResponse).Topics {
			if err := codeError(answer.ErrorCode, answer.ErrorMessage); err != nil {
				return createError(answer.ErrorCode, err)
			}
		}
		return nil
	})
}

// createError tells answers that pass (a cluster that still finds itself) from those that do not.
func createError(code int16, err error) error {
	const (
		timedOut        = 7
		coordinatorLoad = 14
		tooFewBrokers   = 38
		notController   = 41
	)
	switch code {
	case timedOut, coordinatorLoad, tooFewBrokers, notController:
		return err
	default:
		return &finalError{err}
	}
}

func (k *Kafka) createByTool(ctx context.Context, topic Topic) error {
	args := []string{"--zookeeper", "127.0.0.1:" + strconv.Itoa(k.zookeeper.port), "--create", "--topic", topic.Name,
		"--partitions", strconv.Itoa(topic.Partitions), "--replication-factor", strconv.Itoa(topic.Replicas)}
	for name, value := range topic.Config {
		args = append(args, "--config", name+"="+value)
	}
	_, err := RunJava(ctx, JavaCommand{Version: k.version.text, Main: "kafka.admin.TopicCommand", Args: args, HeapMB: 128})
	return err
}

// hasLeaders also asks that every replica is in sync, so that a leader can be moved at once.
func (n *Node) hasLeaders(ctx context.Context, topic Topic) error {
	meta, err := n.metadata(ctx, topic.Name)
	if err != nil {
		return err
	}
	for number := range int32(topic.Partitions) {
		p, err := partition(meta, topic.Name, number)
		if err != nil {
			return err
		}
		if err := codeError(p.ErrorCode, nil); err != nil {
			return err
		}
		if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
			return errors.New("a partition has no leader or a replica is not in sync")
		}
	}
	return nil
}
