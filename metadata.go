package moldau

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/wire"
)

// Cluster is a cluster as one of its brokers describes it.
type Cluster struct {
	// ID is the cluster's id; empty before Kafka 0.10.1.
	ID string
	// Controller is the node id of the controller; -1 while there is none.
	Controller int32
	// Brokers are the living brokers, by node id.
	Brokers []Broker
	// Topics are what was asked for, by name.
	Topics []TopicMetadata
}

// Broker is one node of a cluster.
type Broker struct {
	ID   int32
	Host string
	Port int32
	// Rack is empty where none is configured.
	Rack string
}

// TopicMetadata describes a topic.
type TopicMetadata struct {
	Name string
	// ID is all zero before Kafka 2.8.
	ID [16]byte
	// Internal: the topic is Kafka's own, as __consumer_offsets.
	Internal bool
	// Err is why nothing else is known of the topic: a *wire.Error, of class
	// wire.ErrUnknownTopic or wire.ErrAuthorization for example.
	Err error
	// Partitions are in their order.
	Partitions []PartitionMetadata
}

// PartitionMetadata describes a partition.
type PartitionMetadata struct {
	Partition int32
	// Leader is a node id; -1 while there is none.
	Leader int32
	// LeaderEpoch is -1 before Kafka 2.1.
	LeaderEpoch int32
	// Replicas, InSync and Offline are node ids. The first replica is the
	// preferred leader.
	Replicas, InSync, Offline []int32
	// Err is what is wrong with the partition: a *wire.Error.
	Err error
}

// Metadata asks a broker for a description of the cluster and of the named
// topics, or of all topics if none is named. It never creates a topic.
//
// It tries again while no broker answers, until ctx or CallTimeout ends; then
// the error is a *GaveUpError that has the last reason. Where topics cannot be
// had, the error joins their Err, and the Cluster is returned as well.
func (c *Client) Metadata(ctx context.Context, topics ...string) (*Cluster, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	var cluster *Cluster
	err := actors.Retry(ctx, c.handle, actors.Repeatable, func(ctx context.Context, _ int) error {
		resp, err := actors.Request(ctx, c.system, c.handle, actors.AnyBroker, req)
		if err == nil {
			cluster = clusterOf(resp.(*kmsg.MetadataResponse))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, t := range cluster.Topics {
		if slices.Contains(topics, t.Name) {
			errs = append(errs, t.Err)
		}
	}
	return cluster, errors.Join(errs...)
}

// PartitionCount is the number of a topic's partitions. It asks a broker only
// if the client does not use the topic yet. Errors as those of Metadata.
func (c *Client) PartitionCount(ctx context.Context, topic string) (int32, error) {
	return actors.Partitions(ctx, c.system, c.handle, topic)
}

func clusterOf(resp *kmsg.MetadataResponse) *Cluster {
	cluster := &Cluster{Controller: resp.ControllerID}
	if resp.ClusterID != nil {
		cluster.ID = *resp.ClusterID
	}
	for i := range resp.Brokers {
		b := &resp.Brokers[i]
		broker := Broker{ID: b.NodeID, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			broker.Rack = *b.Rack
		}
		cluster.Brokers = append(cluster.Brokers, broker)
	}
	for i := range resp.Topics {
		cluster.Topics = append(cluster.Topics, topicOf(&resp.Topics[i]))
	}
	slices.SortFunc(cluster.Brokers, func(a, b Broker) int { return int(a.ID) - int(b.ID) })
	slices.SortFunc(cluster.Topics, func(a, b TopicMetadata) int { return strings.Compare(a.Name, b.Name) })
	return cluster
}

func topicOf(t *kmsg.MetadataResponseTopic) TopicMetadata {
	topic := TopicMetadata{ID: t.TopicID, Internal: t.IsInternal}
	if t.Topic != nil {
		topic.Name = *t.Topic
	}
	topic.Err = metadataError(topic.Name, -1, t.ErrorCode)
	for i := range t.Partitions {
		p := &t.Partitions[i]
		topic.Partitions = append(topic.Partitions, PartitionMetadata{
			Partition: p.Partition, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch,
			Replicas: p.Replicas, InSync: p.ISR, Offline: p.OfflineReplicas,
			Err: metadataError(topic.Name, p.Partition, p.ErrorCode),
		})
	}
	slices.SortFunc(topic.Partitions, func(a, b PartitionMetadata) int { return int(a.Partition) - int(b.Partition) })
	return topic
}

func metadataError(topic string, partition int32, code int16) error {
	if code == 0 {
		return nil
	}
	return &wire.Error{Code: wire.Code(code), API: int16(kmsg.Metadata), Topic: topic, Partition: partition}
}
