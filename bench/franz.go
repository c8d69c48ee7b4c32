package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const franzModule = "github.com/twmb/franz-go"

func franzClient() client {
	return client{name: "franz-go", module: franzModule, idempotent: true, producer: franzProducer, consumer: franzConsumer}
}

// franzPoolsClient gives every record back as soon as it is looked at, which
// few programs can; it is not another way to produce.
func franzPoolsClient() client {
	return client{name: "franz-go-pools", module: franzModule, consumer: franzPooledConsumer}
}

// franzRequests counts Produce and Fetch requests.
type franzRequests struct{ produce, fetch atomic.Int64 }

// OnBrokerWrite is kgo.HookBrokerWrite.
func (r *franzRequests) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	switch kmsg.Key(key) {
	case kmsg.Produce:
		r.produce.Add(1)
	case kmsg.Fetch:
		r.fetch.Add(1)
	}
}

func franzOptions(j *job, count *franzRequests) ([]kgo.Opt, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(j.Broker, ",")...), kgo.ClientID("bench"), kgo.WithHooks(count),
		kgo.DisableClientMetrics(),
	}
	config, err := j.tls()
	if config != nil {
		options = append(options, kgo.DialTLSConfig(config))
	}
	return options, err
}

func franzCodec(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

type franzProduce struct {
	client *kgo.Client
	topic  string
	count  *franzRequests
	values *values
	acked  atomic.Int64
	failed atomic.Pointer[error]
	// promise is made once: a closure for every record would cost.
	promise func(*kgo.Record, error)
}

func franzProducer(_ context.Context, j *job) (producer, error) {
	p := &franzProduce{topic: j.Topic, count: &franzRequests{}, values: newValues(j.Size)}
	p.promise = func(_ *kgo.Record, err error) {
		if err != nil {
			p.failed.CompareAndSwap(nil, &err)
			return
		}
		p.acked.Add(1)
	}
	options, err := franzOptions(j, p.count)
	if err != nil {
		return nil, err
	}
	// Its own limit of 10,000 buffered records stays: with 64 MiB, as the others have,
	// it needs more CPU time for each.
	options = append(options,
		kgo.DefaultProduceTopic(j.Topic), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(franzCodec(j.Codec)),
		kgo.ProducerLinger(j.Linger), kgo.ProducerBatchMaxBytes(int32(j.BatchBytes)),
	)
	if !j.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	if j.oneByOne() {
		options = append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	p.client, err = kgo.NewClient(options...)
	return p, err
}

func (p *franzProduce) send(ctx context.Context, n int) error {
	before := p.acked.Load()
	for range n {
		p.client.Produce(ctx, &kgo.Record{Value: p.values.next()}, p.promise)
	}
	if err := p.client.Flush(ctx); err != nil {
		return err
	}
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return allAcked(p.acked.Load()-before, n)
}

func (p *franzProduce) one(ctx context.Context, value []byte) error {
	return p.client.ProduceSync(ctx, &kgo.Record{Value: value}).FirstErr()
}

func (p *franzProduce) ask(ctx context.Context) error {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	topic, partition := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
	partition.Timestamp = -1
	topic.Topic, topic.Partitions = p.topic, append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	_, err := req.RequestWith(ctx, p.client)
	return err
}

func (p *franzProduce) requests() int64 { return p.count.produce.Load() }

func (p *franzProduce) close() { p.client.Close() }

// franzPool is what kgo.WithPools documents: records go back by Recycle.
type franzPool struct{ pool sync.Pool }

func (p *franzPool) GetRecords(n int) []kgo.Record {
	if got, ok := p.pool.Get().(*[]kgo.Record); ok && cap(*got) >= n {
		return *got
	}
	return make([]kgo.Record, 0, n)
}

func (p *franzPool) PutRecords(s []kgo.Record) { p.pool.Put(&s) }

type franzConsume struct {
	pooled bool
	client *kgo.Client
	count  *franzRequests
}

func franzConsumer(_ context.Context, j *job) (consumer, error) {
	return openFranz(j, &franzConsume{count: &franzRequests{}})
}

func franzPooledConsumer(_ context.Context, j *job) (consumer, error) {
	return openFranz(j, &franzConsume{count: &franzRequests{}, pooled: true})
}

func openFranz(j *job, c *franzConsume) (consumer, error) {
	options, err := franzOptions(j, c.count)
	if err != nil {
		return nil, err
	}
	if c.pooled {
		options = append(options, kgo.WithPools(&franzPool{}))
	}
	options = append(options, kgo.ConsumeTopics(j.Topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	c.client, err = kgo.NewClient(options...)
	return c, err
}

func (c *franzConsume) run(ctx context.Context, t *tally) error {
	for {
		fetches := c.client.PollFetches(ctx)
		var errs []error
		var n int64
		var sum uint64
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if p.Err != nil {
				errs = append(errs, p.Err)
			}
			for _, r := range p.Records {
				n++
				sum += look(r.Key, r.Value)
				if c.pooled {
					r.Recycle()
				}
			}
		})
		if errs != nil {
			return errors.Join(errs...)
		}
		if !t.add(n, sum) {
			return nil
		}
	}
}

func (c *franzConsume) requests() int64 { return c.count.fetch.Load() }

func (c *franzConsume) close() { c.client.Close() }
