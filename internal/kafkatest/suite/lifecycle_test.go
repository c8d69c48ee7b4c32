package suite

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// soak says that tests run with their full counts.
func soak() bool { return os.Getenv("MOLDAU_SOAK") == "1" }

// TestNothingIsLeft starts and stops clients with producers and a subscriber, in
// systems of their own and in one that they share; in the end there is no
// goroutine, no process and no socket more than before.
func TestNothingIsLeft(t *testing.T) {
	cycles := 200
	if soak() {
		cycles = 1000
	}
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 2}})
	before, open := present(), sockets()
	shared := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	known := append(processes(shared), "moldau-supervision", "moldau-clients") // once for each system
	for i := range cycles {
		system := shared
		if i%10 == 0 {
			system = nil
		}
		cycle(t, fake.Addrs()[0], "orders", system)
	}
	assert.Eventually(t, func() bool { return len(processes(shared)) <= len(known) }, patience, 5*time.Millisecond)
	require.Subset(t, known, processes(shared), "processes are left in the shared system")
	shared.Shutdown()
	requireNoGoroutine(t, before)
	require.Eventually(t, func() bool { return sockets() <= open }, patience, 5*time.Millisecond, "sockets are left")
}

// TestNoTimerIsLeft lets an hour pass after the end of a client whose actors had
// timers set: one that still runs would send to an actor that is gone, which is a
// dead letter.
func TestNoTimerIsLeft(t *testing.T) {
	bubble(t, map[string]int32{"orders": 3}, func(b *bubbled) {
		client := b.start(moldau.Config{Produce: moldau.ProduceConfig{DeliveryTimeout: 10 * time.Minute}})
		records := make(chan moldau.Record, 10)
		_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: collect(records)})
		require.NoError(b.t, err)
		for p := range int32(3) {
			_, err := client.Topic("orders").By(moldau.On(p)).ProduceSync(b.t.Context(), text("x"))
			require.NoError(b.t, err)
			<-records
		}
		require.NoError(b.t, client.Close())
		time.Sleep(time.Millisecond) // connections tell of their end
		var dead atomic.Int64
		client.System().EventStream.Subscribe(func(event any) {
			if _, is := event.(*actor.DeadLetterEvent); is {
				dead.Add(1)
			}
		})
		time.Sleep(time.Hour)
		assert.Zero(b.t, dead.Load(), "messages to actors that are gone")
	})
}

// sockets are the open ones of this process; 0 where the system does not tell.
func sockets() (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// processes are the addresses of all actors and the like of a system.
func processes(system *actor.ActorSystem) []string {
	var ids []string
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		ids = append(ids, bucket.Keys()...)
	}
	return ids
}

// cycle is a whole life of a client.
func cycle(t *testing.T, address, topic string, system *actor.ActorSystem) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := moldau.Start(ctx, moldau.Config{Brokers: address, System: system, Telemetry: telemetry.Discard})
	require.NoError(t, err)
	_, err = client.Topic(topic).ProduceSync(ctx, text("x"))
	require.NoError(t, err)
	records := make(chan moldau.Record)
	_, err = client.SubscribeTopic(moldau.TopicSubscriber{Topic: topic, Begin: moldau.Earliest, NewWorker: collect(records)})
	require.NoError(t, err)
	receive(t, ctx, records, "a record")
	require.NoError(t, client.Stop(ctx))
	require.ErrorIs(t, client.Topic(topic).Produce(ctx, text("y")).Err(), moldau.ErrStopped)
}

// TestStopWaitsForHandlers: the ctx of a handler that runs ends, what it still
// finishes counts, and no handler runs when Stop has returned.
func TestStopWaitsForHandlers(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 3}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	running, ended := make(chan int32, 10), make(chan int32, 10)
	sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(ctx context.Context, _ *moldau.MessageSet) error {
			running <- a.Partition
			<-ctx.Done()
			ended <- a.Partition
			return nil
		}), nil
	}})
	require.NoError(t, err)
	for p := range int32(3) {
		_, err := client.Topic("orders").By(moldau.On(p)).ProduceSync(ctx, text("x"))
		require.NoError(t, err)
		receive(t, ctx, running, "a handler")
	}
	require.NoError(t, client.Stop(ctx))
	require.Len(t, ended, 3)
	for _, p := range sub.Progress() {
		require.EqualValues(t, 1, p.Next, "what a handler finished is acked")
	}
}

// TestStopSettlesWhatWasProduced: Stop sends what lingers.
func TestStopSettlesWhatWasProduced(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 3}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], Produce: moldau.ProduceConfig{Linger: time.Hour}})
	var pending []moldau.Pending
	for i := range 300 {
		pending = append(pending, client.Topic("orders").Produce(ctx, moldau.Record{Key: []byte{byte(i)}, Value: []byte("x")}))
	}
	require.NoError(t, client.Stop(ctx))
	for _, p := range pending {
		_, err := p.Wait(ctx)
		require.NoError(t, err)
	}
	total := int64(0)
	for _, end := range newForeign(t, fake.Addrs(), nil).ends(ctx, "orders") {
		total += end
	}
	require.EqualValues(t, 300, total)
}

// TestStopGivesUpWithItsContext: with the broker away, what was accepted fails
// with ErrStopped when Stop's time is up.
func TestStopGivesUpWithItsContext(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		orders := client.Topic("orders")
		_, err := orders.ProduceSync(b.t.Context(), text("x"))
		require.NoError(b.t, err)
		b.network.Partition("client", b.fake.Addrs()[0])
		p := orders.Produce(b.t.Context(), text("y"))
		ctx, cancel := context.WithTimeout(b.t.Context(), 7*time.Second)
		defer cancel()
		begun := time.Now()
		require.ErrorIs(b.t, client.Stop(ctx), context.DeadlineExceeded)
		require.InDelta(b.t, 7, time.Since(begun).Seconds(), 1)
		require.ErrorIs(b.t, p.Err(), moldau.ErrStopped)
	})
}

// TestHandlerThatHangsIsAbandoned: Stop does not wait for ever for a handler
// that does not heed its ctx, and what it does later counts for nothing.
func TestHandlerThatHangsIsAbandoned(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		running, release := make(chan struct{}), make(chan struct{})
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
			return moldau.WorkerFunc(func(context.Context, *moldau.MessageSet) error {
				close(running)
				<-release
				return nil
			}), nil
		}})
		require.NoError(b.t, err)
		_, err = client.Topic("orders").ProduceSync(b.t.Context(), text("x"))
		require.NoError(b.t, err)
		<-running
		begun := time.Now()
		require.NoError(b.t, client.Close())
		require.Less(b.t, time.Since(begun), 10*time.Second)
		close(release)
		time.Sleep(time.Second)
		require.EqualValues(b.t, -1, sub.Progress()[0].Next, "the set of an abandoned handler is not acked")
	})
}
