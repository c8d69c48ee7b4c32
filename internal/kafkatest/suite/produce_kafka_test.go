//go:build kafka

package suite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

var codecs = []moldau.Codec{moldau.NoCodec, moldau.Gzip, moldau.Snappy, moldau.LZ4, moldau.Zstd}

// TestProduceCodecs lets Java's console consumer read what was produced with
// every codec: keys, values, headers, nulls, timestamps.
func TestProduceCodecs(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	ctx := patient(t)
	topic := newTopic(t, k, "codecs", 1)
	at := time.UnixMilli(1_700_000_000_123)
	var want []string
	for _, codec := range codecs {
		client, _ := start(t, moldau.Config{Name: "c" + codec.String(), Brokers: k.Addrs()[0], Produce: moldau.ProduceConfig{Codec: codec}})
		to := client.Topic(topic)
		for i := range 100 {
			text := fmt.Sprintf("%s-%d-%s", codec, i, strings.Repeat("moldau", 20))
			to.Produce(ctx, moldau.Record{Key: fmt.Append(nil, i), Value: []byte(text), Timestamp: at.UnixMilli() + int64(i),
				Headers: moldau.HeadersOf(moldau.Header{Key: "codec", Value: []byte(codec.String())}, moldau.Header{Key: "none", Value: nil})})
			want = append(want, fmt.Sprintf("CreateTime:%d|codec:%s,none:nil|%d|%s", at.UnixMilli()+int64(i), codec, i, text))
		}
		require.NoError(t, to.Flush(ctx))
		_, err := to.ProduceSync(ctx, moldau.Record{Value: []byte{}, Timestamp: at.UnixMilli()})
		require.NoError(t, err)
		_, err = to.ProduceSync(ctx, moldau.Record{Key: []byte{}, Timestamp: at.UnixMilli()})
		require.NoError(t, err)
		want = append(want, fmt.Sprintf("CreateTime:%d|NO_HEADERS|nil|", at.UnixMilli()), fmt.Sprintf("CreateTime:%d|NO_HEADERS||nil", at.UnixMilli()))
	}
	out, err := kafkatest.RunJava(ctx, k.Tool("ConsoleConsumer", "--bootstrap-server", k.Addrs()[0], "--topic", topic,
		"--from-beginning", "--max-messages", fmt.Sprint(len(want)), "--timeout-ms", "30000",
		"--formatter-property", "print.timestamp=true", "--formatter-property", "print.headers=true", "--formatter-property", "print.key=true",
		"--formatter-property", "key.separator=|", "--formatter-property", "null.literal=nil"))
	require.NoError(t, err)
	got := slices.Collect(strings.Lines(out))
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i], strings.TrimSuffix(got[i], "\n"), i)
	}
}

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
