package suite

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// BenchmarkSink produces by 8 goroutines to 64 partitions of a broker that costs
// nothing: run it with -cpu 1,2 to see how it scales. mutex-% is the time that
// goroutines wait for locks, in per cent of the processors' time.
func BenchmarkSink(b *testing.B) {
	const goroutines, partitions = 8, 64
	sink := kafkatest.NewSink("orders", partitions)
	ctx := context.Background()
	client, err := moldau.Start(ctx, moldau.Config{Brokers: sink.Addr(), Dial: sink.Dial})
	require.NoError(b, err)
	defer client.Close()
	orders := client.Topic("orders")
	require.NoError(b, orders.Ready(ctx))
	value := make([]byte, 100)
	produce := func(n int) {
		var done sync.WaitGroup
		for g := range goroutines {
			done.Go(func() {
				for i := range n / goroutines {
					p := int32((g + i/100*goroutines) % partitions)
					orders.By(moldau.On(p)).Produce(ctx, moldau.Record{Value: value})
				}
			})
		}
		done.Wait()
		require.NoError(b, orders.Flush(ctx))
	}
	produce(100_000)
	b.ReportAllocs()
	b.ResetTimer()
	waited := lockWait()
	produce(b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(100*(lockWait()-waited)/(b.Elapsed().Seconds()*float64(runtime.GOMAXPROCS(0))), "mutex-%")
}

// lockWait is how long goroutines have waited for locks, in seconds.
func lockWait() float64 {
	sample := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64()
}
