package suite

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// A broker writes a record and its answer is lost: the policies differ in how
// often it is in the log then, and in what the caller is told.
func TestRetryPoliciesWhenTheAnswerIsLost(t *testing.T) {
	for _, c := range []struct {
		name    string
		produce moldau.ProduceConfig
		written int
		unsure  bool
	}{
		{"idempotent", moldau.ProduceConfig{}, 1, false},
		{"at least once", moldau.ProduceConfig{Retry: moldau.RetryAtLeastOnce}, 2, false},
		{"idempotent, without idempotence", moldau.ProduceConfig{Idempotence: moldau.IdempotenceOff}, 2, false},
		{"safe", moldau.ProduceConfig{Retry: moldau.RetrySafe, Idempotence: moldau.IdempotenceOff}, 1, true},
		{"safe and idempotent", moldau.ProduceConfig{Retry: moldau.RetrySafe}, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
				const way = 50 * time.Millisecond
				b.network.SetLink(kafkatest.LinkRule{From: "client", Latency: way})
				seen := &events{}
				orders := b.start(moldau.Config{Produce: c.produce, Telemetry: seen}).Topic("orders")
				_, err := orders.ProduceSync(b.t.Context(), text("before"))
				require.NoError(b.t, err)

				pending := orders.Produce(b.t.Context(), text("x"))
				failed := make(chan error, 1)
				begun := time.Now()
				go func() {
					_, err := pending.Wait(b.t.Context())
					failed <- err
				}()
				time.Sleep(3 * way / 2) // it is there, and the answer is on its way
				require.NotZero(b.t, b.network.Reset("client", ""))
				err = <-failed
				requireLostAnswer(b.t, c.unsure, err, seen)
				if c.unsure {
					require.Equal(b.t, 3*way/2, time.Since(begun), "at once")
				}
				_, err = orders.ProduceSync(b.t.Context(), text("after"))
				require.NoError(b.t, err)
				written := map[string]int{}
				newForeign(b.t, b.fake.Addrs(), b.network.From("foreign")).read(b.t.Context(), "orders", func(r *kgo.Record) { written[string(r.Value)]++ })
				require.Equal(b.t, map[string]int{"before": 1, "x": c.written, "after": 1}, written)
			})
		})
	}
}

// requireLostAnswer: who was told that it is not known whether the record is in the
// log is also told not to send it again as it is; what is sent again all the same
// is told of by an event that says why it may be there twice.
func requireLostAnswer(t *testing.T, unsure bool, err error, seen *events) {
	t.Helper()
	again := seen.count(func(e telemetry.Event) bool {
		retried, ok := e.(telemetry.ProduceRetried)
		return ok && errors.Is(retried.Err, wire.ErrUnsure)
	})
	if !unsure {
		require.NoError(t, err)
		require.Positive(t, again, "nobody is told that it is sent again")
		return
	}
	require.ErrorIs(t, err, wire.ErrUnsure)
	require.ErrorIs(t, err, wire.ErrConnection, "the cause is told")
	require.False(t, wire.SafeToRetry(err), "%v", err)
	require.Zero(t, again, "it is not sent again")
}

// With the safe policy a record that surely was not written is sent again.
func TestSafeSendsAgainWhatWasNotSent(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		orders := b.start(moldau.Config{Produce: moldau.ProduceConfig{Retry: moldau.RetrySafe}}).Topic("orders")
		_, err := orders.ProduceSync(b.t.Context(), text("x"))
		require.NoError(b.t, err)
		b.network.Partition("client", "")
		b.network.Reset("client", "")
		time.Sleep(time.Millisecond) // the client has seen it
		time.AfterFunc(25*time.Second, func() { b.network.Heal("client", "") })
		begun := time.Now()
		offset, err := orders.ProduceSync(b.t.Context(), text("y"))
		require.NoError(b.t, err)
		require.EqualValues(b.t, 1, offset)
		require.GreaterOrEqual(b.t, time.Since(begun), 25*time.Second)
	})
}

// A batch is sent again as often as MaxRetries says.
func TestMaxRetries(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		orders := b.start(moldau.Config{Produce: moldau.ProduceConfig{MaxRetries: 3}}).Topic("orders")
		asked := 0
		b.fake.ControlKey(0, refuseAll(b.fake, wire.NotEnoughReplicas, &asked))
		_, err := orders.ProduceSync(b.t.Context(), text("x"))
		require.ErrorIs(b.t, err, wire.ErrNotEnoughReplicas)
		require.ErrorContains(b.t, err, "3 retries")
		require.Equal(b.t, 4, asked)
	})
}
