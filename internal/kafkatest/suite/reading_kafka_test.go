//go:build kafka

package suite

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// TestConsumeReadTransactions reads committed, aborted and open transactions, from
// every offset.
func TestConsumeReadTransactions(t *testing.T) {
	for _, version := range []string{"", "2.8.2"} {
		t.Run(version, func(t *testing.T) {
			k := kafkatest.StartKafka(t, kafkatest.Options{Version: version})
			topic := newTopic(t, k, "orders", 1)
			client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
			requireTransactions(t, patient(t), k.Addrs(), client, topic)
		})
	}
}

// TestConsumeReadCompacted reads a log with holes, from every offset, to the end that
// it has.
func TestConsumeReadCompacted(t *testing.T) {
	ctx := patient(t)
	k := kafkatest.StartKafka(t, kafkatest.Options{Config: map[string]string{"log.cleaner.backoff.ms": "200"}})
	require.NoError(t, k.CreateTopic(ctx, kafkatest.Topic{Name: "orders", Config: map[string]string{
		"cleanup.policy": "compact", "segment.ms": "500", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "100", "max.compaction.lag.ms": "1000",
	}}))
	client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
	const rounds, keys = 20, 5
	for round := range rounds {
		for key := range keys {
			r := moldau.Record{Key: fmt.Appendf(nil, "%d", key), Value: fmt.Appendf(nil, "%d", round)}
			if round > rounds/2 && key == 0 {
				r.Value = nil
			}
			_, err := client.Topic("orders").ProduceSync(ctx, r)
			require.NoError(t, err)
		}
	}
	whole := func() map[int32][]int64 {
		reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{})
		seen := read(ctx, reader)
		require.NoError(t, reader.Err())
		return seen
	}
	for len(whole()[0]) > rounds*keys/2 { // the cleaner leaves the last segment alone, so new ones are made
		away(ctx, time.Second)
		require.NoError(t, ctx.Err(), "nothing is compacted")
		_, err := client.Topic("orders").ProduceSync(ctx, moldau.Record{Key: []byte("5"), Value: []byte("x")})
		require.NoError(t, err)
	}
	end, err := client.Offset(ctx, "orders", 0, moldau.Latest)
	require.NoError(t, err)
	for from := range end {
		begun := time.Now()
		reader := client.Read("orders", moldau.At(from), moldau.ReadOptions{})
		last := from - 1
		for r := range reader.Records(ctx) {
			require.Greater(t, r.Offset, last)
			last = r.Offset
		}
		require.NoError(t, reader.Err())
		require.Equal(t, end, reader.Next()[0])
		require.Less(t, time.Since(begun), 5*time.Second, "from %d: the end is not waited for", from)
		reader = client.Read("orders", moldau.Earliest, moldau.ReadOptions{End: moldau.At(from)})
		for r := range reader.Records(ctx) {
			require.Less(t, r.Offset, from)
		}
		require.NoError(t, reader.Err())
		require.Equal(t, from, reader.Next()[0], "an end in a hole is reached")
	}
}

// TestConsumeReadDeletedRecords: records that go while they are read are an error that
// names the range, and Last does not begin before it.
func TestConsumeReadDeletedRecords(t *testing.T) {
	ctx := patient(t)
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	newTopic(t, k, "orders", 1)
	client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
	fill(t, ctx, client, "orders", 0, 0, 100, 1)
	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{FetchOptions: moldau.FetchOptions{MaxBytes: 1}})
	n := int64(0)
	for range reader.Records(ctx) {
		if n++; n == 3 {
			newForeign(t, k.Addrs(), nil).deleteRecords(ctx, "orders", 0, 90)
		}
	}
	requireRange(t, reader.Err(), reader.Next()[0], 90, 100)
	for back, begin := range map[int64]int64{5: 95, 50: 90} {
		require.Equal(t, offsets(begin, 100), read(ctx, client.Read("orders", moldau.Last(back), moldau.ReadOptions{}))[0])
		records := make(chan moldau.Record, 100)
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Last(back), NewWorker: collect(records)})
		require.NoError(t, err)
		require.Equal(t, begin, receive(t, ctx, records, "the first record of Last").Offset)
		require.NoError(t, sub.Stop(ctx))
	}
}

// TestConsumeReadCommits: a group goes on where the loop ended, on brokers of every
// version of the requests, and through the death of its coordinator.
func TestConsumeReadCommits(t *testing.T) {
	for _, version := range []string{"", "2.8.2", "0.10.2.2"} {
		t.Run(version, func(t *testing.T) {
			ctx := patient(t)
			k := kafkatest.StartKafka(t, kafkatest.Options{Version: version})
			newTopic(t, k, "orders", 2)
			client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
			fill(t, ctx, client, "orders", 0, 0, 10, 3)
			options := moldau.ReadOptions{CommitTo: "billing", Limit: 4}
			for _, want := range [][]int64{offsets(0, 4), offsets(4, 8), offsets(8, 10), nil} {
				reader := client.Read("orders", moldau.Earliest, options)
				require.Equal(t, want, read(ctx, reader)[0])
				require.NoError(t, reader.Err())
				require.Equal(t, reader.Next()[0], placeOf(t, ctx, client, "billing", 0))
			}
			all, err := client.CommittedOffsets(ctx, "billing")
			require.NoError(t, err)
			require.Len(t, all, 1)
			_, err = client.CommittedOffsets(ctx, "nobody")
			require.NoError(t, err)
			if version == "0.10.2.2" {
				return
			}
			join(t, k.Addrs(), "busy", "orders")
			err = client.CommitOffsets(ctx, "busy", moldau.GroupOffset{Partition: moldau.Partition{Topic: "orders"}, Offset: 1})
			require.ErrorIs(t, err, moldau.ErrGroupInUse)
		})
	}
}

// TestConsumeReadThroughFailures: brokers die and come back while a topic is read
// to the end and committed.
func TestConsumeReadThroughFailures(t *testing.T) {
	ctx := patient(t)
	k := kafkatest.StartKafka(t, kafkatest.Options{Nodes: 3})
	const partitions, records = 6, 500
	newTopic(t, k, "orders", partitions)
	client, _ := start(t, moldau.Config{BrokerList: k.Addrs()})
	for p := range int32(partitions) {
		fill(t, ctx, client, "orders", p, 0, records, 10)
	}
	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{
		FetchOptions: moldau.FetchOptions{MaxBytes: 1000}, CommitTo: "billing", CommitEvery: 10 * time.Millisecond,
	})
	restarted := make(chan error, 1)
	restarted <- nil
	next, n := map[int32]int64{}, 0
	for r := range reader.Records(ctx) {
		require.Equal(t, next[r.Partition], r.Offset)
		next[r.Partition]++
		if n++; n%1000 == 500 {
			require.NoError(t, <-restarted)
			node := k.Nodes()[n/1000]
			require.NoError(t, node.Kill())
			go func() { restarted <- node.Restart(ctx) }()
		}
	}
	require.NoError(t, reader.Err())
	require.Equal(t, partitions*records, n)
	require.NoError(t, <-restarted)
	for p := range int32(partitions) {
		require.EqualValues(t, records, placeOf(t, ctx, client, "billing", p))
	}
}
