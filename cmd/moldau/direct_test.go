package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// The direct calls of the library, on the in-process cluster that the command's tests have anyway.

func connect(t *testing.T, fake *kafkatest.Fake, adjust func(*moldau.Config)) *moldau.Client {
	t.Helper()
	config := moldau.Config{BrokerList: fake.Addrs(), Telemetry: telemetry.Discard, CallTimeout: 20 * time.Second}
	if adjust != nil {
		adjust(&config)
	}
	client, err := moldau.Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// fill produces records 0 to n-1 to a partition, each in a batch of its own.
func fill(t *testing.T, client *moldau.Client, topic string, partition int32, n int) {
	t.Helper()
	for i := range n {
		_, err := client.Topic(topic).By(moldau.On(partition)).ProduceSync(t.Context(), moldau.Record{Value: fmt.Appendf(nil, "%d", i)})
		require.NoError(t, err)
	}
}

func TestDirectOffsetsOfManyPartitions(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"a": 4, "b": 2}})
	client := connect(t, fake, nil)
	fill(t, client, "a", 1, 3)
	fill(t, client, "b", 0, 2)
	keys := []moldau.Partition{{Topic: "b", Partition: 0}, {Topic: "a", Partition: 1}, {Topic: "nope", Partition: 0}, {Topic: "a", Partition: 9}, {Topic: "a", Partition: 3}}
	list, err := client.Offsets(t.Context(), moldau.Latest, keys...)
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	offsets := []int64{2, 3, -1, -1, 0}
	for i, found := range list {
		require.Equal(t, keys[i], found.Partition)
		require.Equal(t, offsets[i], found.Offset, "%v", keys[i])
		require.Equal(t, offsets[i] < 0, found.Err != nil, "%v", keys[i])
	}
	for position, want := range map[moldau.Position]int64{
		moldau.Earliest: 0, moldau.Latest: 3, moldau.At(77): 77, moldau.AfterProcessed(4): 5,
		moldau.Since(time.UnixMilli(1)): 0, moldau.Since(time.Now().Add(time.Hour)): 3,
	} {
		offset, err := client.Offset(t.Context(), "a", 1, position)
		require.NoError(t, err)
		require.Equal(t, want, offset, position)
	}
}

func TestDirectFetchReadsOn(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 2, Topics: map[string]int32{"a": 1}})
	client := connect(t, fake, nil)
	fill(t, client, "a", 0, 20)
	var values []string
	for next := int64(5); ; {
		set, after, err := client.Fetch(t.Context(), "a", 0, next, moldau.FetchOptions{MaxBytes: 100, MaxWait: moldau.NoWait})
		require.NoError(t, err)
		require.Equal(t, next, set.First())
		require.Equal(t, int64(20), set.HighWatermark)
		if set.Count() == 0 {
			require.Equal(t, int64(20), after)
			break
		}
		for r := range set.Records() {
			values = append(values, string(r.Value))
		}
		require.NoError(t, set.Err())
		next = after
	}
	require.Len(t, values, 15)
	require.Equal(t, []string{"5", "19"}, []string{values[0], values[14]})
}

func TestDirectFetchWaitsForARecord(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"a": 1}})
	client := connect(t, fake, nil)
	got := make(chan int, 1)
	go func() {
		set, _, err := client.Fetch(t.Context(), "a", 0, 0, moldau.FetchOptions{MaxWait: 10 * time.Second})
		if err != nil {
			got <- -1
			return
		}
		got <- set.Count()
	}()
	fill(t, client, "a", 0, 1)
	require.Equal(t, 1, <-got)
}

func TestDirectFetchTellsWhatIsWrong(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"a": 1}})
	client := connect(t, fake, nil)
	_, next, err := client.Fetch(t.Context(), "a", 0, 99, moldau.FetchOptions{})
	require.ErrorIs(t, err, wire.ErrOffsetOutOfRange)
	require.Equal(t, int64(99), next, "where it was")
	_, _, err = client.Fetch(t.Context(), "a", 1, 0, moldau.FetchOptions{})
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	_, _, err = client.Fetch(t.Context(), "nope", 0, 0, moldau.FetchOptions{})
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
}

