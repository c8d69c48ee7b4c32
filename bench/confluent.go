//go:build confluent

package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func confluentClient() client {
	return client{name: "confluent", module: "github.com/confluentinc/confluent-kafka-go/v2", idempotent: true, producer: confluentProducer, consumer: confluentConsumer}
}

func confluentConfig(j *job) kafka.ConfigMap {
	config := kafka.ConfigMap{"bootstrap.servers": j.Broker, "client.id": "bench"}
	if j.CA != "" {
		config["security.protocol"] = "ssl"
		config["ssl.ca.pem"] = j.CA
	}
	return config
}

type confluentProduce struct {
	producer *kafka.Producer
	topic    string
	values   *values
	delivery chan kafka.Event
}

func confluentProducer(_ context.Context, j *job) (producer, error) {
	config := confluentConfig(j)
	config["acks"] = "all"
	config["enable.idempotence"] = j.Idempotent
	config["linger.ms"] = strconv.FormatFloat(float64(j.Linger.Microseconds())/1000, 'f', -1, 64)
	config["batch.size"] = j.BatchBytes
	config["batch.num.messages"] = 100_000
	config["queue.buffering.max.messages"] = 1_000_000
	config["queue.buffering.max.kbytes"] = bufferBytes >> 10
	config["compression.codec"] = j.Codec
	config["go.delivery.report.fields"] = "none"
	config["go.logs.channel.enable"] = false
	p := &confluentProduce{topic: j.Topic, values: newValues(j.Size), delivery: make(chan kafka.Event, 100_000)}
	var err error
	p.producer, err = kafka.NewProducer(&config)
	return p, err
}

func (p *confluentProduce) message(partition int32, value []byte) *kafka.Message {
	return &kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &p.topic, Partition: partition}, Value: value}
}

func (p *confluentProduce) send(ctx context.Context, n int) error {
	failed := make(chan error, 1)
	go func() { failed <- p.settle(ctx, n) }()
	for sent := 0; sent < n; {
		err := p.producer.Produce(p.message(kafka.PartitionAny, p.values.next()), p.delivery)
		if kafkaErr, ok := err.(kafka.Error); ok && kafkaErr.Code() == kafka.ErrQueueFull {
			p.values.at--
			p.producer.Flush(1)
			continue
		}
		if err != nil {
			return err
		}
		sent++
	}
	return <-failed
}

// settle reads n delivery reports.
func (p *confluentProduce) settle(ctx context.Context, n int) error {
	for range n {
		select {
		case e := <-p.delivery:
			if m, ok := e.(*kafka.Message); ok && m.TopicPartition.Error != nil {
				return m.TopicPartition.Error
			} else if !ok {
				return fmt.Errorf("an event that is no delivery report: %v", e)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (p *confluentProduce) one(ctx context.Context, value []byte) error {
	if err := p.producer.Produce(p.message(0, value), p.delivery); err != nil {
		return err
	}
	return p.settle(ctx, 1)
}

func (p *confluentProduce) ask(context.Context) error {
	_, _, err := p.producer.QueryWatermarkOffsets(p.topic, 0, 60_000)
	return err
}

func (p *confluentProduce) requests() int64 { return 0 }

func (p *confluentProduce) close() { p.producer.Close() }

type confluentConsume struct {
	consumer *kafka.Consumer
	job      *job
}

func confluentConsumer(_ context.Context, j *job) (consumer, error) {
	config := confluentConfig(j)
	config["group.id"] = "bench" // it insists, though nothing is committed
	config["enable.auto.commit"] = false
	config["isolation.level"] = "read_uncommitted"
	config["fetch.message.max.bytes"] = fetchPartitionBytes
	config["fetch.max.bytes"] = fetchBytes
	config["queued.max.messages.kbytes"] = bufferBytes >> 10
	c, err := kafka.NewConsumer(&config)
	return &confluentConsume{consumer: c, job: j}, err
}

func (c *confluentConsume) run(ctx context.Context, t *tally) error {
	var partitions []kafka.TopicPartition
	for i := range c.job.Partitions {
		partitions = append(partitions, kafka.TopicPartition{Topic: &c.job.Topic, Partition: i, Offset: kafka.OffsetBeginning})
	}
	if err := c.consumer.Assign(partitions); err != nil {
		return err
	}
	var n int64
	var sum uint64
	for ctx.Err() == nil {
		switch e := c.consumer.Poll(100).(type) {
		case *kafka.Message:
			n++
			sum += look(e.Key, e.Value)
		case kafka.Error:
			return e
		case nil:
		}
		if n == tellEvery || t.seen.Load()+n == t.total {
			if !t.add(n, sum) {
				return nil
			}
			n, sum = 0, 0
		}
	}
	return context.Cause(ctx)
}

func (c *confluentConsume) requests() int64 { return 0 }

func (c *confluentConsume) close() { _ = c.consumer.Close() }
