//go:build kafka

package suite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// TestConsumeDirect waits at the end of a partition with a direct fetch, which
// the newest broker and an old one hold: it ends in time without a record, and at
// once with one.
func TestConsumeDirect(t *testing.T) {
	for _, version := range []string{"", "0.10.2.2"} {
		t.Run(version, func(t *testing.T) {
			ctx := patient(t)
			k := kafkatest.StartKafka(t, kafkatest.Options{Version: version})
			topic := newTopic(t, k, "orders", 1)
			client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
			begun := time.Now()
			set, next, err := client.Fetch(ctx, topic, 0, 0, moldau.FetchOptions{MaxWait: 2 * time.Second})
			require.NoError(t, err)
			require.Zero(t, set.Count()+int(next))
			require.WithinRange(t, time.Now(), begun.Add(2*time.Second), begun.Add(4*time.Second))

			produced := make(chan error, 1)
			time.AfterFunc(time.Second, func() {
				_, err := client.Topic(topic).ProduceSync(ctx, moldau.Record{Value: []byte("late")})
				produced <- err
			})
			begun = time.Now()
			set, next, err = client.Fetch(ctx, topic, 0, 0, moldau.FetchOptions{MaxWait: 30 * time.Second})
			require.NoError(t, err)
			require.NoError(t, <-produced)
			require.Equal(t, 1, set.Count())
			require.EqualValues(t, 1, next)
			require.Less(t, time.Since(begun), 10*time.Second)
		})
	}
}
