//go:build kafka

package suite

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// TestProduceBatch writes batches with settings of their own to brokers old and new,
// and reads them with another client.
func TestProduceBatch(t *testing.T) {
	for _, version := range []string{"0.10.2.2", kafkatest.DefaultVersion} {
		t.Run(version, func(t *testing.T) {
			ctx := patient(t)
			k := kafkatest.StartKafka(t, kafkatest.Options{Version: version})
			topic := newTopic(t, k, "batches", 2)
			client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
			written := 0
			for _, codec := range codecs {
				if codec == moldau.Zstd && version != kafkatest.DefaultVersion {
					continue
				}
				for _, acks := range []moldau.Acks{moldau.AcksAll, moldau.AcksLeader, moldau.AcksNone} {
					result, err := client.ProduceBatch(ctx, moldau.Batch{
						Topic: topic, Records: texts(written, 500),
						Settings: moldau.ProduceConfig{Codec: codec, Acks: acks, Partitioner: moldau.On(1)},
					})
					require.NoError(t, err, "%v, %v", codec, acks)
					require.EqualValues(t, 1, result.Partition)
					want := int64(written)
					if acks == moldau.AcksNone {
						want = -1
					}
					require.Equal(t, want, result.Offset)
					written += 500
				}
			}
			at := 0
			newForeign(t, k.Addrs(), nil).read(ctx, topic, func(r *kgo.Record) {
				require.EqualValues(t, 1, r.Partition)
				require.EqualValues(t, at, r.Offset)
				require.Equal(t, fmt.Sprint(at), string(r.Value))
				at++
			})
			require.Equal(t, written, at)
		})
	}
}
