package suite

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/telemetry"
)

// What a partition may cost that is produced to, subscribed and idle.
const (
	partitionBytes   = 16 << 10
	partitionReady   = slowdown * 3 * time.Millisecond // of start-up, on a machine that is busy with other things
	restingGoroutine = 100                             // of the whole client
)

// Ten thousand partitions, produced to and subscribed to, cost memory and one
// parked fetch for each broker, but no goroutines. The broker is a process of its
// own: what is measured is the client's alone.
func TestScaleTenThousandPartitions(t *testing.T) {
	const partitions, nodes, maxWait = 10_000, 2, 2 * time.Second
	broker := startBrokerChild(t, nodes, map[string]int32{"wide": partitions})
	measureWide(t, moldau.Config{Telemetry: telemetry.Discard, Brokers: broker.Addr, Consume: moldau.ConsumeConfig{MaxWait: maxWait}}, "wide", partitions)

	fetches := func(during time.Duration) []int64 {
		counts := broker.fetches()
		time.Sleep(during)
		for i, n := range broker.fetches() {
			counts[i] = n - counts[i]
		}
		return counts
	}
	require.Eventually(t, func() bool {
		for _, n := range fetches(maxWait) {
			if n > 1 {
				return false
			}
		}
		return true
	}, patience, time.Millisecond, "they come to rest")
	for node, n := range fetches(3 * maxWait) {
		assert.InDelta(t, 3, n, 1, "node %d: one fetch is parked, and no other", node)
	}
}

// measureWide starts a client that produces one record to every partition of a
// topic and handles it. It logs and bounds what an idle partition then costs.
func measureWide(t *testing.T, config moldau.Config, topic string, partitions int) {
	t.Helper()
	ctx := bounded(t, slowdown*time.Minute)
	before := settled()
	begun := time.Now()
	client, err := moldau.Start(ctx, config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	handleWide(ctx, t, client, topic, partitions)
	took := time.Since(begun)
	// The goroutines that ran the actors end when they have been idle for a while.
	require.Eventually(t, func() bool { return runtime.NumGoroutine()-before.goroutines < restingGoroutine }, patience, 20*time.Millisecond, "a goroutine for each idle partition")
	after := settled()
	each := (after.heap - before.heap) / int64(partitions)
	t.Logf("%d partitions ready in %v; %d goroutines more; %d bytes of heap each", partitions, took.Round(time.Millisecond), after.goroutines-before.goroutines, each)
	assert.Less(t, took, time.Duration(partitions)*partitionReady)
	assert.LessOrEqual(t, each, int64(partitionBytes))
}

func handleWide(ctx context.Context, t *testing.T, client *moldau.Client, name string, partitions int) {
	t.Helper()
	var started, handled atomic.Int64
	all := make(chan struct{})
	_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: name, Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
		started.Add(1)
		return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
			if handled.Add(int64(set.Count())) == int64(partitions) {
				close(all)
			}
			return nil
		}), nil
	}})
	require.NoError(t, err)
	topic := client.Topic(name)
	for p := range int32(partitions) {
		require.NoError(t, topic.By(moldau.On(p)).Produce(ctx, moldau.Record{Value: []byte("x")}).Err())
	}
	require.NoError(t, topic.Flush(ctx))
	select {
	case <-all:
	case <-ctx.Done():
		require.FailNow(t, "not all are handled", "%d of %d", handled.Load(), partitions)
	}
	require.EqualValues(t, partitions, started.Load())
}

type sizes struct {
	goroutines int
	heap       int64
}

func settled() sizes {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return sizes{runtime.NumGoroutine(), int64(m.HeapAlloc)}
}
