//go:build kafka

package suite

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// TestProduceWhenTheAnswerIsLost: a real broker writes a record, and the
// connection is cut within its answer. What is in the log then, and what the
// caller is told, is the policy's.
func TestProduceWhenTheAnswerIsLost(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{Proxies: true})
	proxy := k.Node(0).Proxy(kafkatest.Plain)
	for _, c := range []struct {
		name    string
		produce moldau.ProduceConfig
		written int
		unsure  bool
	}{
		{"idempotent", moldau.ProduceConfig{}, 1, false},
		{"at-least-once", moldau.ProduceConfig{Retry: moldau.RetryAtLeastOnce}, 2, false},
		{"without-idempotence", moldau.ProduceConfig{Idempotence: moldau.IdempotenceOff}, 2, false},
		{"safe", moldau.ProduceConfig{Retry: moldau.RetrySafe, Idempotence: moldau.IdempotenceOff}, 1, true},
		{"safe-and-idempotent", moldau.ProduceConfig{Retry: moldau.RetrySafe}, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := patient(t)
			topic := newTopic(t, k, "answer-"+c.name, 1)
			client, seen := start(t, moldau.Config{Brokers: strings.Join(k.Addrs(), ","), Produce: c.produce})
			orders := client.Topic(topic)
			const rounds = 20
			for range rounds {
				_, err := orders.ProduceSync(ctx, text("before"))
				require.NoError(t, err)
				cuts := proxy.Stats().Cuts
				proxy.Set(kafkatest.Faults{Down: kafkatest.Flow{CutAfter: 1, CutReset: true}})
				pending := orders.Produce(ctx, text("x"))
				outcome := make(chan error, 1)
				go func() {
					_, err := pending.Wait(ctx)
					outcome <- err
				}()
				require.Eventually(t, func() bool { return proxy.Stats().Cuts > cuts }, kafkaPatience, time.Millisecond)
				proxy.Set(kafkatest.Faults{})
				requireLostAnswer(t, c.unsure, receive(t, ctx, outcome, "the outcome"), seen)
			}
			_, err := orders.ProduceSync(ctx, text("after"))
			require.NoError(t, err)
			written := map[string]int{}
			newForeign(t, k.Addrs(), nil).read(ctx, topic, func(r *kgo.Record) { written[string(r.Value)]++ })
			require.Equal(t, map[string]int{"before": rounds, "x": rounds * c.written, "after": 1}, written)
		})
	}
}
