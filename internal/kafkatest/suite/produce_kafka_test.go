//go:build kafka

package suite

import (
	"testing"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

var codecs = []moldau.Codec{moldau.NoCodec, moldau.Gzip, moldau.Snappy, moldau.LZ4, moldau.Zstd}

// TestProduceAndReadBack is a flow without trouble, with every codec.
func TestProduceAndReadBack(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			ctx := patient(t)
			topic := newTopic(t, k, "back-"+codec.String(), 6)
			client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0], Produce: moldau.ProduceConfig{Codec: codec}})
			flow := newFlow(t, client, topic)
			flow.subscribe()
			flow.produce(ctx, 50_000)
			flow.verifyAcked(ctx, newForeign(t, k.Addrs(), nil))
		})
	}
}
