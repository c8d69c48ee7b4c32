package suite

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/wire"
)

// texts are n records with values from a number on.
func texts(from, n int) (records []moldau.Record) {
	for i := range n {
		records = append(records, text(fmt.Sprint(from+i)))
	}
	return records
}

// producedOnce are the Produce requests that a broker gets; fail, if not nil, answers
// instead of it.
type producedOnce struct {
	mu   sync.Mutex
	list []*kmsg.ProduceRequest
	fail func(req *kmsg.ProduceRequest) (*kmsg.ProduceResponse, error)
}

func (b *bubbled) watchProduce(p *producedOnce) {
	b.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.list = append(p.list, req.(*kmsg.ProduceRequest))
		if p.fail == nil {
			return nil, nil, false
		}
		resp, err := p.fail(req.(*kmsg.ProduceRequest))
		if resp == nil && err == nil {
			return nil, nil, false
		}
		return resp, err, true
	})
}

func (p *producedOnce) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.list)
}

// A batch of its own is one request with what the call wants, into one partition, and
// starts no producer.
func TestABatchGoesAsTheCallWants(t *testing.T) {
	bubble(t, map[string]int32{"orders": 4}, func(b *bubbled) {
		seen := &producedOnce{}
		b.watchProduce(seen)
		client := b.start(moldau.Config{NoAutoProducers: true, Produce: moldau.ProduceConfig{Acks: moldau.AcksLeader, Codec: moldau.Gzip}})
		result, err := client.ProduceBatch(b.t.Context(), moldau.Batch{Topic: "orders", Records: texts(0, 100), Key: []byte("k")})
		require.NoError(b.t, err)
		require.Zero(b.t, result.Offset)
		require.Equal(b.t, moldau.LikeJava.Partition(moldau.Record{Key: []byte("k")}, 4), result.Partition)
		require.True(b.t, result.LogAppendTime.IsZero())
		result, err = client.ProduceBatch(b.t.Context(), moldau.Batch{
			Topic: "orders", Records: texts(100, 100), Version: 8,
			Settings: moldau.ProduceConfig{Partitioner: moldau.On(result.Partition), Acks: moldau.AcksLeader, AckTimeout: 7 * time.Second, Codec: moldau.Zstd, CodecLevel: 3},
		})
		require.NoError(b.t, err)
		require.EqualValues(b.t, 100, result.Offset)
		require.Len(b.t, seen.list, 2)
		first, second := seen.list[0], seen.list[1]
		require.EqualValues(b.t, -1, first.Acks, "the default, not the client's setting")
		require.EqualValues(b.t, 10_000, first.TimeoutMillis)
		require.EqualValues(b.t, 1, second.Acks)
		require.EqualValues(b.t, 8, second.Version)
		require.EqualValues(b.t, 7_000, second.TimeoutMillis)
		require.Equal(b.t, byte(moldau.Zstd), second.Topics[0].Partitions[0].Records[22]&7)
		var want []string
		for i := range 200 {
			want = append(want, fmt.Sprint(i))
		}
		got := append(valuesIn(first.Topics[0].Partitions[0].Records), valuesIn(second.Topics[0].Partitions[0].Records)...)
		require.Equal(b.t, want, got)
		require.Nil(b.t, find(b.t, client, "producers", "orders"))
	})
}

func TestABatchThatCannotBe(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client, ctx := b.start(moldau.Config{CallTimeout: 5 * time.Second}), b.t.Context()
		wrong := (*moldau.ConfigError)(nil)
		_, err := client.ProduceBatch(ctx, moldau.Batch{Version: -1})
		require.ErrorAs(b.t, err, &wrong)
		require.Len(b.t, wrong.Mistakes, 3)
		_, err = client.ProduceBatch(ctx, moldau.Batch{Topic: "orders", Records: texts(0, 1), Settings: moldau.ProduceConfig{AckTimeout: -1}})
		require.ErrorAs(b.t, err, &wrong)
		_, err = client.ProduceBatch(ctx, moldau.Batch{Topic: "orders", Records: texts(0, 1000), Settings: moldau.ProduceConfig{BatchBytes: 1000}})
		require.ErrorIs(b.t, err, wire.ErrTooLarge)
		_, err = client.ProduceBatch(ctx, moldau.Batch{Topic: "orders", Records: texts(0, 1), Settings: moldau.ProduceConfig{Partitioner: moldau.On(1)}})
		require.ErrorIs(b.t, err, wire.ErrUnknownTopic)
		_, err = client.ProduceBatch(ctx, moldau.Batch{Topic: "nobody", Records: texts(0, 1)})
		require.ErrorIs(b.t, err, wire.ErrUnknownTopic)
		_, err = client.ProduceBatch(ctx, moldau.Batch{Topic: "orders", Records: texts(0, 1), Version: 99})
		require.ErrorIs(b.t, err, wire.ErrUnsupportedVersion)
		_, err = client.ProduceBatch(ctx, moldau.Batch{Topic: "orders", Records: texts(0, 1000), Version: 6, Settings: moldau.ProduceConfig{Codec: moldau.Zstd}})
		require.ErrorIs(b.t, err, wire.ErrUnsupportedVersion)
		end, err := client.Offset(ctx, "orders", 0, moldau.Latest)
		require.NoError(b.t, err)
		require.Zero(b.t, end, "nothing was written")
	})
}

