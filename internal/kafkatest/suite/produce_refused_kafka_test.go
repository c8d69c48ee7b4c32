//go:build kafka

package suite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/wire"
)

// TestProduceWhatKafkaRefuses: batches above the topic's limit are split, and of a
// batch with records that a compacted topic does not take, as they have no key, only
// these fail.
func TestProduceWhatKafkaRefuses(t *testing.T) {
	for _, version := range []string{"4.3.1", "2.8.2"} {
		t.Run(version, func(t *testing.T) {
			k := kafkatest.StartKafka(t, kafkatest.Options{Version: version})
			ctx := patient(t)
			require.NoError(t, k.CreateTopic(ctx, kafkatest.Topic{Name: "small", Partitions: 1, Config: map[string]string{"max.message.bytes": "2000"}}))
			require.NoError(t, k.CreateTopic(ctx, kafkatest.Topic{Name: "compacted", Partitions: 1, Config: map[string]string{"cleanup.policy": "compact"}}))
			for _, idempotence := range []moldau.Idempotence{moldau.IdempotenceOn, moldau.IdempotenceOff} {
				client, _ := start(t, moldau.Config{Name: fmt.Sprint("client-", idempotence), Brokers: k.Addrs()[0], Produce: moldau.ProduceConfig{Idempotence: idempotence}})
				if idempotence == moldau.IdempotenceOn {
					splits(t, client, k)
				}
				rejects(t, client, k, idempotence)
			}
		})
	}
}

func splits(t *testing.T, client *moldau.Client, k *kafkatest.Kafka) {
	ctx, records := patient(t), newProduced()
	for i := range 200 {
		records.add(ctx, client.Topic("small"), text(fmt.Sprint(i, " ", noise(i, 90))))
		if i == 70 {
			records.add(ctx, client.Topic("small"), text("huge "+noise(i, 3000)))
		}
	}
	records.verify(ctx, t, k.Addrs(), "small", func(value string) error {
		if strings.HasPrefix(value, "huge") {
			return wire.ErrTooLarge
		}
		return nil
	})
}

func rejects(t *testing.T, client *moldau.Client, k *kafkatest.Kafka, idempotence moldau.Idempotence) {
	ctx, records := patient(t), newProduced()
	for i := range 100 {
		r := moldau.Record{Key: fmt.Append(nil, idempotence, i), Value: fmt.Append(nil, i)}
		if i%7 == 0 {
			r = text(fmt.Sprint("no key ", i))
		}
		records.add(ctx, client.Topic("compacted"), r)
	}
	records.await(ctx, t)
	for i, value := range records.values {
		if strings.HasPrefix(value, "no key") {
			code, _ := wire.CodeOf(records.errs[i])
			require.Equal(t, wire.InvalidRecord, code, "%v", records.errs[i])
			continue
		}
		require.NoError(t, records.errs[i])
		if i > 1 && i%7 > 1 {
			require.Equal(t, records.offsets[i-1]+1, records.offsets[i])
		}
	}
}
