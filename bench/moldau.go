package main

import (
	"context"

	"github.com/moldau-go/moldau"
)

// Ours, by its public API, record by record.
func moldauClient() client {
	return client{name: "moldau", idempotent: true, producer: moldauProducer, consumer: moldauConsumer}
}

// The same with message sets whose memory is used again once they are acked.
func moldauRecyclingClient() client { return client{name: "moldau-recycle", consumer: moldauConsumer} }

func moldauStart(ctx context.Context, j *job) (*moldau.Client, error) {
	config := moldau.Config{Name: "bench", Brokers: j.Broker}
	config.Produce.BatchBytes = j.BatchBytes
	config.Produce.Linger = j.Linger
	if j.Linger == 0 {
		config.Produce.Linger = moldau.NoLinger
	}
	config.Produce.Idempotence = moldau.IdempotenceOff
	if j.Idempotent {
		config.Produce.Idempotence = moldau.IdempotenceOn
	}
	for _, c := range []moldau.Codec{moldau.NoCodec, moldau.Gzip, moldau.Snappy, moldau.LZ4, moldau.Zstd} {
		if c.String() == j.Codec {
			config.Produce.Codec = c
		}
	}
	config.Consume.Isolation = moldau.ReadUncommitted
	config.Consume.Recycle = j.Client == moldauRecyclingClient().name
	var err error
	if config.TLS, err = j.tls(); err != nil {
		return nil, err
	}
	return moldau.Start(ctx, config)
}

// moldauWindow is how many records are open before the oldest is checked.
const moldauWindow = 1 << 16

type moldauProduce struct {
	client    *moldau.Client
	topic     moldau.Topic
	topicName string
	values    *values
	ring      []moldau.Pending
	list      int // records of a call
}

func moldauProducer(ctx context.Context, j *job) (producer, error) {
	c, err := moldauStart(ctx, j)
	if err != nil {
		return nil, err
	}
	return &moldauProduce{client: c, topic: c.Topic(j.Topic), topicName: j.Topic, values: newValues(j.Size), ring: make([]moldau.Pending, moldauWindow), list: j.List}, nil
}

func (p *moldauProduce) send(ctx context.Context, n int) error {
	if p.list > 1 {
		return p.sendLists(ctx, n)
	}
	for i := range n {
		if i >= moldauWindow {
			if _, err := p.ring[i%moldauWindow].Wait(ctx); err != nil {
				return err
			}
		}
		p.ring[i%moldauWindow] = p.topic.Produce(ctx, moldau.Record{Value: p.values.next()})
	}
	if err := p.topic.Flush(ctx); err != nil {
		return err
	}
	for i := range min(n, moldauWindow) {
		if _, err := p.ring[i].Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sendLists produces lists, and waits for each when moldauWindow records are open.
func (p *moldauProduce) sendLists(ctx context.Context, n int) error {
	records := make([]moldau.Record, p.list)
	ring := make([]moldau.Pendings, moldauWindow/p.list)
	for i := 0; n > 0; i++ {
		records = records[:min(n, p.list)]
		n -= len(records)
		for j := range records {
			records[j].Value = p.values.next()
		}
		at := &ring[i%len(ring)]
		if err := at.Wait(ctx); err != nil {
			return err
		}
		*at = p.topic.ProduceAll(ctx, records)
	}
	if err := p.topic.Flush(ctx); err != nil {
		return err
	}
	for _, list := range ring {
		if err := list.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *moldauProduce) one(ctx context.Context, value []byte) error {
	_, err := p.topic.By(moldau.On(0)).ProduceSync(ctx, moldau.Record{Value: value})
	return err
}

func (p *moldauProduce) ask(ctx context.Context) error {
	_, err := p.client.Offset(ctx, p.topicName, 0, moldau.Latest)
	return err
}

func (p *moldauProduce) requests() int64 { return 0 }

func (p *moldauProduce) close() { _ = p.client.Close() }

type moldauConsume struct {
	client *moldau.Client
	topic  string
}

func moldauConsumer(ctx context.Context, j *job) (consumer, error) {
	c, err := moldauStart(ctx, j)
	return &moldauConsume{client: c, topic: j.Topic}, err
}

func (c *moldauConsume) run(ctx context.Context, t *tally) error {
	_, err := c.client.SubscribeTopic(moldau.TopicSubscriber{
		Topic: c.topic, Begin: moldau.Earliest,
		NewWorker: func(moldau.Assignment) (moldau.Worker, error) { return moldauWorker{t}, nil },
	})
	if err != nil {
		return err
	}
	select {
	case <-t.full:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *moldauConsume) requests() int64 { return 0 }

func (c *moldauConsume) close() { _ = c.client.Close() }

type moldauWorker struct{ tally *tally }

// HandleMessageSet shows each record of a set to the tally.
func (w moldauWorker) HandleMessageSet(_ context.Context, set *moldau.MessageSet) error {
	var n int64
	var sum uint64
	for r := range set.Records() {
		n++
		sum += look(r.Key, r.Value)
	}
	w.tally.add(n, sum)
	return nil
}
