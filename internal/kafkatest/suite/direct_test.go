package suite

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/telemetry"
)

// countFetches counts the Fetch requests that reach a broker.
func (b *bubbled) countFetches() *atomic.Int64 {
	var n atomic.Int64
	b.fake.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		n.Add(1)
		b.fake.KeepControl()
		return nil, nil, false
	})
	return &n
}

// A direct fetch at the end of a partition is one request, which the broker
// holds; over one connection, whatever their number one after another.
func TestADirectFetchIsParked(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		seen, asked := &events{}, b.countFetches()
		client := b.start(moldau.Config{Telemetry: seen})
		for i := range 5 {
			before := time.Now()
			set, next, err := client.Fetch(b.t.Context(), "orders", 0, 0, moldau.FetchOptions{MaxWait: 3 * time.Second})
			require.NoError(b.t, err)
			require.Zero(b.t, set.Count()+int(next))
			require.Equal(b.t, 3*time.Second, time.Since(before))
			require.EqualValues(b.t, i+1, asked.Load())
		}
		require.Equal(b.t, 1, seen.count(func(e telemetry.Event) bool {
			opened, ok := e.(telemetry.ConnectionOpened)
			return ok && opened.Lane == "direct 1"
		}))
		_, _, err := client.Fetch(b.t.Context(), "orders", 0, 0, moldau.FetchOptions{MaxWait: 50 * time.Second})
		require.NoError(b.t, err)
		require.EqualValues(b.t, 5+10, asked.Load(), "none is held for longer than 5 s, as its caller may be gone")
	})
}

// Parked direct fetches, more of them than there are connections, hold up
// neither what goes over the control lane nor a direct fetch that has something
// to read; and when a record comes, all of them have it at once.
func TestParkedDirectFetchesHoldUpNothing(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1, "full": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		full := client.Topic("full")
		_, err := full.ProduceSync(b.t.Context(), moldau.Record{Value: []byte("x")})
		require.NoError(b.t, err)
		const parked = 20
		var waiting sync.WaitGroup
		read := make(chan time.Time, parked)
		for range parked {
			waiting.Go(func() {
				set, _, err := client.Fetch(b.t.Context(), "orders", 0, 0, moldau.FetchOptions{MaxWait: 30 * time.Second})
				if err == nil && set.Count() == 1 {
					read <- time.Now()
				}
			})
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		before := time.Now()
		_, err = client.Offset(b.t.Context(), "orders", 0, moldau.Latest)
		require.NoError(b.t, err)
		_, err = client.Metadata(b.t.Context())
		require.NoError(b.t, err)
		require.Less(b.t, time.Since(before), 5*time.Millisecond, "over the control lane")
		for range 10 {
			before = time.Now()
			set, _, err := client.Fetch(b.t.Context(), "full", 0, 0, moldau.FetchOptions{MaxWait: 30 * time.Second})
			require.NoError(b.t, err)
			require.Equal(b.t, 1, set.Count())
			require.LessOrEqual(b.t, time.Since(before), 20*time.Millisecond, "behind a fetch that is held")
		}
		before = time.Now()
		_, err = client.Topic("orders").ProduceSync(b.t.Context(), moldau.Record{Value: []byte("y")})
		require.NoError(b.t, err)
		waiting.Wait()
		require.Len(b.t, read, parked)
		for range parked {
			require.WithinRange(b.t, <-read, before, before.Add(250*time.Millisecond))
		}
	})
}
