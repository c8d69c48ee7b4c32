//go:build kafka

package suite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// TestProduceCreatesNoTopic: brokers that create topics on demand, with and without a metadata request that can forbid
// it, are asked about one that there is not.
func TestProduceCreatesNoTopic(t *testing.T) {
	for _, version := range []string{"0.8.2.2", "0.10.2.2", kafkatest.DefaultVersion} {
		t.Run(version, func(t *testing.T) {
			k := kafkatest.StartKafka(t, kafkatest.Options{Version: version, Config: map[string]string{"auto.create.topics.enable": "true"}})
			ctx := patient(t)
			newTopic(t, k, "orders", 1)
			client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
			askForNothing(t, ctx, client, "oders")
			_, err := client.Topic("orders").ProduceSync(ctx, text("x"))
			require.NoError(t, err)
			require.Equal(t, []string{"orders"}, topicNames(t, ctx, client))

			creating, _ := start(t, moldau.Config{Name: "creating", Brokers: k.Addrs()[0], AutoCreateTopics: true})
			_, err = creating.PartitionCount(ctx, "oders")
			require.NoError(t, err)
			require.Equal(t, []string{"oders", "orders"}, topicNames(t, ctx, client), "the broker does create topics")
		})
	}
}
