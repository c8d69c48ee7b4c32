package suite

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// Ten thousand partitions, produced to and subscribed to, cost memory and one
// parked fetch, but no goroutines. The figures are logged.
func TestScaleTenThousandPartitions(t *testing.T) {
	const partitions = 10_000
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"wide": partitions}})
	var fetches atomic.Int64
	fake.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		fetches.Add(1)
		return nil, nil, false
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	before := settled()
	begun := time.Now()
	client, err := moldau.Start(ctx, moldau.Config{Brokers: fake.Addrs()[0], Consume: moldau.ConsumeConfig{MaxWait: 10 * time.Second}})
	require.NoError(t, err)
	defer client.Close()

	var started, handled atomic.Int64
	_, err = client.SubscribeTopic(moldau.TopicSubscriber{Topic: "wide", Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
		started.Add(1)
		return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
			handled.Add(int64(set.Count()))
			return nil
		}), nil
	}})
	require.NoError(t, err)
	topic := client.Topic("wide")
	for p := range int32(partitions) {
		topic.By(moldau.On(p)).Produce(ctx, moldau.Record{Value: []byte("x")})
	}
	require.NoError(t, topic.Flush(ctx))
	for handled.Load() < partitions {
		require.NoError(t, ctx.Err(), "%d of %d handled", handled.Load(), partitions)
		runtime.Gosched()
	}
	took := time.Since(begun)
	require.EqualValues(t, partitions, started.Load())
	// The goroutines that ran the actors end when they have been idle for a while.
	require.Eventually(t, func() bool { return runtime.NumGoroutine()-before.goroutines < 100 }, patience, 20*time.Millisecond, "a goroutine for each idle partition")
	after := settled()
	t.Logf("ready in %v with %d fetches; %d goroutines more; %d bytes of heap a partition, the broker's included",
		took, fetches.Load(), after.goroutines-before.goroutines, (after.heap-before.heap)/partitions)
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
