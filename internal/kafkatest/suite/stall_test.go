package suite

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
)

// One partition is busy and 999 are silent, and a fetch for these may be parked
// at the broker for ten seconds: a record of the busy one is handed out within
// 20 ms of its ack all the same. Time is virtual, so the figures are exact.
func TestABusyPartitionDoesNotQueueBehindSilentOnes(t *testing.T) {
	const partitions, records = 1000, 300
	bubble(t, map[string]int32{"wide": partitions}, func(b *bubbled) {
		client := b.start(moldau.Config{Consume: moldau.ConsumeConfig{MaxWait: 10 * time.Second}})
		handed := make(chan time.Time, records)
		_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "wide", Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
			return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
				for range set.Count() {
					handed <- time.Now()
				}
				return nil
			}), nil
		}})
		require.NoError(b.t, err)
		topic := client.Topic("wide").By(moldau.On(7))
		time.Sleep(25 * time.Second) // all are silent, and parked
		worst := time.Duration(0)
		for i := range records {
			_, err := topic.ProduceSync(b.t.Context(), moldau.Record{Value: []byte("busy")})
			require.NoError(b.t, err)
			acked := time.Now()
			if took := (<-handed).Sub(acked); took > worst {
				worst = took
			}
			time.Sleep(time.Duration(i%40) * time.Millisecond) // busy, now more and now less
		}
		require.LessOrEqual(b.t, worst, 20*time.Millisecond)
	})
}
