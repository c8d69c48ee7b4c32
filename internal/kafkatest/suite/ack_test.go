package suite

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// laterWorker puts its acks off, in every way that there is.
type laterWorker struct {
	assignment moldau.Assignment
	running    *atomic.Int32
	most       *atomic.Int32
	sets       chan<- *moldau.MessageSet
	ended      chan<- error
}

func (w *laterWorker) HandleMessageSet(_ context.Context, set *moldau.MessageSet) error {
	if n := w.running.Add(1); n > w.most.Load() {
		w.most.Store(n)
	}
	defer w.running.Add(-1)
	switch set.First() % 3 {
	case 0: // before it returns
		w.assignment.Ack(set.Last())
	case 1: // from elsewhere, perhaps before it returns
		go w.assignment.Ack(set.Last())
	default: // in parts, after it returned
		go func() {
			for offset := set.First(); offset <= set.Last(); offset++ {
				w.assignment.Ack(offset)
			}
		}()
	}
	w.sets <- set
	return moldau.AckLater
}

func (w *laterWorker) Terminate(reason error) { w.ended <- reason }

// Sets that are acked later come one at a time, each once, and to put an ack off
// is no failure.
func TestAckLater(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, err := moldau.Start(t.Context(), moldau.Config{Brokers: fake.Addrs()[0], Telemetry: telemetry.Discard})
	require.NoError(t, err)
	var running, most atomic.Int32
	sets, ended := make(chan *moldau.MessageSet, 1000), make(chan error, 1)
	sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
		return &laterWorker{a, &running, &most, sets, ended}, nil
	}})
	require.NoError(t, err)
	next := int64(0)
	for range 100 {
		_, err := client.Topic("orders").ProduceSync(t.Context(), moldau.Record{Value: []byte("order")})
		require.NoError(t, err)
		set := <-sets
		require.Equal(t, next, set.First())
		next = set.Last() + 1
	}
	require.Eventually(t, func() bool { return sub.Progress()[0].Next == next }, patience, time.Millisecond)
	require.EqualValues(t, 1, most.Load(), "two calls at once for one partition")
	require.NoError(t, client.Stop(t.Context()))
	require.NoError(t, <-ended, "an ordinary stop has no reason")
}

// A worker whose user keeps its own offsets begins where they say, and after a
// failure goes on from there as long as nothing is acked.
func TestOwnCommittedOffset(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, err := moldau.Start(t.Context(), moldau.Config{Brokers: fake.Addrs()[0], Telemetry: telemetry.Discard})
	require.NoError(t, err)
	defer client.Close()
	for range 10 {
		_, err := client.Topic("orders").ProduceSync(t.Context(), moldau.Record{Value: []byte("order")})
		require.NoError(t, err)
	}
	var asked atomic.Int32
	first := make(chan int64, 10)
	_, err = client.SubscribeTopic(moldau.TopicSubscriber{
		Topic: "orders",
		Committed: func(context.Context, string, int32) (moldau.Position, error) {
			asked.Add(1)
			return moldau.AfterProcessed(6), nil
		},
		NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
			return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
				first <- set.First()
				if a.Restarts == 0 {
					return errors.New("the first one fails")
				}
				return nil
			}), nil
		},
	})
	require.NoError(t, err)
	require.EqualValues(t, 7, <-first)
	require.EqualValues(t, 7, <-first)
	require.EqualValues(t, 1, asked.Load())
}

// The name of a subscription is free once a Stop has seen it gone, and not
// before; stopping an old one does not touch a new one of its name.
func TestSubscriptionNameAndStop(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, err := moldau.Start(t.Context(), moldau.Config{Brokers: fake.Addrs()[0], Telemetry: telemetry.Discard})
	require.NoError(t, err)
	defer client.Close()
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hanging := moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(context.Context, *moldau.MessageSet) error {
			once.Do(func() { close(entered) })
			<-release
			return nil
		}), nil
	}}
	old, err := client.SubscribeTopic(hanging)
	require.NoError(t, err)
	_, err = client.Topic("orders").ProduceSync(t.Context(), moldau.Record{Value: []byte("order")})
	require.NoError(t, err)
	<-entered
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, old.Stop(ended), context.Canceled)
	_, err = client.SubscribeTopic(hanging)
	require.ErrorIs(t, err, moldau.ErrDuplicate)
	close(release)
	require.NoError(t, old.Stop(t.Context()))
	_, err = client.SubscribeTopic(hanging)
	require.NoError(t, err)
	require.NoError(t, old.Stop(t.Context()), "it is gone already")
	_, err = client.SubscribeTopic(hanging)
	require.ErrorIs(t, err, moldau.ErrDuplicate, "the new one lives on")
}

// Callbacks come in order, and one that panics or ends its goroutine ends
// nothing but itself.
func TestCallbacks(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, err := moldau.Start(t.Context(), moldau.Config{Brokers: fake.Addrs()[0], Telemetry: telemetry.Discard})
	require.NoError(t, err)
	defer client.Close()
	made := make(chan int64, 100)
	for i := range 100 {
		require.NoError(t, client.Topic("orders").ProduceFunc(t.Context(), moldau.Record{Value: []byte("order")}, func(offset int64, err error) {
			made <- offset
			switch i % 10 {
			case 3:
				panic("a callback")
			case 7:
				runtime.Goexit()
			}
		}))
	}
	for i := range int64(100) {
		require.Equal(t, i, <-made)
	}
}

// With nobody to ack, a record is acked once it is written, at an offset that is
// not known; and it is there.
func TestAcksNone(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, err := moldau.Start(t.Context(), moldau.Config{Brokers: fake.Addrs()[0], Telemetry: telemetry.Discard, Produce: moldau.ProduceConfig{Acks: moldau.AcksNone}})
	require.NoError(t, err)
	defer client.Close()
	for range 10 {
		offset, err := client.Topic("orders").ProduceSync(t.Context(), moldau.Record{Value: []byte("order")})
		require.NoError(t, err)
		require.EqualValues(t, -1, offset)
	}
	require.Eventually(t, func() bool {
		end, err := client.Offset(t.Context(), "orders", 0, moldau.Latest)
		return err == nil && end == 10
	}, patience, time.Millisecond)
}
