package suite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// With memory that is used again every record is what was produced as long as
// its set is not acked, whatever happens to workers meanwhile; and a clone stays.
func TestRecycledSetsHoldWhatWasProduced(t *testing.T) {
	const records, partitions = 20_000, 3
	for _, codec := range []moldau.Codec{moldau.NoCodec, moldau.LZ4} {
		t.Run(codec.String(), func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"orders": partitions}})
			client, _ := start(t, moldau.Config{
				Brokers: fake.Addrs()[0],
				Produce: moldau.ProduceConfig{Codec: codec, BatchBytes: 20_000},
				Consume: moldau.ConsumeConfig{Recycle: true, MaxPartitionBytes: 50_000, PrefetchBytes: 200_000},
			})
			var handed, wrong atomic.Int64
			var kept [partitions][]moldau.Record
			_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
				sets := 0
				return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
					sets++
					for r := range set.Records() {
						if string(r.Value) != recycled(string(r.Key)) {
							wrong.Add(1)
						}
						if r.Offset%1000 == 0 {
							kept[a.Partition] = append(kept[a.Partition], r.Clone())
						}
					}
					switch {
					case sets == 3 && a.Restarts < 3:
						return errors.New("planted") // it is handed out again, and is still whole
					case sets%2 == 0:
						last := set.Last()
						go func() {
							runtime.Gosched()
							handed.Add(int64(set.Count()))
							a.Ack(last)
						}()
						return moldau.AckLater
					}
					handed.Add(int64(set.Count()))
					return nil
				}), nil
			}})
			require.NoError(t, err)
			topic := client.Topic("orders")
			for i := range records {
				key := fmt.Sprint("order ", i)
				topic.Produce(ctx, moldau.Record{Key: []byte(key), Value: []byte(recycled(key))})
			}
			require.NoError(t, topic.Flush(ctx))
			for handed.Load() < records {
				require.NoError(t, ctx.Err(), "%d of %d handled", handed.Load(), records)
				runtime.Gosched()
			}
			require.Zero(t, wrong.Load())
			require.NoError(t, client.Close())
			for _, list := range kept {
				for _, r := range list {
					require.Equal(t, recycled(string(r.Key)), string(r.Value))
				}
			}
		})
	}
}

// recycled is the value that belongs to a key.
func recycled(key string) string { return fmt.Sprintf("%s|%s|%060s", key, key, key) }
