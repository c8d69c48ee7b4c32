package suite

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// foreign is a client that shares no code with moldau: what the log holds is
// read, and topics are changed, by it.
type foreign struct {
	t      *testing.T
	client *kgo.Client
	opts   []kgo.Opt
}

func newForeign(t *testing.T, addrs []string, dial func(context.Context, string, string) (net.Conn, error)) *foreign {
	t.Helper()
	f := &foreign{t: t, opts: []kgo.Opt{kgo.SeedBrokers(addrs...)}}
	if dial != nil {
		f.opts = append(f.opts, kgo.Dialer(dial))
	}
	f.client = f.open()
	return f
}

func (f *foreign) open(opts ...kgo.Opt) *kgo.Client {
	f.t.Helper()
	client, err := kgo.NewClient(append(f.opts[:len(f.opts):len(f.opts)], opts...)...)
	require.NoError(f.t, err)
	f.t.Cleanup(client.Close)
	return client
}

// grow gives a topic more partitions.
func (f *foreign) grow(ctx context.Context, topic string, partitions int32) {
	f.t.Helper()
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 10_000
	rt := kmsg.NewCreatePartitionsRequestTopic()
	rt.Topic, rt.Count = topic, partitions
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, f.client)
	require.NoError(f.t, err)
	require.Len(f.t, resp.Topics, 1)
	require.Zero(f.t, resp.Topics[0].ErrorCode)
}

// ends are the offsets after the last record of every partition.
func (f *foreign) ends(ctx context.Context, topic string) map[int32]int64 {
	f.t.Helper()
	meta := kmsg.NewPtrMetadataRequest()
	mt := kmsg.NewMetadataRequestTopic()
	mt.Topic = &topic
	meta.Topics = append(meta.Topics, mt)
	known, err := meta.RequestWith(ctx, f.client)
	require.NoError(f.t, err)
	list := kmsg.NewPtrListOffsetsRequest()
	lt := kmsg.NewListOffsetsRequestTopic()
	lt.Topic = topic
	for _, p := range known.Topics[0].Partitions {
		lp := kmsg.NewListOffsetsRequestTopicPartition()
		lp.Partition, lp.Timestamp = p.Partition, -1
		lt.Partitions = append(lt.Partitions, lp)
	}
	list.Topics = append(list.Topics, lt)
	resp, err := list.RequestWith(ctx, f.client)
	require.NoError(f.t, err)
	ends := map[int32]int64{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			require.Zero(f.t, p.ErrorCode)
			ends[p.Partition] = p.Offset
		}
	}
	require.Len(f.t, ends, len(known.Topics[0].Partitions))
	return ends
}

// read calls each with every record that the topic holds now.
func (f *foreign) read(ctx context.Context, topic string, each func(*kgo.Record)) {
	f.t.Helper()
	ends := f.ends(ctx, topic)
	from := map[int32]kgo.Offset{}
	for p, end := range ends {
		if end > 0 {
			from[p] = kgo.NewOffset().AtStart()
		}
	}
	if len(from) == 0 {
		return
	}
	reader := f.open(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	defer reader.Close()
	for open := len(from); open > 0; {
		fetches := reader.PollFetches(ctx)
		require.NoError(f.t, ctx.Err(), "the log of %s cannot be read to its end", topic)
		fetches.EachError(func(_ string, p int32, err error) { require.NoError(f.t, err, "%s/%d", topic, p) })
		fetches.EachRecord(func(r *kgo.Record) {
			each(r)
			if r.Offset == ends[r.Partition]-1 {
				open--
			}
		})
	}
}

// entries is the log of a topic that a flow has filled.
func (f *foreign) entries(ctx context.Context, topic string) []Entry {
	f.t.Helper()
	var list []Entry
	f.read(ctx, topic, func(r *kgo.Record) { list = append(list, Entry{r.Partition, r.Offset, idOf(r.Value)}) })
	return list
}

// idOf is the number of a flow's record, -1 for a value that is none.
func idOf(value []byte) int {
	text, _, _ := strings.Cut(string(value), " ")
	id, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return id
}

// deleteRecords deletes what a partition has before an offset.
func (f *foreign) deleteRecords(ctx context.Context, topic string, partition int32, before int64) {
	f.t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 10_000
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = partition, before
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, f.client)
	require.NoError(f.t, err)
	require.Len(f.t, resp.Topics, 1)
	require.Zero(f.t, resp.Topics[0].Partitions[0].ErrorCode)
}
