package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// kafka-go has no idempotence.
func kafkaGoClient() client {
	return client{name: "kafka-go", module: "github.com/segmentio/kafka-go", producer: kafkaGoProducer, consumer: kafkaGoConsumer}
}

// kafkaGoBatch is how many records it puts into a batch at most: enough for the
// batch's bytes to decide.
const kafkaGoBatch = 10_000

type kafkaGoProduce struct {
	writer *kafka.Writer
	values *values
	acked  atomic.Int64
	failed atomic.Pointer[error]
	more   chan struct{}
	set    []kafka.Message
	writes int64
}

func kafkaGoProducer(_ context.Context, j *job) (producer, error) {
	config, err := j.tls()
	p := &kafkaGoProduce{values: newValues(j.Size), more: make(chan struct{}, 1), set: make([]kafka.Message, 1000)}
	p.writer = &kafka.Writer{
		Addr: kafka.TCP(strings.Split(j.Broker, ",")...), Topic: j.Topic, RequiredAcks: kafka.RequireAll,
		BatchSize: kafkaGoBatch, BatchBytes: int64(j.BatchBytes), BatchTimeout: j.Linger,
		Balancer: &kafka.RoundRobin{ChunkSize: stay}, Transport: &kafka.Transport{TLS: config, ClientID: "bench"},
		Compression: map[string]kafka.Compression{"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}[j.Codec],
	}
	if j.oneByOne() {
		p.writer.BatchSize = 1
		p.writer.Balancer = kafka.BalancerFunc(func(kafka.Message, ...int) int { return 0 })
		return p, err
	}
	p.writer.Async = true
	p.writer.Completion = p.completed
	return p, err
}

func (p *kafkaGoProduce) completed(set []kafka.Message, err error) {
	if err != nil {
		p.failed.CompareAndSwap(nil, &err)
	} else {
		p.acked.Add(int64(len(set)))
	}
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// send hands over a thousand records with every call, which its documentation
// advises; it has no bound of its own for what is not acked yet.
func (p *kafkaGoProduce) send(ctx context.Context, n int) error {
	before := p.acked.Load()
	limit := int64(bufferBytes / (len(p.values.all[0]) + 100))
	for sent := 0; sent < n; {
		set := p.set[:min(len(p.set), n-sent)]
		for i := range set {
			set[i] = kafka.Message{Value: p.values.next()}
		}
		if err := p.writer.WriteMessages(ctx, set...); err != nil {
			return err
		}
		sent += len(set)
		if err := p.await(ctx, before+int64(sent)-limit); err != nil {
			return err
		}
	}
	if err := p.await(ctx, before+int64(n)); err != nil {
		return err
	}
	return allAcked(p.acked.Load()-before, n)
}

// await returns when so many records are acked.
func (p *kafkaGoProduce) await(ctx context.Context, acked int64) error {
	for p.acked.Load() < acked {
		if err := p.failed.Load(); err != nil {
			return *err
		}
		select {
		case <-p.more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (p *kafkaGoProduce) one(ctx context.Context, value []byte) error {
	return p.writer.WriteMessages(ctx, kafka.Message{Value: value})
}

func (p *kafkaGoProduce) ask(ctx context.Context) error {
	client := &kafka.Client{Addr: p.writer.Addr, Transport: p.writer.Transport}
	_, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{p.writer.Topic: {kafka.LastOffsetOf(0)}}})
	return err
}

// requests adds up its statistics, which begin anew with every look.
func (p *kafkaGoProduce) requests() int64 {
	p.writes += p.writer.Stats().Writes
	return p.writes
}

func (p *kafkaGoProduce) close() { _ = p.writer.Close() }

type kafkaGoConsume struct {
	job     *job
	readers []*kafka.Reader
	fetches int64
}

// One reader for every partition: that is its consumer without a group.
func kafkaGoConsumer(_ context.Context, j *job) (consumer, error) {
	config, err := j.tls()
	if err != nil {
		return nil, err
	}
	c := &kafkaGoConsume{job: j}
	for i := range j.Partitions {
		c.readers = append(c.readers, kafka.NewReader(kafka.ReaderConfig{
			Brokers: strings.Split(j.Broker, ","), Topic: j.Topic, Partition: int(i),
			MinBytes: 1, MaxBytes: fetchPartitionBytes, MaxWait: 500 * time.Millisecond, QueueCapacity: 1000, ReadLagInterval: -1,
			Dialer: &kafka.Dialer{ClientID: "bench", TLS: config, Timeout: 10 * time.Second, DualStack: true},
		}))
	}
	return c, nil
}

func (c *kafkaGoConsume) run(ctx context.Context, t *tally) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	failed := make(chan error, len(c.readers))
	for _, r := range c.readers {
		running.Go(func() {
			if err := kafkaGoRead(ctx, r, t); err != nil {
				failed <- err
			}
		})
	}
	defer running.Wait()
	defer cancel()
	select {
	case <-t.full:
		return nil
	case err := <-failed:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func kafkaGoRead(ctx context.Context, r *kafka.Reader, t *tally) error {
	var n int64
	var sum uint64
	for {
		m, err := r.ReadMessage(ctx)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		n++
		sum += look(m.Key, m.Value)
		if n == tellEvery || m.Offset+1 >= m.HighWaterMark {
			t.add(n, sum)
			n, sum = 0, 0
		}
	}
}

func (c *kafkaGoConsume) requests() int64 {
	for _, r := range c.readers {
		c.fetches += r.Stats().Fetches
	}
	return c.fetches
}

func (c *kafkaGoConsume) close() {
	for _, r := range c.readers {
		_ = r.Close()
	}
}