// TestDirectCallsFollowTheLeader: the view is old after each move, and the call mends it.
func TestDirectCallsFollowTheLeader(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"a": 1}})
	client := connect(t, fake, nil)
	fill(t, client, "a", 0, 1)
	for _, node := range []int32{0, 1, 2, 0} {
		require.NoError(t, fake.MoveTopicPartition("a", 0, node))
		offset, err := client.Offset(t.Context(), "a", 0, moldau.Latest)
		require.NoError(t, err)
		require.Equal(t, int64(1), offset)
		require.NoError(t, fake.MoveTopicPartition("a", 0, (node+1)%3))
		set, _, err := client.Fetch(t.Context(), "a", 0, 0, moldau.FetchOptions{})
		require.NoError(t, err)
		require.Equal(t, 1, set.Count())
	}
}

// TestDirectCallsTryAgain: brokers that refuse for a while cost a pause, not an error.
func TestDirectCallsTryAgain(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"a": 1}})
	client := connect(t, fake, nil)
	fill(t, client, "a", 0, 1)
	refusals := 3
	fake.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if refusals == 0 {
			return nil, nil, false
		}
		refusals--
		fake.KeepControl()
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = "a"
		partition := kmsg.NewListOffsetsResponseTopicPartition()
		partition.ErrorCode = int16(wire.NotLeaderOrFollower)
		topic.Partitions = append(topic.Partitions, partition)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	offset, err := client.Offset(t.Context(), "a", 0, moldau.Latest)
	require.NoError(t, err)
	require.Equal(t, int64(1), offset)
	require.Zero(t, refusals)
}

// TestDirectCallsSurviveLostConnections: each call finds its connection cut at some point, and ends well.
func TestDirectCallsSurviveLostConnections(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 2, Topics: map[string]int32{"a": 2}, Proxies: true})
	client := connect(t, fake, func(c *moldau.Config) { c.CoolDown = 10 * time.Millisecond })
	fill(t, client, "a", 0, 1)
	for range 10 {
		for i := range 2 {
			fake.Proxy(i).Reset()
		}
		offset, err := client.Offset(t.Context(), "a", 0, moldau.Latest)
		require.NoError(t, err)
		require.Equal(t, int64(1), offset)
		_, err = client.Metadata(t.Context())
		require.NoError(t, err)
	}
}

// TestAnUnknownTopicIsRemembered: asking again and again costs no request within the TTL, and creating the topic ends it.
func TestAnUnknownTopicIsRemembered(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1})
	client := connect(t, fake, nil)
	_, err := client.PartitionCount(t.Context(), "t")
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	asked := make(chan struct{}, 1000)
	fake.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked <- struct{}{}
		return nil, nil, false
	})
	for range 100 {
		_, err := client.PartitionCount(t.Context(), "t")
		require.ErrorIs(t, err, wire.ErrUnknownTopic)
	}
	require.Empty(t, asked)
	require.NoError(t, client.CreateTopic(t.Context(), "t", 3, 1))
	count, err := client.PartitionCount(t.Context(), "t")
	require.NoError(t, err)
	require.Equal(t, int32(3), count)
}

func TestMetadataDescribesTheCluster(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"a": 2, "b": 1}})
	client := connect(t, fake, nil)
	all, err := client.Metadata(t.Context())
	require.NoError(t, err)
	require.Len(t, all.Brokers, 3)
	require.Len(t, all.Topics, 2)
	one, err := client.Metadata(t.Context(), "a", "nope")
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	require.ErrorContains(t, err, "nope")
	require.Len(t, one.Topics, 2, "what can be had is there")
	require.NoError(t, one.Topics[0].Err)
	require.Len(t, one.Topics[0].Partitions, 2)
	require.ErrorIs(t, one.Topics[1].Err, wire.ErrUnknownTopic)
	for i, p := range one.Topics[0].Partitions {
		require.Equal(t, int32(i), p.Partition)
		require.Contains(t, p.Replicas, p.Leader)
	}
}

// TestTopicsComeAndGo: created twice is an error of its class, deleted twice as well, and neither is tried for ever.
func TestTopicsComeAndGo(t *testing.T) {
	client := connect(t, kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3}), nil)
	require.NoError(t, client.CreateTopic(t.Context(), "t", 1, 1))
	require.ErrorIs(t, client.CreateTopic(t.Context(), "t", 1, 1), wire.ErrExists)
	require.NoError(t, client.DeleteTopic(t.Context(), "t"))
	require.ErrorIs(t, client.DeleteTopic(t.Context(), "t"), wire.ErrUnknownTopic)
	require.NoError(t, client.CreateTopic(t.Context(), "t", 2, 1))
}