// What surely was not written is tried again; what may have been is told of, once.
func TestABatchIsNeverWrittenTwice(t *testing.T) {
	lost := fmt.Errorf("the broker writes and does not answer")
	for _, tt := range []struct {
		name  string
		code  wire.Code // 0: the connection breaks
		acks  moldau.Acks
		again bool
	}{
		{"not the leader, acks=all", wire.NotLeaderOrFollower, moldau.AcksAll, false},
		{"not the leader, acks=1", wire.NotLeaderOrFollower, moldau.AcksLeader, true},
		{"too few replicas", wire.NotEnoughReplicas, moldau.AcksAll, true},
		{"too few replicas once written", wire.NotEnoughReplicasAfterAppend, moldau.AcksAll, false},
		{"timed out", wire.RequestTimedOut, moldau.AcksAll, false},
		{"the answer is lost", 0, moldau.AcksAll, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
				var failures atomic.Int64
				seen := &producedOnce{fail: func(req *kmsg.ProduceRequest) (*kmsg.ProduceResponse, error) {
					switch {
					case failures.Add(1) > 1:
						return nil, nil
					case tt.code == 0:
						return nil, lost
					}
					return answerAll(req, tt.code), nil
				}}
				b.watchProduce(seen)
				client := b.start(moldau.Config{})
				_, err := client.ProduceBatch(b.t.Context(), moldau.Batch{Topic: "orders", Records: texts(0, 3), Settings: moldau.ProduceConfig{Acks: tt.acks}})
				if tt.again {
					require.NoError(b.t, err)
					require.Equal(b.t, 2, seen.count())
					return
				}
				require.ErrorIs(b.t, err, wire.ErrUnsure)
				time.Sleep(time.Minute)
				require.Equal(b.t, 1, seen.count())
			})
		})
	}
}

// Who gives up before the batch is sent knows that it never will be; who gives up
// later does not know.
func TestABatchThatIsGivenUp(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		held := make(chan struct{})
		seen := &producedOnce{fail: func(*kmsg.ProduceRequest) (*kmsg.ProduceResponse, error) { <-held; return nil, nil }}
		client := b.start(moldau.Config{})
		_, err := client.ProduceBatch(b.t.Context(), moldau.Batch{Topic: "orders", Records: texts(0, 1)})
		require.NoError(b.t, err)
		b.watchProduce(seen)
		give := func() <-chan error {
			ctx, cancel := context.WithTimeout(b.t.Context(), time.Second)
			out := make(chan error, 1)
			go func() {
				defer cancel()
				_, err := client.ProduceBatch(ctx, moldau.Batch{Topic: "orders", Records: texts(0, 1)})
				out <- err
			}()
			return out
		}
		var sent, waiting []<-chan error
		for range 5 { // as many requests as may be under way
			sent = append(sent, give())
		}
		synctest.Wait()
		for range 3 {
			waiting = append(waiting, give())
		}
		for _, out := range sent {
			err := <-out
			require.ErrorIs(b.t, err, wire.ErrUnsure)
			require.ErrorIs(b.t, err, context.DeadlineExceeded)
		}
		for _, out := range waiting {
			err := <-out
			require.ErrorIs(b.t, err, context.DeadlineExceeded)
			require.NotErrorIs(b.t, err, wire.ErrUnsure)
		}
		close(held)
		time.Sleep(time.Minute)
		require.Equal(b.t, 5, seen.count(), "those that waited were never sent")
	})
}

func TestABatchWithoutAck(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		result, err := client.ProduceBatch(b.t.Context(), moldau.Batch{Topic: "orders", Records: texts(0, 3), Settings: moldau.ProduceConfig{Acks: moldau.AcksNone}})
		require.NoError(b.t, err)
		require.EqualValues(b.t, -1, result.Offset)
		synctest.Wait()
		end, err := client.Offset(b.t.Context(), "orders", 0, moldau.Latest)
		require.NoError(b.t, err)
		require.EqualValues(b.t, 3, end)
	})
}

// Many calls at once are each a batch of their own, and none is lost.
func TestManyBatchesAtOnce(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 6}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	ctx := bounded(t, patience)
	var all sync.WaitGroup
	var mu sync.Mutex
	places := map[int32]map[int64]bool{}
	for i := range 300 {
		all.Go(func() {
			result, err := client.ProduceBatch(ctx, moldau.Batch{Topic: "orders", Records: texts(10*i, 10), Key: fmt.Append(nil, i)})
			if err != nil {
				t.Errorf("batch %d: %v", i, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if places[result.Partition] == nil {
				places[result.Partition] = map[int64]bool{}
			}
			places[result.Partition][result.Offset] = true
		})
	}
	all.Wait()
	batches := 0
	for partition, offsets := range places {
		for offset := range int64(10 * len(offsets)) {
			require.Equal(t, offset%10 == 0, offsets[offset], "%d/%d", partition, offset)
		}
		batches += len(offsets)
	}
	require.Equal(t, 300, batches)
}
