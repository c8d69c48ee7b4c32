package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/internal/kafkatest"
)

// steadyCalls are the synchronous calls before the leader moves. They are short:
// what a client knows about the topic is fresh when it happens.
const steadyCalls = 20

// failoverTopic is the topic of the in-process cluster of a failover row.
const failoverTopic = "failover"

// mover moves a partition's leader when steadyCalls Produce requests are
// answered, and then again until it has done so often enough. Safe for
// concurrent use.
type mover struct {
	mu       sync.Mutex
	answered int
	left     int
}

// next tells whether the Produce request at hand finds its leader gone.
func (m *mover) next() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answered >= steadyCalls && m.left > 0 {
		m.left--
		return true
	}
	m.answered++
	return false
}

// undone is how many moves never came to pass.
func (m *mover) undone() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.left
}

// runFailover lets a client produce to a cluster in this process whose leader
// moves: the metadata know at once, the old leader's answer does not name the new.
func (b *bench) runFailover(ctx context.Context, r row, c client) (*measurement, error) {
	cluster, err := kafkatest.OpenFake(kafkatest.FakeOptions{Nodes: 2, Topics: map[string]int32{failoverTopic: 1}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = cluster.Close() }()
	m := &mover{left: r.moves}
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if !m.next() {
			return nil, nil, false
		}
		leader := cluster.LeaderFor(failoverTopic, 0)
		if err := cluster.MoveTopicPartition(failoverTopic, 0, 1-leader); err != nil {
			return nil, err, true
		}
		return notLeader(req.(*kmsg.ProduceRequest)), nil, true
	})
	j := b.options.jobOf(r, c)
	j.Broker, j.Topic = strings.Join(cluster.Addrs(), ","), failoverTopic
	result, err := b.child(ctx, &j)
	if left := m.undone(); err == nil && left > 0 {
		return nil, fmt.Errorf("%d of %d moves did not happen", left, r.moves)
	}
	return result, err
}

// notLeader is a leader's answer after it has lost everything it is asked for,
// without a hint at the new one.
func notLeader(req *kmsg.ProduceRequest) *kmsg.ProduceResponse {
	const notLeaderOrFollower = 6
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode, partition.BaseOffset = p.Partition, notLeaderOrFollower, -1
			topic.Partitions = append(topic.Partitions, partition)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// failover is what the call that met the moves took longer than a usual one.
func (j *job) failover(ctx context.Context, p producer, m *measurement) error {
	values := newValues(j.Size)
	took := make([]time.Duration, steadyCalls+1)
	for i := range took {
		begun := time.Now()
		if err := p.one(ctx, values.next()); err != nil {
			return err
		}
		took[i] = time.Since(begun)
	}
	m.ExtraMS = extraMS(took)
	return nil
}

// extraMS compares the last call with the median of those before it, the first
// left out: it connects.
func extraMS(took []time.Duration) float64 {
	var usual []float64
	last := len(took) - 1
	for _, d := range took[1:last] {
		usual = append(usual, float64(d))
	}
	return (float64(took[last]) - median(usual)) / float64(time.Millisecond)
}

func extra(m *measurement) float64 { return m.ExtraMS }

// failoverTable is the table of a failover row.
func failoverTable(r row, rounds int, outcomes []outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### failover, NOT_LEADER answers in a row: %d\n\nin-process cluster, fresh metadata, no leader hints; medians of %d rounds\n\n", r.moves, rounds)
	b.WriteString("| client | extra ms of the call |\n|---|---:|\n")
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
