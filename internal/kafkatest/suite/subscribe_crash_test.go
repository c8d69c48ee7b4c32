package suite

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// TestSubscribeWhileActorsRestart: whoever subscribes in the moment in which the
// supervisor of subscriptions crashes has a subscription, and no error.
func TestSubscribeWhileActorsRestart(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	for i := range 100 {
		client, err := moldau.Start(ctx, moldau.Config{Brokers: fake.Addrs()[0], Telemetry: telemetry.Discard})
		require.NoError(t, err)
		subscribers := find(t, client, "subscribers").PID
		made := make(chan struct{}, 100)
		var both sync.WaitGroup
		both.Go(func() {
			away(ctx, time.Duration(i)*time.Microsecond)
			client.System().Root.Send(subscribers, &bug{func() { panic("planted") }})
		})
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
			made <- struct{}{}
			return moldau.WorkerFunc(func(context.Context, *moldau.MessageSet) error { return nil }), nil
		}})
		both.Wait()
		require.NoError(t, err)
		receive(t, ctx, made, "a worker")
		require.NoError(t, sub.Stop(ctx), "nor when he ends it")
		require.NoError(t, client.Close())
	}
}

// TestSubscribeWhileActorsAreParked: it starts when they do.
func TestSubscribeWhileActorsAreParked(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		for range 4 {
			crash(b.t, client, "consumers")
		}
		made := make(chan struct{}, 1)
		_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
			made <- struct{}{}
			return moldau.WorkerFunc(func(context.Context, *moldau.MessageSet) error { return nil }), nil
		}})
		require.NoError(b.t, err)
		<-made
	})
}

// TestStopWhileActorsRestart: a subscription that is stopped in the moment in which
// the supervisor of subscriptions crashes is not started again.
func TestStopWhileActorsRestart(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	for i := range 100 {
		client, err := moldau.Start(ctx, moldau.Config{Brokers: fake.Addrs()[0], Telemetry: telemetry.Discard})
		require.NoError(t, err)
		records := make(chan moldau.Record)
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", NewWorker: collect(records)})
		require.NoError(t, err)
		subscribers := find(t, client, "subscribers").PID
		var both sync.WaitGroup
		both.Go(func() {
			away(ctx, time.Duration(3*i)*time.Microsecond)
			client.System().Root.Send(subscribers, &bug{func() { panic("planted") }})
		})
		require.NoError(t, sub.Stop(ctx))
		both.Wait()
		require.Eventually(t, func() bool {
			next := find(t, client, "subscribers")
			return next != nil && next.PID != nil && !next.PID.Equal(subscribers)
		}, patience, time.Millisecond)
		require.Nil(t, find(t, client, "subscribers", "orders"), "it runs though it was stopped")
		require.NoError(t, client.Close())
	}
}
