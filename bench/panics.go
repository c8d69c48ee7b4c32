package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

const (
	panicTopic = "panic"
	panicAfter = 5  // callbacks before the one that panics
	panicCalls = 20 // records in all: half together with the one whose callback panics, half later
	// panicPatience is how long callbacks may take: one that is lost never comes.
	panicPatience = 5 * time.Second
)

// callProducer produces a record and returns before its callback is called.
type callProducer func(ctx context.Context, value []byte, made func(error)) error

// takesCalls tells whether a client has callbacks: sarama and confluent have channels.
func (c client) takesCalls() bool {
	return c.name == moldauClient().name || c.name == franzClient().name || c.name == kafkaGoClient().name
}

// calling is a producer as one that takes callbacks.
func (j *job) calling(p producer) (callProducer, error) {
	switch p := p.(type) {
	case *moldauProduce:
		return func(ctx context.Context, value []byte, made func(error)) error {
			return p.topic.ProduceFunc(ctx, moldau.Record{Value: value}, func(_ int64, err error) { made(err) })
		}, nil
	case *franzProduce:
		return func(ctx context.Context, value []byte, made func(error)) error {
			p.client.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) { made(err) })
			return nil
		}, nil
	case *kafkaGoProduce:
		var once sync.Once // the writer reads it from then on
		return func(ctx context.Context, value []byte, made func(error)) error {
			once.Do(func() {
				p.writer.Completion = func(set []kafka.Message, err error) {
					for range set {
						made(err)
					}
				}
			})
			return p.writer.WriteMessages(ctx, kafka.Message{Value: value})
		}, nil
	}
	return nil, fmt.Errorf("%s has no callbacks", j.Client)
}

// panics lets one callback panic. If the process lives on, it counts the records
// whose callbacks came after that without an error.
func (j *job) panics(ctx context.Context, p producer, m *measurement) error {
	call, err := j.calling(p)
	if err != nil {
		return err
	}
	var called, acked atomic.Int64
	more := make(chan struct{}, panicCalls)
	made := func(err error) {
		n := called.Add(1)
		more <- struct{}{}
		if n == panicAfter+1 {
			panic("a callback that panics on purpose")
		}
		if n > panicAfter && err == nil {
			acked.Add(1)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, panicPatience)
	defer cancel()
	values := newValues(j.Size)
	for i := range panicCalls {
		if i == panicCalls/2 {
			awaitCalls(ctx, more, panicCalls/2)
		}
		if err := call(ctx, values.next(), made); err != nil {
			break // what came is what counts
		}
	}
	awaitCalls(ctx, more, panicCalls/2)
	m.AckedAfter = int(acked.Load())
	return nil
}

func awaitCalls(ctx context.Context, more <-chan struct{}, n int) {
	for range n {
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
	}
}

// runPanic is a client's run on a cluster in this process.
func (b *bench) runPanic(ctx context.Context, r row, c client) (*measurement, error) {
	cluster, err := kafkatest.OpenFake(kafkatest.FakeOptions{Topics: map[string]int32{panicTopic: 1}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = cluster.Close() }()
	j := b.options.jobOf(r, c)
	j.Broker, j.Topic = cluster.Addrs()[0], panicTopic
	m, err := b.child(ctx, &j)
	if died(err) {
		return &measurement{Died: true}, nil
	}
	return m, err
}

// died tells that Go's runtime ended a process: it exits with 2, and this
// program's own errors with 1.
func died(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == 2
}

// panicTable is the table of the panic row. A client that died once did not survive.
func panicTable(rounds int, outcomes []outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### a callback panics\n\n%d records, the callback of record %d panics; in-process cluster, worst of %d rounds. sarama and confluent have no callbacks.\n\n", panicCalls, panicAfter+1, rounds)
	fmt.Fprintf(&b, "| client | process survived | acked after it, of %d |\n|---|---|---:|\n", panicCalls-panicAfter-1)
	for i := range outcomes {
		b.WriteString(panicLine(&outcomes[i]))
	}
	return b.String()
}

func panicLine(o *outcome) string {
	survived, acked := "yes", panicCalls
	for _, m := range o.runs {
		switch {
		case m == nil:
			return fmt.Sprintf("| %s | failed: %s | – |\n", o.client.name, o.why)
		case m.Died:
			survived, acked = "no", 0
		default:
			acked = min(acked, m.AckedAfter)
		}
	}
	return fmt.Sprintf("| %s | %s | %d |\n", o.client.name, survived, acked)
}
