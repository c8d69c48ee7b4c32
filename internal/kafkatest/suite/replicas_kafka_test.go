//go:build kafka

package suite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// replicasOf are the nodes that have a partition of a topic with one, the leader first.
func (f *foreign) replicasOf(ctx context.Context, topic string) []int32 {
	f.t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	mt := kmsg.NewMetadataRequestTopic()
	mt.Topic = &topic
	req.Topics = append(req.Topics, mt)
	resp, err := req.RequestWith(ctx, f.client)
	require.NoError(f.t, err)
	p := resp.Topics[0].Partitions[0]
	list := []int32{p.Leader}
	for _, r := range p.Replicas {
		if r != p.Leader {
			list = append(list, r)
		}
	}
	return list
}

// attr is what a child of this id in the tree says of itself, "" if there is none
// that does.
func attr(t *testing.T, client *moldau.Client, id, name string) string {
	t.Helper()
	root, err := client.Tree(t.Context())
	require.NoError(t, err)
	nodes := []*supervisor.Node{root}
	for len(nodes) > 0 {
		node := nodes[0]
		nodes = append(nodes[1:], node.Children...)
		for _, a := range node.Attrs {
			if node.ID == id && a.Name == name {
				return a.Value
			}
		}
	}
	return ""
}

// TestConsumeNearestReplica reads from the replica in the client's rack, and from
// others when that is gone, without a gap.
func TestConsumeNearestReplica(t *testing.T) {
	ctx := patient(t)
	k := kafkatest.StartKafka(t, kafkatest.Options{Nodes: 3, Config: map[string]string{
		"broker.rack": "rack-{node}", "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
	}})
	topic := newTopic(t, k, "orders", 1)
	foreign := newForeign(t, k.Addrs(), nil)
	near := foreign.replicasOf(ctx, topic)[1]
	client, _ := start(t, moldau.Config{Brokers: strings.Join(k.Addrs(), ","), Consume: moldau.ConsumeConfig{Rack: fmt.Sprintf("rack-%d", near)}})
	flow := newFlow(t, client, topic)
	flow.subscribe()
	flow.produce(ctx, 1000)
	require.Eventually(t, func() bool { return attr(t, client, "consumer", "replica") == fmt.Sprint(near) }, patience, 10*time.Millisecond)
	flow.during(ctx, 10_000, 2000, func() {
		require.NoError(t, k.NodeByID(near).Kill())
		require.NoError(t, k.NodeByID(near).Restart(ctx))
	})
	flow.verifyAcked(ctx, foreign)
}

// TestConsumeTruncation: after an election of a replica that was behind, what it
// never had is cut off: an event tells of it, and reading goes on from there.
func TestConsumeTruncation(t *testing.T) {
	ctx := patient(t)
	k := kafkatest.StartKafka(t, kafkatest.Options{Nodes: 3})
	require.NoError(t, k.CreateTopic(ctx, kafkatest.Topic{Name: "orders", Replicas: 2, Config: map[string]string{
		"unclean.leader.election.enable": "true", "min.insync.replicas": "1",
	}}))
	foreign := newForeign(t, k.Addrs(), nil)
	replicas := foreign.replicasOf(ctx, "orders")
	leader, behind := k.NodeByID(replicas[0]), k.NodeByID(replicas[1])
	client, seen := start(t, moldau.Config{Brokers: strings.Join(k.Addrs(), ","), Produce: moldau.ProduceConfig{Acks: moldau.AcksLeader}})
	records := make(chan moldau.Record, 100)
	_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: collect(records)})
	require.NoError(t, err)
	both := func(from, n int) {
		fill(t, ctx, client, "orders", 0, from, n, 1)
		for i := range n {
			require.EqualValues(t, from+i, receive(t, ctx, records, "a record").Offset)
		}
	}
	both(0, 10)
	require.NoError(t, behind.Kill())
	both(10, 10)
	told := seen.next(func(e telemetry.Event) bool {
		reset, ok := e.(telemetry.OffsetReset)
		var cut *moldau.TruncatedError
		return ok && errors.As(reset.Err, &cut)
	})
	require.NoError(t, leader.Kill())
	go func() { _ = behind.Restart(ctx) }()
	select {
	case e := <-told:
		require.Equal(t, [2]int64{20, 10}, [2]int64{e.(telemetry.OffsetReset).From, e.(telemetry.OffsetReset).To})
	case <-ctx.Done():
		t.Fatal("the truncation is not told")
	}
	both(10, 5)
}
