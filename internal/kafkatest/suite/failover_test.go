package suite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// failoverWay is how long a byte travels in the tests of failover.
const failoverWay = time.Millisecond

// noHints is a version of Produce that has none.
var noHints = map[int16]int16{int16(kmsg.Produce): 8}

// failover runs do with three nodes and a client that has
// produced once, looked at the cluster just now, and has a connection to all.
func failover(t *testing.T, pins map[int16]int16, do func(b *bubbled, orders moldau.Topic)) {
	t.Helper()
	options := kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 1, "others": 9}}
	bubbleOf(t, options, func(b *bubbled) {
		b.network.SetLink(kafkatest.LinkRule{From: "client", Latency: failoverWay})
		client := b.start(moldau.Config{Pins: pins})
		for p := range int32(9) {
			_, err := client.Topic("others").By(moldau.On(p)).ProduceSync(b.t.Context(), text("x"))
			require.NoError(b.t, err)
		}
		orders := client.Topic("orders")
		_, err := orders.ProduceSync(b.t.Context(), text("x"))
		require.NoError(b.t, err)
		_, err = client.Metadata(b.t.Context(), "orders")
		require.NoError(b.t, err)
		do(b, orders)
	})
}

// timed is how long a record takes to be acked.
func timed(b *bubbled, orders moldau.Topic) time.Duration {
	begun := time.Now()
	_, err := orders.ProduceSync(b.t.Context(), text("y"))
	require.NoError(b.t, err)
	return time.Since(begun)
}

// move gives the partition to another node.
func move(b *bubbled) {
	leader := b.fake.LeaderFor("orders", 0)
	require.NoError(b.t, b.fake.MoveTopicPartition("orders", 0, (leader+1)%3))
}

// TestFailoverWithHints: where the broker that was the leader says who is now
// (Kafka 3.7), one move costs two round trips, and no look at the cluster.
func TestFailoverWithHints(t *testing.T) {
	failover(t, nil, func(b *bubbled, orders moldau.Topic) {
		metadata := b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Observe: true, Count: -1})
		for range 3 {
			move(b)
			took := timed(b, orders)
			t.Logf("one move with hints: %v", took)
			require.LessOrEqual(b.t, took, 5*2*failoverWay)
		}
		require.Zero(b.t, metadata.Hits())
	})
}

// TestFailoverWithoutHints: with fresh metadata and default settings, one move of
// the leader costs at most 150 ms, and three refusals in a row at most 400 ms.
func TestFailoverWithoutHints(t *testing.T) {
	failover(t, noHints, func(b *bubbled, orders moldau.Topic) {
		metadata := b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Observe: true, Count: -1})
		for range 3 {
			move(b)
			took := timed(b, orders)
			t.Logf("one move without hints: %v", took)
			require.LessOrEqual(b.t, took, 150*time.Millisecond)
		}
		require.Equal(b.t, 3, metadata.Hits(), "one look at the cluster for each")
	})
	failover(t, noHints, func(b *bubbled, orders moldau.Topic) {
		b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: kerr.NotLeaderForPartition, Count: 3})
		took := timed(b, orders)
		t.Logf("three refusals: %v", took)
		require.LessOrEqual(b.t, took, 400*time.Millisecond)
		require.Greater(b.t, took, 250*time.Millisecond, "it does not hammer")
	})
}
