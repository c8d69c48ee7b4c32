package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/record"
)

// fill produces values of n records to a partition, each by the number of its
// offset, in batches of up to size.
func fill(t require.TestingT, ctx context.Context, client *moldau.Client, topic string, partition int32, from, n, size int) {
	for at := from; at < from+n; at += size {
		var batch []moldau.Record
		for i := at; i < min(at+size, from+n); i++ {
			batch = append(batch, moldau.Record{Value: fmt.Appendf(nil, "%d/%d", partition, i)})
		}
		err := client.Topic(topic).By(moldau.On(partition)).ProduceTogether(ctx, nil, batch).Wait(ctx)
		require.NoError(t, err)
	}
}

// read is what a reader's loop sees: the offsets of each partition.
func read(ctx context.Context, r *moldau.Reader) map[int32][]int64 {
	seen := map[int32][]int64{}
	for record := range r.Records(ctx) {
		seen[record.Partition] = append(seen[record.Partition], record.Offset)
	}
	return seen
}

func offsets(from, end int64) (list []int64) {
	for o := from; o < end; o++ {
		list = append(list, o)
	}
	return list
}

// TestReadIsEveryRecordOnce: whatever is read, in whatever pieces, and wherever the
// loop is left, the pieces are the whole, in the order of each partition.
func TestReadIsEveryRecordOnce(t *testing.T) {
	ctx := bounded(t, patience)
	const partitions, records = 4, 25
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": partitions}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	for p := range int32(partitions) {
		fill(t, ctx, client, "orders", p, 0, records-int(p), 1+3*int(p))
	}
	rapid.Check(t, func(t *rapid.T) {
		options := moldau.ReadOptions{
			Partitions: rapid.SliceOfDistinct(rapid.Int32Range(0, partitions-1), rapid.ID).Draw(t, "partitions"),
			Limit:      rapid.SampledFrom([]int{0, 7, 30}).Draw(t, "limit"),
			LimitBytes: rapid.SampledFrom([]int64{0, 20, 100}).Draw(t, "limit bytes"),
		}
		options.MaxBytes = rapid.Int32Range(50, 500).Draw(t, "max bytes")
		from := rapid.Int64Range(0, records-partitions).Draw(t, "from")
		want := map[int32][]int64{}
		for p := range int32(partitions) {
			if end := int64(records) - int64(p); end > from && (len(options.Partitions) == 0 || slices.Contains(options.Partitions, p)) {
				want[p] = offsets(from, end)
			}
		}
		left := rapid.IntRange(3, 20).Draw(t, "left at")
		reader := client.Read("orders", moldau.At(from), options)
		seen := map[int32][]int64{}
		for pieces := 0; ; pieces++ {
			n := 0
			for r := range reader.Records(ctx) {
				require.Equal(t, fmt.Sprintf("%d/%d", r.Partition, r.Offset), string(r.Value))
				if n++; n > left+1 {
					require.Equal(t, r.Offset, reader.Next()[r.Partition], "what the loop is left at is not finished")
					break
				}
				seen[r.Partition] = append(seen[r.Partition], r.Offset)
			}
			require.NoError(t, reader.Err())
			if options.Limit > 0 {
				require.LessOrEqual(t, n, options.Limit)
			}
			if n == 0 {
				break
			}
			require.Less(t, pieces, 1000)
			if rapid.Bool().Draw(t, "by another reader") {
				options.Resume = reader.Next()
				reader = client.Read("orders", moldau.Earliest, options)
			}
		}
		require.Equal(t, want, seen)
		for p, next := range reader.Next() {
			require.Equal(t, int64(records)-int64(p), next)
		}
	})
}

