package suite

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// BenchmarkARequestBesideAFlush asks for an offset, over and over, while 16 MB are
// compressed with gzip at its highest level and sent. max-ms is the longest that an
// answer took, of all rounds. The broker shares the process, and its cores.
func BenchmarkARequestBesideAFlush(b *testing.B) {
	const partitions, each = 16, 1000
	fake := kafkatest.NewFake(b, kafkatest.FakeOptions{Topics: map[string]int32{"orders": partitions}})
	ctx := context.Background()
	client, err := moldau.Start(ctx, moldau.Config{Brokers: fake.Addrs()[0], Produce: moldau.ProduceConfig{Codec: moldau.Gzip, CodecLevel: 9, Linger: time.Minute}})
	require.NoError(b, err)
	defer client.Close()
	orders := client.Topic("orders")
	require.NoError(b, orders.Ready(ctx))
	random := rand.NewChaCha8([32]byte{})
	half := make([]byte, 500)
	var longest time.Duration
	for b.Loop() {
		for p := range int32(partitions) {
			for range each {
				random.Read(half)
				require.NoError(b, orders.By(moldau.On(p)).ProduceFunc(ctx, moldau.Record{Value: []byte(hex.EncodeToString(half))}, nil))
			}
		}
		flushed := make(chan error, 1)
		go func() { flushed <- orders.Flush(ctx) }()
		for over := false; !over; {
			select {
			case err := <-flushed:
				require.NoError(b, err)
				over = true
			default:
				begun := time.Now()
				_, err := client.Offset(ctx, "orders", 0, moldau.Latest)
				require.NoError(b, err)
				longest = max(longest, time.Since(begun))
			}
		}
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "max-ms")
}
