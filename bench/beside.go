package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/internal/kafkatest"
)

const (
	besideTopic = "beside"
	// besideThrottle is the pause that the broker asks for.
	besideThrottle = 3 * time.Second
	// flushBytes are compressed and sent while others ask.
	flushBytes = 16 << 20
)

// beside is how long a request of another kind takes at most while producing is
// held up: by a throttle, or by a flush of flushBytes.
func (j *job) beside(ctx context.Context, p producer, m *measurement) error {
	values, other := newValues(j.Size), p.(asker)
	for range 10 { // everything is connected
		if err := other.ask(ctx); err != nil {
			return err
		}
	}
	if j.Throttled {
		if err := p.one(ctx, values.next()); err != nil {
			return err
		}
		took, err := asked(ctx, other)
		m.ExtraMS = took
		return err
	}
	if err := p.send(ctx, j.WarmUp); err != nil {
		return err
	}
	flushed := make(chan error, 1)
	go func() { flushed <- p.send(ctx, j.Records) }()
	for {
		took, err := asked(ctx, other)
		if err != nil {
			return err
		}
		m.ExtraMS = max(m.ExtraMS, took)
		select {
		case err := <-flushed:
			return err
		default:
		}
	}
}

// asked is how many milliseconds an answer took.
func asked(ctx context.Context, p asker) (float64, error) {
	begun := time.Now()
	err := p.ask(ctx)
	return float64(time.Since(begun)) / float64(time.Millisecond), err
}

// runBeside is a client's run on a cluster in this process. With a throttle its
// first Produce request is acked with the wish to wait (KIP-219).
func (b *bench) runBeside(ctx context.Context, r row, c client) (*measurement, error) {
	cluster, err := kafkatest.OpenFake(kafkatest.FakeOptions{Topics: map[string]int32{besideTopic: r.partitions}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = cluster.Close() }()
	var throttled atomic.Bool
	if r.throttled {
		cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			throttled.Store(true)
			resp := notLeader(req.(*kmsg.ProduceRequest))
			for i := range resp.Topics {
				for k := range resp.Topics[i].Partitions {
					p := &resp.Topics[i].Partitions[k]
					p.ErrorCode, p.BaseOffset = 0, 0
				}
			}
			resp.ThrottleMillis = int32(besideThrottle.Milliseconds())
			return resp, nil, true
		})
	}
	j := b.options.jobOf(r, c)
	j.Broker, j.Topic = cluster.Addrs()[0], besideTopic
	m, err := b.child(ctx, &j)
	if err == nil && r.throttled && !throttled.Load() {
		return nil, fmt.Errorf("nothing was throttled")
	}
	return m, err
}

// besideTable is the table of such a row.
func besideTable(r row, rounds int, outcomes []outcome) string {
	var b strings.Builder
	while := fmt.Sprintf("%d MiB are compressed with %s and sent", flushBytes>>20, r.codec)
	if r.throttled {
		while = fmt.Sprintf("the broker throttles produce for %v", besideThrottle)
	}
	fmt.Fprintf(&b, "\n### an offset is asked for while %s\n\nin-process cluster, longest answer; medians of %d rounds\n\n", while, rounds)
	b.WriteString("| client | ms |\n|---|---:|\n")
	var notes []string
	for i := range outcomes {
		o := &outcomes[i]
		fmt.Fprintf(&b, "| %s | %s |\n", o.client.name, number(o.middle(extra), "%.1f"))
		if o.why != "" {
			notes = append(notes, fmt.Sprintf("\n* %s: %s", o.client.name, o.why))
		}
	}
	if notes != nil {
		b.WriteString(strings.Join(notes, "") + "\n")
	}
	return b.String()
}