// TestReadPositions: beginnings and ends by position, and the end as it was.
func TestReadPositions(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		fill(b.t, b.t.Context(), client, "orders", 0, 0, 5, 2)
		time.Sleep(time.Hour)
		middle := time.Now()
		fill(b.t, b.t.Context(), client, "orders", 0, 5, 5, 2)
		for _, c := range []struct {
			from, end moldau.Position
			want      []int64
		}{
			{moldau.Earliest, moldau.Latest, offsets(0, 10)},
			{moldau.Latest, moldau.Latest, nil},
			{moldau.Last(3), moldau.Latest, offsets(7, 10)},
			{moldau.Last(30), moldau.Last(4), offsets(0, 6)},
			{moldau.At(2), moldau.At(4), offsets(2, 4)},
			{moldau.At(2), moldau.AfterProcessed(4), offsets(2, 5)},
			{moldau.At(4), moldau.At(2), nil},
			{moldau.At(8), moldau.At(200), offsets(8, 10)},
			{moldau.Since(middle), moldau.Latest, offsets(5, 10)},
			{moldau.Earliest, moldau.Since(middle), offsets(0, 5)},
			{moldau.At(10), moldau.Latest, nil},
		} {
			begun := time.Now()
			reader := client.Read("orders", c.from, moldau.ReadOptions{End: c.end})
			require.Equal(b.t, c.want, read(b.t.Context(), reader)[0], "%v to %v", c.from, c.end)
			require.NoError(b.t, reader.Err())
			require.Less(b.t, time.Since(begun), 100*time.Millisecond, "%v to %v: the end is not waited at", c.from, c.end)
			if c.want != nil {
				require.Equal(b.t, c.want[len(c.want)-1]+1, reader.Next()[0], "%v to %v", c.from, c.end)
			}
		}
		reader := client.Read("orders", moldau.At(8), moldau.ReadOptions{})
		for r := range reader.Records(b.t.Context()) {
			if r.Offset == 8 {
				fill(b.t, b.t.Context(), client, "orders", 0, 10, 1, 1)
			}
			require.Less(b.t, r.Offset, int64(10), "the end is that of the beginning")
		}
		require.Equal(b.t, []int64{10}, read(b.t.Context(), reader)[0], "the next iteration has an end of its own")
	})
}

// TestOffsetsOfPositions: offsets before the end, by the call for many partitions too.
func TestOffsetsOfPositions(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 2, Topics: map[string]int32{"orders": 2, "empty": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	fill(t, ctx, client, "orders", 1, 0, 10, 2)
	newForeign(t, fake.Addrs(), nil).deleteRecords(ctx, "orders", 1, 4)
	one, empty := moldau.Partition{Topic: "orders", Partition: 1}, moldau.Partition{Topic: "empty"}
	list, err := client.OffsetsOf(ctx,
		moldau.PartitionPosition{Partition: one, Position: moldau.Last(3)}, moldau.PartitionPosition{Partition: one, Position: moldau.Last(300)},
		moldau.PartitionPosition{Partition: one, Position: moldau.Earliest}, moldau.PartitionPosition{Partition: one, Position: moldau.Latest},
		moldau.PartitionPosition{Partition: one, Position: moldau.At(77)}, moldau.PartitionPosition{Partition: empty, Position: moldau.Last(1)},
		moldau.PartitionPosition{Partition: one, Position: moldau.Since(time.Now().Add(time.Hour))})
	require.NoError(t, err)
	var found []int64
	for _, o := range list {
		found = append(found, o.Offset)
	}
	require.Equal(t, []int64{7, 4, 4, 10, 77, 0, 10}, found)
}

// TestReadLastBySubscription: a subscription begins there, too.
func TestReadLastBySubscription(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	fill(t, ctx, client, "orders", 0, 0, 10, 1)
	newForeign(t, fake.Addrs(), nil).deleteRecords(ctx, "orders", 0, 4)
	for back, begin := range map[int64]int64{3: 7, 30: 4, 8: 4} {
		records := make(chan moldau.Record, 10)
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Last(back), NewWorker: collect(records)})
		require.NoError(t, err)
		require.Equal(t, begin, receive(t, ctx, records, "the first record").Offset)
		require.NoError(t, sub.Stop(ctx))
	}
}

