// Package suite tests moldau whole, against the brokers of kafkatest.
package suite

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

func TestMainJob(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 6}})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := moldau.Start(ctx, moldau.Config{Brokers: fake.Addrs()[0]})
	require.NoError(t, err)
	defer client.Close()

	const records = 10000
	orders := client.Topic("orders")
	pending := make([]moldau.Pending, records)
	for i := range pending {
		pending[i] = orders.Produce(ctx, moldau.Record{Key: fmt.Append(nil, i), Value: fmt.Append(nil, "order ", i)})
	}
	require.NoError(t, orders.Flush(ctx))
	for _, p := range pending {
		_, err := p.Wait(ctx)
		require.NoError(t, err)
	}

	var handled atomic.Int64
	done := make(chan struct{})
	sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
			n := int64(0)
			for range set.Records() {
				n++
			}
			if handled.Add(n) == records {
				close(done)
			}
			return nil
		}), nil
	}})
	require.NoError(t, err)
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatal(handled.Load(), sub.Progress())
	}
}
