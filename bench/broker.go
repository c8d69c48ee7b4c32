package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/wire"
)

// broker is where the runs go.
type broker struct {
	version string
	plain   string
	secure  string // its TLS address; empty if there is none
	ca      string
	own     *kafkatest.Kafka
	admin   *wire.Conn
}

// openBroker starts a broker, or connects to those that are named.
func openBroker(ctx context.Context, o *options) (*broker, error) {
	b := &broker{plain: o.brokers, version: "of " + o.brokers}
	if o.brokers == "" {
		own, err := kafkatest.OpenKafka(ctx, kafkatest.Options{
			Listeners: []kafkatest.Listener{kafkatest.Plain, kafkatest.TLS},
			HeapMB:    o.heapMB,
			// The kit's own options are for a quick start.
			JVM:    []string{"-XX:TieredStopAtLevel=4", "-XX:-UseSerialGC", "-XX:+UseG1GC", fmt.Sprintf("-Xms%dm", o.heapMB)},
			Config: map[string]string{"log.cleaner.enable": "false", "log.initial.task.delay.ms": "1000"},
		})
		if err != nil {
			return nil, err
		}
		b.own, b.version = own, own.Version()
		b.plain, b.secure = own.Addrs()[0], own.AddrsOf(kafkatest.TLS)[0]
		b.ca = string(own.Certificates().CA)
	}
	first, _, _ := strings.Cut(b.plain, ",")
	var err error
	if b.admin, err = wire.Dial(ctx, first, wire.Config{ClientID: "bench"}); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *broker) close() {
	if b.admin != nil {
		b.admin.Close(nil)
	}
	if b.own != nil {
		_ = b.own.Close()
	}
}

// address sets how a job reaches the broker.
func (b *broker) address(j *job, tls bool) {
	if j.Broker = b.plain; tls {
		j.Broker, j.CA = b.secure, b.ca
	}
}

// create makes a topic whose files are gone soon after it is deleted.
func (b *broker) create(ctx context.Context, name string, partitions int32) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 30_000
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	delay := "100"
	config := kmsg.NewCreateTopicsRequestTopicConfig()
	config.Name, config.Value = "file.delete.delay.ms", &delay
	topic.Configs = append(topic.Configs, config)
	req.Topics = append(req.Topics, topic)
	resp, err := b.admin.Do(ctx, req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.CreateTopicsResponse).Topics {
		if t.ErrorCode != 0 {
			return &wire.Error{Code: wire.Code(t.ErrorCode), API: int16(kmsg.CreateTopics), Topic: name, Partition: -1}
		}
	}
	return b.awaitLeaders(ctx, name, int(partitions))
}

// awaitLeaders asks for offsets, which a partition's leader alone answers: the
// metadata name it a little before it serves.
func (b *broker) awaitLeaders(ctx context.Context, name string, partitions int) error {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = name
	for i := range partitions {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = int32(i), -1
		topic.Partitions = append(topic.Partitions, p)
	}
	req.Topics = append(req.Topics, topic)
	for ctx.Err() == nil {
		resp, err := b.admin.Do(ctx, req)
		if err != nil {
			return err
		}
		led := 0
		for _, p := range resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions {
			if p.ErrorCode == 0 {
				led++
			}
		}
		if led == partitions {
			return nil
		}
	}
	return context.Cause(ctx)
}

func (b *broker) remove(ctx context.Context, name string) error {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = 30_000
	req.TopicNames = []string{name}
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = &name
	req.Topics = append(req.Topics, topic)
	resp, err := b.admin.Do(ctx, req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.DeleteTopicsResponse).Topics {
		if t.ErrorCode != 0 {
			return &wire.Error{Code: wire.Code(t.ErrorCode), API: int16(kmsg.DeleteTopics), Topic: name, Partition: -1}
		}
	}
	return nil
}
