package suite

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
)

// hoarder acks nothing by itself and keeps what it was handed.
type hoarder struct {
	mu   sync.Mutex
	sets []*moldau.MessageSet
	ack  func(int64)
}

func (h *hoarder) HandleMessageSet(_ context.Context, set *moldau.MessageSet) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sets = append(h.sets, set)
	return moldau.AckLater
}

func (h *hoarder) counts() (list []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, set := range h.sets {
		list = append(list, set.Count())
	}
	return list
}

// With PrefetchCount sets are cut, and as many are out as together have no more
// records than that; whatever is acked makes room.
func TestPrefetchByCount(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{Consume: moldau.ConsumeConfig{PrefetchCount: 10}})
		fill(t, context.Background(), client, "orders", 0, 0, 28, 14)
		h := &hoarder{}
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
			h.ack = a.Ack
			return h, nil
		}})
		require.NoError(t, err)
		settle := func() { time.Sleep(5 * time.Second); synctest.Wait() }
		settle()
		require.Equal(t, []int{10}, h.counts())
		h.ack(4)
		settle()
		require.Equal(t, int64(5), sub.Progress()[0].Next)
		require.Equal(t, []int{10}, h.counts(), "a part of a set makes no room")
		h.ack(9)
		settle()
		require.Equal(t, []int{10, 10}, h.counts())
		h.ack(19)
		settle()
		require.Equal(t, []int{10, 10, 8}, h.counts())
		fill(t, context.Background(), client, "orders", 0, 28, 4, 1)
		settle()
		out := 0
		for _, n := range h.counts()[2:] {
			out += n
		}
		require.Contains(t, []int{9, 10}, out, "several are out, together ten records, or nine and one of two in the queue")
		h.ack(29)
		settle()
		sum := 0
		for _, n := range h.counts() {
			sum += n
		}
		require.Equal(t, 32, sum, "what was written in two batches may come as one set")
		require.Equal(t, int64(30), sub.Progress()[0].Next)
		h.ack(31)
		settle()
		require.Equal(t, int64(32), sub.Progress()[0].Next)
		require.Equal(t, int64(32), sub.Progress()[0].Handled)
	})
}

// What is out when a worker fails comes again, to the next.
func TestPrefetchedSetsComeAgain(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{Consume: moldau.ConsumeConfig{PrefetchCount: 10}})
		fill(t, context.Background(), client, "orders", 0, 0, 6, 2)
		var seen []int64
		var a0 moldau.Assignment
		_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
			if a.Restarts == 0 {
				a0 = a
			}
			return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
				for r := range set.Records() {
					seen = append(seen, r.Offset)
				}
				if a.Restarts > 0 {
					return nil
				}
				return moldau.AckLater
			}), nil
		}})
		require.NoError(t, err)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Equal(t, []int64{0, 1, 2, 3, 4, 5}, seen)
		a0.Ack(1)
		a0.Fail(errPoison)
		time.Sleep(5 * time.Second)
		a0.Ack(5)
		synctest.Wait()
		require.Equal(t, []int64{0, 1, 2, 3, 4, 5, 2, 3, 4, 5}, seen, "from the ack on")
	})
}
