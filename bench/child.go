package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"time"
)

// runChild does one job in this process and prints what it measured.
func runChild(ctx context.Context, text string, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return fmt.Errorf("the job: %w", err)
	}
	m, err := j.run(ctx)
	if err != nil {
		return fmt.Errorf("%s %s: %w", j.Client, j.Kind, err)
	}
	return json.NewEncoder(out).Encode(m)
}

func (j *job) run(ctx context.Context) (*measurement, error) {
	c, err := clientNamed(j.Client)
	if err != nil {
		return nil, err
	}
	m := &measurement{Records: j.Records}
	if j.CPUProfile != "" {
		file, err := os.Create(j.CPUProfile)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		m.onBegin = func() error { return pprof.StartCPUProfile(file) }
		m.onEnd = pprof.StopCPUProfile
	}
	if j.Kind == consume {
		return m, j.consume(ctx, c, m)
	}
	p, err := c.producer(ctx, j)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if j.Kind == calls {
		return m, j.panics(ctx, p, m)
	}
	if j.Kind == beside {
		return m, j.beside(ctx, p, m)
	}
	if j.Moves > 0 {
		return m, j.failover(ctx, p, m)
	}
	if j.Kind == latency {
		return m, j.latency(ctx, p, m)
	}
	return m, j.produce(ctx, p, m)
}

func (j *job) produce(ctx context.Context, p producer, m *measurement) error {
	if err := p.send(ctx, j.WarmUp); err != nil {
		return err
	}
	before := p.requests()
	if err := m.begin(); err != nil {
		return err
	}
	if err := p.send(ctx, j.Records); err != nil {
		return err
	}
	m.end(int64(j.Records) * int64(j.Size))
	m.Requests = p.requests() - before
	return nil
}

func (j *job) latency(ctx context.Context, p producer, m *measurement) error {
	values := newValues(j.Size)
	for range j.WarmUp {
		if err := p.one(ctx, values.next()); err != nil {
			return err
		}
	}
	took := make([]time.Duration, j.Records)
	if err := m.begin(); err != nil {
		return err
	}
	for i := range took {
		value := values.next()
		begun := time.Now()
		if err := p.one(ctx, value); err != nil {
			return err
		}
		took[i] = time.Since(begun)
	}
	m.end(int64(j.Records) * int64(j.Size))
	slices.Sort(took)
	m.P50, m.P99 = quantile(took, 0.5), quantile(took, 0.99)
	return nil
}

func (j *job) consume(ctx context.Context, c client, m *measurement) error {
	t := newTally(j, m)
	m.Records = j.total()
	if err := m.begin(); err != nil {
		return err
	}
	consumer, err := c.consumer(ctx, j)
	if err != nil {
		return err
	}
	defer consumer.close()
	if err := consumer.run(ctx, t); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return err
	}
	m.Requests = consumer.requests()
	return nil
}
