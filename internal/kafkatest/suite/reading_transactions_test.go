package suite

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// transactor writes transactions to partition 0 of a topic.
type transactor struct {
	t      *testing.T
	client *kgo.Client
	topic  string
}

func newTransactor(t *testing.T, addrs []string, topic, id string) *transactor {
	f := newForeign(t, addrs, nil)
	return &transactor{t, f.open(kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionTimeout(time.Minute)), topic}
}

// write begins a transaction of so many records.
func (w *transactor) write(ctx context.Context, records int) {
	w.t.Helper()
	require.NoError(w.t, w.client.BeginTransaction())
	for range records {
		require.NoError(w.t, w.client.ProduceSync(ctx, &kgo.Record{Topic: w.topic, Value: []byte("in a transaction")}).FirstErr())
	}
}

func (w *transactor) end(ctx context.Context, commit kgo.TransactionEndTry) {
	w.t.Helper()
	require.NoError(w.t, w.client.EndTransaction(ctx, commit))
}

// requireTransactions reads a partition that transactions have been written to, from
// every offset: committed records alone, to the last stable offset, where a
// transaction is open; and all of them to the high watermark.
func requireTransactions(t *testing.T, ctx context.Context, addrs []string, client *moldau.Client, topic string) {
	w := newTransactor(t, addrs, topic, topic+"-1")
	w.write(ctx, 3) // 0 to 2, marker 3
	w.end(ctx, kgo.TryCommit)
	w.write(ctx, 2) // 4 and 5, marker 6
	w.end(ctx, kgo.TryAbort)
	w.write(ctx, 2) // 7 and 8, marker 9
	w.end(ctx, kgo.TryCommit)
	w.write(ctx, 2) // 10 and 11, marker 12
	w.end(ctx, kgo.TryAbort)
	open := newTransactor(t, addrs, topic, topic+"-2")
	check := func(stable, high int64) {
		t.Helper()
		for from := range high + 1 {
			begun := time.Now()
			var want []int64
			for _, o := range []int64{0, 1, 2, 7, 8} {
				if o >= from {
					want = append(want, o)
				}
			}
			reader := client.Read(topic, moldau.At(from), moldau.ReadOptions{})
			require.Equal(t, want, read(ctx, reader)[0], "from %d", from)
			require.NoError(t, reader.Err())
			require.Equal(t, max(from, stable), reader.Next()[0], "from %d", from)
			all := client.Read(topic, moldau.At(from), moldau.ReadOptions{FetchOptions: moldau.FetchOptions{ReadUncommitted: true}})
			var dirty []int64
			for _, o := range []int64{0, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14} {
				if o >= from && o < high {
					dirty = append(dirty, o)
				}
			}
			require.Equal(t, dirty, read(ctx, all)[0], "from %d", from)
			require.NoError(t, all.Err())
			require.Equal(t, high, all.Next()[0])
			require.Less(t, time.Since(begun), 2*time.Second, "nothing is waited for")
		}
	}
	check(13, 13)
	open.write(ctx, 2) // 13 and 14
	check(13, 15)
	follower := client.Read(topic, moldau.At(9), moldau.ReadOptions{Follow: moldau.Forever, Limit: 2})
	ended := make(chan error, 1)
	time.AfterFunc(100*time.Millisecond, func() { ended <- open.client.EndTransaction(ctx, kgo.TryCommit) })
	require.Equal(t, []int64{13, 14}, read(ctx, follower)[0], "once they are committed")
	require.NoError(t, follower.Err())
	require.NoError(t, <-ended)
}

func TestReadTransactions(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	requireTransactions(t, bounded(t, patience), fake.Addrs(), client, "orders")
}
