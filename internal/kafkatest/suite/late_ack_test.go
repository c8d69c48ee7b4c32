package suite

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// stuckOnRetry is a handler that stands still at the first batch that is to be
// sent again.
type stuckOnRetry struct {
	events
	first atomic.Bool
	stuck chan int32    // the batch's partition, when it stands still
	goOn  chan struct{} // to be closed
}

// Handle implements telemetry.Handler.
func (s *stuckOnRetry) Handle(e telemetry.Event) {
	s.events.Handle(e)
	if retried, ok := e.(telemetry.ProduceRetried); ok && s.first.CompareAndSwap(false, true) {
		s.stuck <- retried.Partition
		<-s.goOn
	}
}

// firstFails lets the first Produce request fail its first partition, for now, and
// tells how often each partition was sent.
func firstFails(b *bubbled) (sent func(partition int32) int) {
	var mu sync.Mutex
	counts, requests := map[int32]int{}, 0
	b.fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		req := r.(*kmsg.ProduceRequest)
		for _, p := range req.Topics[0].Partitions {
			counts[p.Partition]++
		}
		if requests++; requests > 1 {
			return nil, nil, false
		}
		resp := answerAll(req, wire.None)
		resp.Topics[0].Partitions[0].ErrorCode = int16(wire.NotEnoughReplicas)
		return resp, nil, true
	})
	return func(partition int32) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[partition]
	}
}

// A batch is settled by an ack that its producer hears of late: the connection's
// goroutine gives all acks of an answer to the slots and then stands still at the
// first producer that it tells. Meanwhile the broker's actor ends, the batch is
// taken for lost, and the next actor finds it settled among what it is to send. It
// is not sent again, its producer hears so, and what comes behind it goes out.
func TestABatchThatIsSettledBeforeItIsSentAgain(t *testing.T) {
	bubble(t, map[string]int32{"orders": 2}, func(b *bubbled) {
		b.network.SetLink(kafkatest.LinkRule{From: "client", Latency: 50 * time.Millisecond}) // both partitions wait for the connection
		seen := &stuckOnRetry{stuck: make(chan int32, 1), goOn: make(chan struct{})}
		sent := firstFails(b)
		client := b.start(moldau.Config{Telemetry: seen, Produce: moldau.ProduceConfig{Idempotence: moldau.IdempotenceOff}})
		orders, ctx := client.Topic("orders"), bounded(b.t, patience)
		require.NoError(b.t, orders.Ready(ctx))
		batches := []moldau.Pending{orders.By(moldau.On(0)).Produce(ctx, text("a")), orders.By(moldau.On(1)).Produce(ctx, text("b"))}
		acked := 1 - receive(b.t, ctx, seen.stuck, "the first producer is told")
		_, err := batches[acked].Wait(ctx)
		require.NoError(b.t, err)
		require.Equal(b.t, 1, sent(acked))

		crash(b.t, client, "brokers", "broker:0")
		time.Sleep(5 * time.Second)
		require.Equal(b.t, 1, seen.count(func(e telemetry.Event) bool {
			retried, ok := e.(telemetry.ProduceRetried)
			return ok && retried.Partition == acked && errors.Is(retried.Err, wire.ErrConnection)
		}), "its producer took it for lost")
		require.Equal(b.t, 1, sent(acked), "it is sent again")
		begun := time.Now()
		_, err = orders.By(moldau.On(acked)).ProduceSync(ctx, text("c"))
		require.NoError(b.t, err)
		require.Less(b.t, time.Since(begun), time.Second, "what is behind it waits")
		close(seen.goOn)
		require.NoError(b.t, orders.Flush(ctx))
		require.Equal(b.t, 2, sent(1-acked))
	})
}