// TestReadFollows: what is written while the reader waits comes, one request at a
// time is held for all partitions of a leader, and a quiet topic ends it in time.
func TestReadFollows(t *testing.T) {
	bubble(t, map[string]int32{"orders": 20}, func(b *bubbled) {
		client, asked := b.start(moldau.Config{}), b.countFetches()
		reader := client.Read("orders", moldau.Latest, moldau.ReadOptions{Follow: 10 * time.Second, FetchOptions: moldau.FetchOptions{MaxWait: 2 * time.Second}})
		go func() {
			for i := range 5 {
				time.Sleep(3 * time.Second)
				fill(b.t, b.t.Context(), client, "orders", int32(i), 0, 1, 1)
			}
		}()
		begun := time.Now()
		seen := read(b.t.Context(), reader)
		require.NoError(b.t, reader.Err())
		require.Len(b.t, seen, 5)
		require.WithinDuration(b.t, begun.Add(25*time.Second), time.Now(), 2*time.Second)
		require.Less(b.t, asked.Load(), int64(30), "parked, not polled")

		stop := errors.New("enough")
		ctx, cancel := context.WithCancelCause(b.t.Context())
		time.AfterFunc(5*time.Minute, func() { cancel(stop) })
		reader = client.Read("orders", moldau.Latest, moldau.ReadOptions{Follow: moldau.Forever})
		require.Empty(b.t, read(ctx, reader))
		require.ErrorIs(b.t, reader.Err(), stop)
		require.WithinDuration(b.t, begun.Add(5*time.Minute+25*time.Second), time.Now(), 2*time.Second)

		reader = client.Read("orders", moldau.At(1), moldau.ReadOptions{Partitions: []int32{0}, End: moldau.At(3), Follow: moldau.Forever})
		time.AfterFunc(time.Minute, func() { fill(b.t, b.t.Context(), client, "orders", 0, 1, 5, 5) })
		require.Equal(b.t, offsets(1, 3), read(b.t.Context(), reader)[0], "an end that is to come")
		require.NoError(b.t, reader.Err())
	})
}

// TestReadFetchesAhead: the next request reaches the broker while the loop works,
// and none does that a limit makes useless.
func TestReadFetchesAhead(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		fill(b.t, b.t.Context(), client, "orders", 0, 0, 10, 1)
		asked := b.countFetches()
		small := moldau.FetchOptions{MaxBytes: 1}
		for range client.Read("orders", moldau.Earliest, moldau.ReadOptions{FetchOptions: small}).Records(b.t.Context()) {
			synctest.Wait()
			time.Sleep(time.Second)
			require.EqualValues(b.t, 2, asked.Load(), "one ahead, no more")
			break
		}
		begun := time.Now()
		long := moldau.ReadOptions{Follow: moldau.Forever, FetchOptions: moldau.FetchOptions{MaxWait: 5 * time.Second}}
		for range client.Read("orders", moldau.Last(1), long).Records(b.t.Context()) {
			break
		}
		require.Less(b.t, time.Since(begun), time.Second, "a request that is held holds up nobody who leaves")
		synctest.Wait() // what was asked ahead has come in
		asked.Store(0)
		for range client.Read("orders", moldau.Earliest, moldau.ReadOptions{FetchOptions: small, Limit: 1}).Records(b.t.Context()) {
			time.Sleep(time.Second)
		}
		require.EqualValues(b.t, 1, asked.Load())
	})
}

// TestReadLeavesNothingBehind: however the loop is left.
func TestReadLeavesNothingBehind(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 2, Topics: map[string]int32{"orders": 4}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	fill(t, ctx, client, "orders", 0, 0, 10, 1)
	options := moldau.ReadOptions{Follow: moldau.Forever, FetchOptions: moldau.FetchOptions{MaxBytes: 1}}
	read := func(leave func() bool) *moldau.Reader {
		reader := client.Read("orders", moldau.Earliest, options)
		for range reader.Records(ctx) {
			if leave() {
				break
			}
		}
		return reader
	}
	require.NoError(t, read(func() bool { return true }).Err())
	requireNoJob(t)
	require.PanicsWithValue(t, "mine", func() { read(func() bool { panic("mine") }) })
	requireNoJob(t)
	require.NoError(t, client.Close())
	require.ErrorIs(t, read(func() bool { return true }).Err(), moldau.ErrStopped)
}

// requireNoJob: a reader's goroutines are gone.
func requireNoJob(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, stack := range goroutines() {
			if strings.Contains(stack, "readRun") {
				return false
			}
		}
		return true
	}, patience, time.Millisecond)
}

