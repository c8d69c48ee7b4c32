//go:build kafka

package kafkatest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestKafkaVersions starts one node of each generation of the protocol.
func TestKafkaVersions(t *testing.T) {
	for _, version := range []string{"0.8.2.2", "0.9.0.1", "0.10.2.2", "0.11.0.3", "1.1.1", "2.8.2", "3.9.1", "4.3.1"} {
		t.Run(version, func(t *testing.T) {
			_, err := Fetch(t.Context(), version)
			require.NoError(t, err)
			start := time.Now()
			k := StartKafka(t, Options{Version: version})
			t.Logf("Kafka %s with one node is ready after %v", version, time.Since(start).Round(10*time.Millisecond))
			require.NoError(t, k.CreateTopic(t.Context(), Topic{Name: "orders", Partitions: 3}))
			leader, err := k.Leader(t.Context(), "orders", 2)
			require.NoError(t, err)
			require.EqualValues(t, 1, leader)
			require.NoError(t, k.Node(0).Kill())
			require.Equal(t, NodeDown, k.Node(0).State())
			start = time.Now()
			require.NoError(t, k.Node(0).Restart(t.Context()))
			t.Logf("Kafka %s is ready after a restart of %v", version, time.Since(start).Round(10*time.Millisecond))
			_, err = k.Leader(t.Context(), "orders", 2)
			require.NoError(t, err, "the topic outlives a kill")
			path := k.dir.path
			require.NoError(t, k.Close())
			require.NoDirExists(t, path)
		})
	}
}
