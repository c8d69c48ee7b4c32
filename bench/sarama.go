package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"
)

func saramaClient() client {
	return client{name: "sarama", module: "github.com/IBM/sarama", idempotent: true, producer: saramaProducer, consumer: saramaConsumer}
}

func saramaConfig(j *job) (*sarama.Config, error) {
	c := sarama.NewConfig()
	c.ClientID = "bench"
	c.Version = sarama.MaxVersion
	config, err := j.tls()
	c.Net.TLS.Enable, c.Net.TLS.Config = config != nil, config
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.MaxMessageBytes = j.BatchBytes
	c.Producer.Flush.Frequency = j.Linger
	if j.Linger > 0 {
		c.Producer.Flush.Bytes = j.BatchBytes
	}
	c.Producer.Return.Successes = true
	c.Producer.Compression = map[string]sarama.CompressionCodec{
		"gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}[j.Codec]
	c.Producer.Partitioner = func(string) sarama.Partitioner { return &saramaPartitioner{} }
	if j.oneByOne() {
		c.Producer.Partitioner = sarama.NewManualPartitioner
	}
	c.ChannelBufferSize = 1024 // its default of 256 makes goroutines wait for each other
	c.Consumer.Fetch.Default = fetchPartitionBytes
	c.Consumer.Return.Errors = true
	if j.Idempotent {
		c.Producer.Idempotent = true
		c.Net.MaxOpenRequests = 1 // it insists
	}
	return c, err
}

// saramaPartitioner stays with a partition for a while: those that come with
// sarama spread records without a key one by one, which makes small batches.
type saramaPartitioner struct{ sent, partition int32 }

// Partition is the next record's.
func (p *saramaPartitioner) Partition(_ *sarama.ProducerMessage, partitions int32) (int32, error) {
	if p.sent++; p.sent%stay == 0 {
		p.partition++
	}
	p.partition %= partitions
	return p.partition, nil
}

// RequiresConsistency tells that a partition may be chosen anew.
func (p *saramaPartitioner) RequiresConsistency() bool { return false }

type saramaProduce struct {
	client  sarama.Client
	async   sarama.AsyncProducer
	sync    sarama.SyncProducer
	topic   string
	values  *values
	metrics metrics.Registry
}

func saramaProducer(_ context.Context, j *job) (producer, error) {
	config, err := saramaConfig(j)
	if err != nil {
		return nil, err
	}
	p := &saramaProduce{topic: j.Topic, values: newValues(j.Size), metrics: config.MetricRegistry}
	if p.client, err = sarama.NewClient(strings.Split(j.Broker, ","), config); err != nil {
		return nil, err
	}
	if j.oneByOne() {
		p.sync, err = sarama.NewSyncProducerFromClient(p.client)
	} else {
		p.async, err = sarama.NewAsyncProducerFromClient(p.client)
	}
	return p, err
}

func (p *saramaProduce) send(ctx context.Context, n int) error {
	go func() {
		for range n {
			p.async.Input() <- &sarama.ProducerMessage{Topic: p.topic, Value: sarama.ByteEncoder(p.values.next())}
		}
	}()
	for acked := 0; acked < n; {
		select {
		case <-p.async.Successes():
			acked++
		case err := <-p.async.Errors():
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (p *saramaProduce) one(_ context.Context, value []byte) error {
	_, _, err := p.sync.SendMessage(&sarama.ProducerMessage{Topic: p.topic, Value: sarama.ByteEncoder(value)})
	return err
}

func (p *saramaProduce) ask(context.Context) error {
	_, err := p.client.GetOffset(p.topic, 0, sarama.OffsetNewest)
	return err
}

// requests reads its own metrics.
func (p *saramaProduce) requests() int64 {
	if h, ok := p.metrics.Get("records-per-request").(metrics.Histogram); ok {
		return h.Count()
	}
	return 0
}

func (p *saramaProduce) close() {
	if p.sync != nil {
		_ = p.sync.Close()
		return
	}
	p.async.AsyncClose()
}

type saramaConsume struct {
	consumer   sarama.Consumer
	topic      string
	partitions int32
	metrics    metrics.Registry
}

func saramaConsumer(_ context.Context, j *job) (consumer, error) {
	config, err := saramaConfig(j)
	if err != nil {
		return nil, err
	}
	c, err := sarama.NewConsumer(strings.Split(j.Broker, ","), config)
	return &saramaConsume{consumer: c, topic: j.Topic, partitions: j.Partitions, metrics: config.MetricRegistry}, err
}

func (c *saramaConsume) run(ctx context.Context, t *tally) error {
	var readers sync.WaitGroup
	failed := make(chan error, c.partitions)
	stop := make(chan struct{})
	for i := range c.partitions {
		p, err := c.consumer.ConsumePartition(c.topic, i, sarama.OffsetOldest)
		if err != nil {
			return fmt.Errorf("partition %d: %w", i, err)
		}
		readers.Go(func() { saramaRead(p, t, stop, failed) })
	}
	defer readers.Wait()
	defer close(stop)
	select {
	case <-t.full:
		return nil
	case err := <-failed:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func saramaRead(p sarama.PartitionConsumer, t *tally, stop <-chan struct{}, failed chan<- error) {
	defer p.AsyncClose()
	var n int64
	var sum uint64
	for {
		select {
		case m := <-p.Messages():
			n++
			sum += look(m.Key, m.Value)
			if n == tellEvery || m.Offset+1 >= p.HighWaterMarkOffset() {
				t.add(n, sum)
				n, sum = 0, 0
			}
		case err := <-p.Errors():
			failed <- err
			return
		case <-stop:
			return
		}
	}
}

func (c *saramaConsume) requests() int64 {
	if m, ok := c.metrics.Get("consumer-fetch-rate").(metrics.Meter); ok {
		return m.Count()
	}
	return 0
}

func (c *saramaConsume) close() { _ = c.consumer.Close() }
