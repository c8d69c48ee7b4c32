package main

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/moldau-go/moldau"
)

// consume reads the topic from its beginning, looking at every key and value,
// until it has seen the records to measure.
func (p *perf) consume(ctx context.Context, client *moldau.Client, m *measurement) error {
	if _, err := client.PartitionCount(ctx, p.topic); err != nil {
		return err // a subscription would wait for the topic
	}
	count := &counting{m: m, warmUp: int64(p.warmUp), total: int64(p.warmUp + p.records), done: make(chan struct{})}
	_, err := client.SubscribeTopic(moldau.TopicSubscriber{
		Topic: p.topic, Begin: moldau.Earliest,
		NewWorker: func(moldau.Assignment) (moldau.Worker, error) { return count, nil },
	})
	if err != nil {
		return err
	}
	select {
	case <-count.done:
		m.Records = int(count.measured)
		m.end(count.bytes)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// counting is the worker of all partitions.
type counting struct {
	m             *measurement
	warmUp, total int64
	sum           atomic.Uint64
	done          chan struct{}

	mu                    sync.Mutex
	seen, measured, bytes int64
	begun, ended          bool
}

// chunk is after how many records a worker reports: often enough that what is
// under way when the measurement begins or ends does not count.
const chunk = 256

// HandleMessageSet looks at every record.
func (c *counting) HandleMessageSet(_ context.Context, set *moldau.MessageSet) error {
	var n, bytes int64
	var sum uint64
	for r := range set.Records() {
		bytes += int64(len(r.Key) + len(r.Value))
		if len(r.Value) > 0 {
			sum += uint64(r.Value[0]) + uint64(r.Value[len(r.Value)-1])
		}
		if n++; n == chunk {
			c.add(n, bytes)
			n, bytes = 0, 0
		}
	}
	c.sum.Add(sum)
	c.add(n, bytes)
	return nil
}

// add counts records. The measurement begins with the first after the warm-up.
func (c *counting) add(n, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.seen += n
	switch {
	case c.begun:
		c.measured += n
		c.bytes += bytes
	case c.seen >= c.warmUp:
		c.begun = true
		c.m.begin()
	}
	if c.seen >= c.total {
		c.ended = true
		close(c.done)
	}
}
