//go:build kafka

package suite

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

const chaosPartitions = 6

// TestChaosThreeNodes runs a flow through one trouble after another on a cluster
// of three: nothing that was acked is lost, doubled or out of order, everything
// is settled, and all of it is handed out.
func TestChaosThreeNodes(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{Nodes: 3})
	for _, trouble := range []struct {
		name   string
		strike func(t *testing.T, ctx context.Context, k *kafkatest.Kafka, topic string)
	}{
		{"leaders move", leadersMove},
		{"a broker restarts", brokerRestarts},
		{"a leader is killed", leaderIsKilled},
		{"a broker is paused", brokerIsPaused},
		{"partitions grow", partitionsGrow},
		{"all brokers are away", allBrokersAway},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			ctx := patient(t)
			topic := newTopic(t, k, strings.ReplaceAll(trouble.name, " ", "-"), chaosPartitions)
			client, _ := start(t, moldau.Config{
				Brokers: strings.Join(k.Addrs(), ","), MetadataRefresh: 2 * time.Second, RequestTimeout: 5 * time.Second,
				Produce: moldau.ProduceConfig{BufferBytes: 16 << 20},
			})
			flow := newFlow(t, client, topic)
			flow.subscribe()
			flow.produce(ctx, chaosCount()/4)
			begun := time.Now()
			flow.during(ctx, chaosCount(), 5000, func() { trouble.strike(t, ctx, k, topic) })
			struck := time.Since(begun)
			counts := flow.verifyAcked(ctx, newForeign(t, k.Addrs(), nil))
			t.Logf("%+v; the trouble took %v, all %v", counts, struck.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
		})
	}
}

func leadersMove(t *testing.T, ctx context.Context, k *kafkatest.Kafka, topic string) {
	for p := range int32(chaosPartitions) {
		leader, err := k.Leader(ctx, topic, p)
		require.NoError(t, err)
		require.NoError(t, k.MoveLeader(ctx, topic, p, leader%3+1))
	}
}

func brokerRestarts(t *testing.T, ctx context.Context, k *kafkatest.Kafka, _ string) {
	require.NoError(t, k.Node(1).Terminate(ctx))
	require.NoError(t, k.Node(1).Restart(ctx))
}

func leaderIsKilled(t *testing.T, ctx context.Context, k *kafkatest.Kafka, topic string) {
	leader, err := k.Leader(ctx, topic, 0)
	require.NoError(t, err)
	require.NoError(t, k.NodeByID(leader).Kill())
	require.NoError(t, k.NodeByID(leader).Restart(ctx))
}

func brokerIsPaused(t *testing.T, ctx context.Context, k *kafkatest.Kafka, topic string) {
	leader, err := k.Leader(ctx, topic, 0)
	require.NoError(t, err)
	require.NoError(t, k.NodeByID(leader).Pause())
	away(ctx, 6*time.Second)
	require.NoError(t, k.NodeByID(leader).Resume())
}

func partitionsGrow(t *testing.T, ctx context.Context, k *kafkatest.Kafka, topic string) {
	newForeign(t, k.Addrs(), nil).grow(ctx, topic, chaosPartitions+3)
	away(ctx, 4*time.Second) // twice the client's MetadataRefresh
}

// allBrokersAway: 10 s, 30 s in the soak.
func allBrokersAway(t *testing.T, ctx context.Context, k *kafkatest.Kafka, _ string) {
	for _, n := range k.Nodes() {
		require.NoError(t, n.Kill())
	}
	gone := 10 * time.Second
	if soak() {
		gone = 30 * time.Second
	}
	away(ctx, gone)
	started := make(chan error, 3)
	for _, n := range k.Nodes() {
		go func() { started <- n.Restart(ctx) }()
	}
	for range k.Nodes() {
		require.NoError(t, <-started)
	}
}

// TestChaosTopicRecreated deletes a topic that is in use and creates it anew.
func TestChaosTopicRecreated(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	ctx := patient(t)
	topic := newTopic(t, k, "orders", 3)
	client, _ := start(t, moldau.Config{
		Brokers: k.Addrs()[0], MetadataRefresh: 500 * time.Millisecond,
		Produce: moldau.ProduceConfig{DeliveryTimeout: 5 * time.Second},
	})
	admin, _ := start(t, moldau.Config{Name: "admin", Brokers: k.Addrs()[0]})
	recreated(t, ctx, client, topic, newForeign(t, k.Addrs(), nil), func() {
		require.NoError(t, admin.DeleteTopic(ctx, topic))
	}, func() {
		require.Eventually(t, func() bool { return admin.CreateTopic(ctx, topic, 3, 1) == nil }, 30*time.Second, 50*time.Millisecond)
	})
}

// TestChaosCrashes makes one actor of each kind panic on a real cluster.
func TestChaosCrashes(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	ctx := patient(t)
	for i, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			topic := newTopic(t, k, fmt.Sprint("crash-", i), 3)
			client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
			flow := newFlow(t, client, topic)
			flow.subscribe()
			flow.produce(ctx, 5000)
			for i := range 3 {
				require.True(t, flow.handed.await(ctx, 5000*i+2000), "the flow stands still: %+v", flow.history.Counts())
				path := make([]string, len(kind.path))
				for j, id := range kind.path {
					path[j] = strings.ReplaceAll(id, "orders", topic)
				}
				crash(t, client, path...)
				flow.produce(ctx, 5000)
			}
			flow.verifyAcked(ctx, newForeign(t, k.Addrs(), nil))
		})
	}
}
