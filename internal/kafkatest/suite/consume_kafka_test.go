//go:build kafka

package suite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// TestConsumeJava reads what Java's console producer wrote with every codec.
func TestConsumeJava(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	ctx := patient(t)
	const each = 200
	for _, codec := range codecs {
		topic := newTopic(t, k, "java-"+codec.String(), 1)
		var lines strings.Builder
		for i := range each {
			fmt.Fprintf(&lines, "h%d:v%d\tkey %d\tvalue %d %s\n", i, i, i, i, strings.Repeat("vltava", 20))
		}
		producer := k.Tool("ConsoleProducer", "--bootstrap-server", k.Addrs()[0], "--topic", topic, "--compression-codec", codec.String(),
			"--reader-property", "parse.key=true", "--reader-property", "parse.headers=true")
		producer.Stdin = strings.NewReader(lines.String())
		_, err := kafkatest.RunJava(ctx, producer)
		require.NoError(t, err)
	}
	client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
	for _, codec := range codecs {
		records := make(chan moldau.Record, each)
		_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "java-" + codec.String(), Begin: moldau.Earliest, NewWorker: collect(records)})
		require.NoError(t, err)
		for i := range each {
			r := receive(t, ctx, records, "a record of "+codec.String())
			require.EqualValues(t, i, r.Offset)
			require.Equal(t, fmt.Sprint("key ", i), string(r.Key))
			require.Equal(t, fmt.Sprintf("value %d %s", i, strings.Repeat("vltava", 20)), string(r.Value))
			value, ok := r.Headers.Get(fmt.Sprint("h", i))
			require.True(t, ok)
			require.Equal(t, fmt.Sprint("v", i), string(value))
		}
	}
}

// TestConsumeOnOldBrokers runs the main job on brokers of every message format:
// v0, v1 and v2. Where there is no producer id, idempotence is off with an event.
func TestConsumeOnOldBrokers(t *testing.T) {
	for _, broker := range []struct {
		version    string
		unasked    bool // the client is told not to ask for API versions
		idempotent bool
	}{{version: "0.8.2.2"}, {version: "0.8.2.2", unasked: true}, {version: "0.10.2.2"}, {version: "0.11.0.3", idempotent: true}, {version: "2.8.2", idempotent: true}} {
		t.Run(fmt.Sprintf("%s unasked=%v", broker.version, broker.unasked), func(t *testing.T) {
			k := kafkatest.StartKafka(t, kafkatest.Options{Version: broker.version})
			for _, codec := range []moldau.Codec{moldau.NoCodec, moldau.Gzip, moldau.Snappy, moldau.LZ4} {
				ctx := patient(t)
				topic := newTopic(t, k, "orders-"+codec.String(), 6)
				client, seen := start(t, moldau.Config{Brokers: k.Addrs()[0], NoAPIVersions: broker.unasked, Produce: moldau.ProduceConfig{Codec: codec}})
				flow := newFlow(t, client, topic)
				flow.subscribe()
				flow.produce(ctx, 20_000)
				if broker.version == "0.8.2.2" {
					flow.verifyWithout(ctx)
				} else {
					flow.verifyAcked(ctx, newForeign(t, k.Addrs(), nil))
				}
				off := seen.count(is[telemetry.IdempotenceOff])
				require.Equal(t, broker.idempotent, off == 0)
				require.NoError(t, client.Close())
			}
		})
	}
}

// verifyWithout takes what was handed out for the log, for brokers that the
// foreign client does not know.
func (f *flow) verifyWithout(ctx context.Context) {
	f.t.Helper()
	f.settled(ctx)
	require.NoError(f.t, f.history.FirstFailure())
	require.True(f.t, f.handed.await(ctx, f.history.Counts().Acked), "%+v", f.history.Counts())
	var log []Entry
	for _, handed := range f.history.handed {
		next := int64(0)
		for _, e := range handed {
			if e.Offset == next {
				log = append(log, e)
				next++
			}
		}
	}
	require.Empty(f.t, f.history.Check(log))
}