// TestReadFollowsLeaders: leaders move and connections break while all is read.
func TestReadFollowsLeaders(t *testing.T) {
	ctx := bounded(t, patience)
	const partitions, records = 6, 200
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Proxies: true, Topics: map[string]int32{"orders": partitions}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], CoolDown: 5 * time.Millisecond})
	for p := range int32(partitions) {
		fill(t, ctx, client, "orders", p, 0, records, 10)
	}
	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{FetchOptions: moldau.FetchOptions{MaxBytes: 300}})
	next, n := map[int32]int64{}, 0
	for r := range reader.Records(ctx) {
		require.Equal(t, next[r.Partition], r.Offset)
		next[r.Partition]++
		switch n++; n % 150 {
		case 50:
			fake.ShufflePartitionLeaders()
		case 100:
			fake.Proxy(n / 150 % 3).Reset()
		}
	}
	require.NoError(t, reader.Err())
	require.Equal(t, partitions*records, n)
}

// TestReadGivesUp: brokers that are away cost a pause, and an error after CallTimeout.
func TestReadGivesUp(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{CallTimeout: 40 * time.Second, RequestTimeout: 3 * time.Second})
		fill(b.t, b.t.Context(), client, "orders", 0, 0, 10, 1)
		reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{FetchOptions: moldau.FetchOptions{MaxBytes: 1}})
		n := int64(0)
		var begun time.Time
		for r := range reader.Records(b.t.Context()) {
			require.Equal(b.t, n, r.Offset)
			switch n++; n {
			case 3:
				b.network.Partition("client", b.fake.Addrs()[0])
				time.AfterFunc(30*time.Second, func() { b.network.Heal("client", b.fake.Addrs()[0]) })
			case 7:
				b.network.Partition("client", b.fake.Addrs()[0])
				begun = time.Now()
			}
		}
		var gaveUp *moldau.GaveUpError
		require.ErrorAs(b.t, reader.Err(), &gaveUp)
		require.ErrorIs(b.t, reader.Err(), wire.ErrConnection)
		require.ErrorContains(b.t, reader.Err(), "CallTimeout")
		require.Greater(b.t, gaveUp.Attempts, 2)
		require.WithinDuration(b.t, begun.Add(40*time.Second), time.Now(), 2*time.Second)
		require.Equal(b.t, map[int32]int64{0: n}, reader.Next())
		b.network.Heal("client", b.fake.Addrs()[0])
		require.Equal(b.t, offsets(n, 10), read(b.t.Context(), reader)[0])
		require.NoError(b.t, reader.Err())
	})
}

// TestReadOutOfRange: the error names what is there.
func TestReadOutOfRange(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	fill(t, ctx, client, "orders", 0, 0, 20, 1)
	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{FetchOptions: moldau.FetchOptions{MaxBytes: 1}})
	n := int64(0)
	for range reader.Records(ctx) {
		if n++; n == 3 {
			newForeign(t, fake.Addrs(), nil).deleteRecords(ctx, "orders", 0, 15)
		}
	}
	requireRange(t, reader.Err(), reader.Next()[0], 15, 20)
	require.Less(t, n, int64(15))
	reader = client.Read("orders", moldau.At(21), moldau.ReadOptions{})
	require.Empty(t, read(ctx, reader))
	requireRange(t, reader.Err(), 21, 15, 20)
}

func requireRange(t *testing.T, err error, offset, earliest, latest int64) {
	t.Helper()
	var out *moldau.OffsetRangeError
	require.ErrorAs(t, err, &out)
	require.ErrorIs(t, err, wire.ErrOffsetOutOfRange)
	require.Equal(t, []int64{offset, earliest, latest}, []int64{out.Offset, out.Earliest, out.Latest})
	require.ErrorContains(t, err, fmt.Sprintf("offset %d is not in orders/0, which has %d to %d", offset, earliest, latest))
}

