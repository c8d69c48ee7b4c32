package suite

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/wire"
)

// Whenever the network goes away, every record that was accepted has exactly one
// outcome, no later than its delivery timeout, or than the deadline of the request
// that it is on by then.
func TestEveryRecordEndsInItsTime(t *testing.T) {
	const (
		delivery = 5 * time.Second
		ack      = time.Second
		request  = 2 * time.Second
	)
	for _, retry := range []moldau.Retry{moldau.RetryIdempotent, moldau.RetryAtLeastOnce, moldau.RetrySafe} {
		t.Run(fmt.Sprint(retry), func(t *testing.T) {
			bubble(t, map[string]int32{"orders": 3}, func(b *bubbled) {
				client := b.start(moldau.Config{
					ConnectTimeout: time.Second, RequestTimeout: request, MetadataTimeout: 2 * time.Second,
					Produce: moldau.ProduceConfig{Retry: retry, DeliveryTimeout: delivery, AckTimeout: ack},
				})
				orders := client.Topic("orders")
				_, err := orders.ProduceSync(b.t.Context(), text("x"))
				require.NoError(b.t, err)
				var mu sync.Mutex
				outcomes, late, failed, accepted := map[int]int{}, time.Duration(0), 0, 0
				for i := range 400 {
					if i%100 == 20 {
						b.network.Partition("client", "")
					}
					if i%100 == 90 {
						b.network.Heal("client", "")
					}
					begun := time.Now()
					err := orders.ProduceFunc(b.t.Context(), text(fmt.Sprint(i)), func(_ int64, err error) {
						mu.Lock()
						defer mu.Unlock()
						outcomes[i]++
						late = max(late, time.Since(begun))
						if err != nil {
							failed++
							assert.True(b.t, isAny(err, wire.ErrTimeout, wire.ErrUnsure), "%v", err)
						}
					})
					require.NoError(b.t, err)
					accepted++
					time.Sleep(150 * time.Millisecond)
				}
				require.NoError(b.t, orders.Flush(b.t.Context()))
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				require.Len(b.t, outcomes, accepted)
				for i, n := range outcomes {
					require.Equal(b.t, 1, n, i)
				}
				require.NotZero(b.t, failed)
				b.t.Logf("%d of %d failed, the last after %v", failed, accepted, late)
				require.LessOrEqual(b.t, late, delivery+ack+request)
			})
		})
	}
}

func isAny(err error, classes ...error) bool {
	return slices.ContainsFunc(classes, func(class error) bool { return errors.Is(err, class) })
}

// A topic that was deleted fails its records when every look for MetadataTimeout
// has said so, long before their delivery timeout; one that is made anew is
// produced to.
func TestADeletedTopicFailsInBoundedTime(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		orders := client.Topic("orders")
		_, err := orders.ProduceSync(b.t.Context(), text("x"))
		require.NoError(b.t, err)
		require.NoError(b.t, client.DeleteTopic(b.t.Context(), "orders"))
		begun := time.Now()
		for i := range 3 {
			_, err = orders.ProduceSync(b.t.Context(), text("y"))
			require.ErrorIs(b.t, err, wire.ErrUnknownTopic, i)
			require.NotErrorIs(b.t, err, wire.ErrUnsure)
			require.LessOrEqual(b.t, time.Since(begun), 12*time.Second)
		}
		require.GreaterOrEqual(b.t, time.Since(begun), 10*time.Second)
		require.NoError(b.t, client.CreateTopic(b.t.Context(), "orders", 1, 1))
		_, err = orders.ProduceSync(b.t.Context(), text("z"))
		require.NoError(b.t, err)
	})
}
