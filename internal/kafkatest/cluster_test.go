//go:build kafka

package kafkatest

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// ping connects with an independent client and asks for metadata.
func ping(t *testing.T, opts ...kgo.Opt) error {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.RequestRetries(0))...)
	require.NoError(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return client.Ping(ctx)
}

func mechanisms(t *testing.T, user, password string) map[string]sasl.Mechanism {
	token, err := UnsecuredToken(user, time.Hour)
	require.NoError(t, err)
	return map[string]sasl.Mechanism{
		"PLAIN":         plain.Auth{User: user, Pass: password}.AsMechanism(),
		"SCRAM-SHA-256": scram.Auth{User: user, Pass: password}.AsSha256Mechanism(),
		"SCRAM-SHA-512": scram.Auth{User: user, Pass: password}.AsSha512Mechanism(),
		"OAUTHBEARER":   oauth.Auth{Token: token}.AsMechanism(),
	}
}

func checkListenersOf(t *testing.T, k *Kafka) {
	t.Helper()
	trust := k.Certificates().ClientConfig()
	mutual, err := k.Certificates().MutualConfig()
	require.NoError(t, err)
	require.NoError(t, ping(t, kgo.SeedBrokers(k.AddrsOf(Plain)...)))
	require.NoError(t, ping(t, kgo.SeedBrokers(k.AddrsOf(TLS)...), kgo.DialTLSConfig(trust)))
	require.Error(t, ping(t, kgo.SeedBrokers(k.AddrsOf(TLS)[0]), kgo.DialTLSConfig(&tls.Config{})), "an unknown authority")
	require.NoError(t, ping(t, kgo.SeedBrokers(k.AddrsOf(MutualTLS)...), kgo.DialTLSConfig(mutual)))
	require.Error(t, ping(t, kgo.SeedBrokers(k.AddrsOf(MutualTLS)[0]), kgo.DialTLSConfig(trust)), "no client certificate")
	for name, mechanism := range mechanisms(t, "alice", "alice-secret") {
		require.NoError(t, ping(t, kgo.SeedBrokers(k.AddrsOf(SASL)...), kgo.SASL(mechanism)), name)
		require.NoError(t, ping(t, kgo.SeedBrokers(k.AddrsOf(SASLTLS)...), kgo.SASL(mechanism), kgo.DialTLSConfig(trust)), name)
	}
	for name, mechanism := range mechanisms(t, "alice", "wrong") {
		if name != "OAUTHBEARER" {
			require.Error(t, ping(t, kgo.SeedBrokers(k.AddrsOf(SASL)[0]), kgo.SASL(mechanism)), name)
		}
	}
}

// TestListenersThroughZooKeeper covers the other way in which SCRAM users are made.
func TestListenersThroughZooKeeper(t *testing.T) {
	checkListenersOf(t, StartKafka(t, Options{Version: "2.8.2", Listeners: AllListeners()}))
}

func TestThreeNodes(t *testing.T) {
	start := time.Now()
	k := StartKafka(t, Options{Nodes: 3, Listeners: AllListeners()})
	t.Logf("three nodes of Kafka %s with all listeners are ready after %v", k.Version(), time.Since(start).Round(10*time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	t.Run("listeners", func(t *testing.T) { checkListenersOf(t, k) })
	t.Run("move leader", func(t *testing.T) {
		require.NoError(t, k.CreateTopic(ctx, Topic{Name: "moves", Partitions: 2}))
		for _, to := range []int32{1, 2, 3, 3, 1} {
			require.NoError(t, k.MoveLeader(ctx, "moves", 1, to))
			leader, err := k.Leader(ctx, "moves", 1)
			require.NoError(t, err)
			require.Equal(t, to, leader)
		}
		// A node without a replica gets one.
		require.NoError(t, k.CreateTopic(ctx, Topic{Name: "single", Replicas: 1}))
		leader, err := k.Leader(ctx, "single", 0)
		require.NoError(t, err)
		// Not on node 2, which is killed below: a replica that comes back from an
		// unclean end may not lead any more (KIP-966), and this one would be alone.
		to := int32(1)
		if leader == 1 {
			to = 3
		}
		require.NoError(t, k.MoveLeader(ctx, "single", 0, to))
		require.Error(t, k.CreateTopic(ctx, Topic{Name: "single"}), "it exists")
		require.ErrorContains(t, k.MoveLeader(ctx, "nowhere", 0, 1), "nowhere")
	})
	t.Run("kill and restart", func(t *testing.T) {
		require.NoError(t, k.CreateTopic(ctx, Topic{Name: "kills"}))
		require.NoError(t, k.MoveLeader(ctx, "kills", 0, 2))
		address := k.NodeByID(2).Addr(Plain)
		require.NoError(t, k.NodeByID(2).Kill())
		_, err := net.Dial("tcp", address)
		require.Error(t, err)
		require.NoError(t, retry(ctx, func(ctx context.Context) error { return k.leaderIsNot(ctx, "kills", 2) }), "another node takes over")
		require.ErrorContains(t, k.MoveLeader(ctx, "kills", 0, 2), "not up")
		require.NoError(t, k.NodeByID(2).Restart(ctx))
		require.Equal(t, address, k.NodeByID(2).Addr(Plain))
		require.NoError(t, k.MoveLeader(ctx, "kills", 0, 2))
	})
	t.Run("terminate and restart", func(t *testing.T) {
		require.NoError(t, k.Node(2).Terminate(ctx))
		require.Equal(t, NodeDown, k.Node(2).State())
		require.NoError(t, k.Node(2).Terminate(ctx), "twice does no harm")
		require.Error(t, k.Node(2).Pause(), "nobody to pause")
		require.NoError(t, k.Node(2).Restart(ctx))
	})
	t.Run("pause and resume", func(t *testing.T) {
		require.NoError(t, k.Node(0).Pause())
		require.Equal(t, NodePaused, k.Node(0).State())
		conn, err := net.Dial("tcp", k.Node(0).Addr(Plain))
		require.NoError(t, err, "the kernel still accepts")
		conn.Close()
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		_, err = k.Node(0).metadata(short, "")
		require.Error(t, err, "and nobody answers")
		require.NoError(t, k.Node(0).Resume())
		require.NoError(t, k.Node(0).awaitReady(ctx, 3))
	})
}

func (k *Kafka) leaderIsNot(ctx context.Context, topic string, id int32) error {
	leader, err := k.Leader(ctx, topic, 0)
	if err == nil && (leader == id || leader < 0) {
		err = net.ErrClosed
	}
	return err
}

func TestProxiesBeforeRealNodes(t *testing.T) {
	k := StartKafka(t, Options{Nodes: 2, Proxies: true})
	require.NoError(t, ping(t, kgo.SeedBrokers(k.Addrs()...)))
	require.NoError(t, k.CreateTopic(t.Context(), Topic{Name: "orders", Partitions: 4, Replicas: 2}))
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addrs()[0]), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	require.NoError(t, err)
	defer client.Close()
	for range 8 {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("v")}).FirstErr())
	}
	for _, n := range k.Nodes() {
		require.NotZero(t, n.Proxy(Plain).Stats().BytesUp, "%s is reached through its proxy", n)
	}
	k.Node(0).Proxy(Plain).Down()
	require.Error(t, ping(t, kgo.SeedBrokers(k.Addrs()[0])))
	require.NoError(t, k.Node(0).Proxy(Plain).Up())
	require.NoError(t, ping(t, kgo.SeedBrokers(k.Addrs()[0])))
}
