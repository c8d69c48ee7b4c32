package suite

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/wire"
)

// creations counts the metadata requests that let a real broker create a topic:
// those that say so, and those that name a topic in a version that cannot forbid it.
type creations struct {
	mu   sync.Mutex
	seen []string
}

func (c *creations) watch(fake *kafkatest.Fake) {
	fake.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		req := r.(*kmsg.MetadataRequest)
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(req.Topics) > 0 && (req.Version < 4 || req.AllowAutoTopicCreation) {
			c.seen = append(c.seen, fmt.Sprintf("v%d for %s", req.Version, *req.Topics[0].Topic))
		}
		return nil, nil, false
	})
}

func (c *creations) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

// askForNothing does everything with a topic that there is not that asks for its partitions.
func askForNothing(t *testing.T, ctx context.Context, client *moldau.Client, topic string) {
	t.Helper()
	_, err := client.PartitionCount(ctx, topic)
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	_, err = client.Metadata(ctx, topic)
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	_, err = client.Topic(topic).ProduceSync(ctx, text("x"))
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	_, err = client.Offset(ctx, topic, 0, moldau.Latest)
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
}

// topicNames are all topics of the cluster.
func topicNames(t *testing.T, ctx context.Context, client *moldau.Client) (names []string) {
	t.Helper()
	cluster, err := client.Metadata(ctx)
	require.NoError(t, err)
	for _, topic := range cluster.Topics {
		names = append(names, topic.Name)
	}
	return names
}

// TestAskingCreatesNoTopic: a broker that may create topics is not made to by asking for one, whatever version it
// speaks: one that cannot forbid it is asked for all topics. The fake takes v0, which has no word for all topics but
// none, by the letter; TestProduceCreatesNoTopic has it.
func TestAskingCreatesNoTopic(t *testing.T) {
	for name, pins := range map[string]map[int16]int16{"newest": nil, "v4": {3: 4}, "v3": {3: 3}, "v1": {3: 1}} {
		t.Run(name, func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 2, "other": 1}, Extra: []kfake.Opt{kfake.AllowAutoTopicCreation()}})
			asked := &creations{}
			asked.watch(fake)
			client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], Pins: pins})
			askForNothing(t, ctx, client, "oders")
			count, err := client.PartitionCount(ctx, "orders")
			require.NoError(t, err)
			require.Equal(t, int32(2), count)
			_, err = client.Topic("orders").ProduceSync(ctx, text("x"))
			require.NoError(t, err)
			require.Empty(t, asked.all())
			require.Equal(t, []string{"orders", "other"}, topicNames(t, ctx, client))
		})
	}
}

// TestAskingCreatesATopicWhereThatIsOn: the test above can fail.
func TestAskingCreatesATopicWhereThatIsOn(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Extra: []kfake.Opt{kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(3)}})
	asked := &creations{}
	asked.watch(fake)
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], AutoCreateTopics: true})
	count, err := client.PartitionCount(ctx, "orders")
	require.NoError(t, err)
	require.Equal(t, int32(3), count)
	require.NotEmpty(t, asked.all())
	_, err = client.Topic("audit").ProduceSync(ctx, text("x"))
	require.NoError(t, err)
	require.Equal(t, []string{"audit", "orders"}, topicNames(t, ctx, client))
}