// TestReadDeletedTopic: deleted in the middle, or another one of its name made.
func TestReadDeletedTopic(t *testing.T) {
	for _, anew := range []bool{false, true} {
		ctx := bounded(t, patience)
		fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
		client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], UnknownTopicTTL: -1})
		fill(t, ctx, client, "orders", 0, 0, 20, 1)
		reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{FetchOptions: moldau.FetchOptions{MaxBytes: 1}})
		n := 0
		for range reader.Records(ctx) {
			if n++; n == 3 {
				require.NoError(t, client.DeleteTopic(ctx, "orders"))
				if anew {
					require.NoError(t, client.CreateTopic(ctx, "orders", 1, 1))
					fill(t, ctx, client, "orders", 0, 0, 20, 1)
				}
			}
		}
		require.ErrorIs(t, reader.Err(), wire.ErrUnknownTopic)
		require.Less(t, n, 20)
		require.ErrorIs(t, reader.Err(), wire.ErrUnknownTopic)
		reader = client.Read("nope", moldau.Earliest, moldau.ReadOptions{})
		require.Empty(t, read(ctx, reader))
		require.ErrorIs(t, reader.Err(), wire.ErrUnknownTopic)
	}
}

// answers changes what the broker answers to fetches, one after another.
func answers(fake *kafkatest.Fake, change func(*kmsg.FetchResponseTopicPartition)) {
	fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		r := req.(*kmsg.FetchRequest)
		resp := r.ResponseKind().(*kmsg.FetchResponse)
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.TopicID = r.Topics[0].Topic, r.Topics[0].TopicID
		for _, want := range r.Topics[0].Partitions {
			p := kmsg.NewFetchResponseTopicPartition()
			p.Partition, p.HighWatermark, p.LastStableOffset = want.Partition, want.FetchOffset, want.FetchOffset
			change(&p)
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
}

// TestReadCorruptBatch: it ends with the error that names the place.
func TestReadCorruptBatch(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	fill(t, ctx, client, "orders", 0, 0, 3, 1)
	set, _, err := client.Fetch(ctx, "orders", 0, 0, moldau.FetchOptions{})
	require.NoError(t, err)
	require.Equal(t, 3, set.Count())
	answers(fake, func(p *kmsg.FetchResponseTopicPartition) {
		p.RecordBatches, p.HighWatermark, p.LastStableOffset = make([]byte, 100), 3, 3
		p.RecordBatches[11], p.RecordBatches[16] = 88, 2
	})
	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{})
	require.Empty(t, read(ctx, reader))
	require.ErrorIs(t, reader.Err(), record.ErrChecksum)
	require.ErrorContains(t, reader.Err(), "orders/0")
	require.Equal(t, map[int32]int64{0: 0}, reader.Next())
}

// TestReadHolesAtTheEnd: where there is nothing behind the last batch up to the end,
// the end is reached all the same; and a partition that has lost it is given up.
func TestReadHolesAtTheEnd(t *testing.T) {
	for stable, gone := range map[int64]bool{10: false, 4: true} {
		bubble(t, map[string]int32{"orders": 2}, func(b *bubbled) {
			client := b.start(moldau.Config{})
			fill(b.t, b.t.Context(), client, "orders", 0, 0, 10, 1)
			begun := time.Now()
			answers(b.fake, func(p *kmsg.FetchResponseTopicPartition) { p.HighWatermark, p.LastStableOffset = stable, stable })
			reader := client.Read("orders", moldau.At(3), moldau.ReadOptions{Partitions: []int32{0}})
			require.Empty(b.t, read(b.t.Context(), reader))
			if gone {
				require.ErrorContains(b.t, reader.Err(), "ends at 4 by now")
				require.Equal(b.t, time.Minute, time.Since(begun).Truncate(time.Second), "CallTimeout")
				return
			}
			require.NoError(b.t, reader.Err())
			require.Equal(b.t, map[int32]int64{0: 10}, reader.Next())
			require.Less(b.t, time.Since(begun), 5*time.Second)
		})
	}
}

// TestReadThrottled: over its quota a client gets answers without partitions.
func TestReadThrottled(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	fill(t, ctx, client, "orders", 0, 0, 3, 1)
	throttled := 0
	fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if throttled++; throttled%3 == 0 {
			return nil, nil, false
		}
		fake.KeepControl()
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		resp.ThrottleMillis = 10
		return resp, nil, true
	})
	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{})
	require.Equal(t, offsets(0, 3), read(ctx, reader)[0])
	require.NoError(t, reader.Err())
	require.Equal(t, 3, throttled)
}
