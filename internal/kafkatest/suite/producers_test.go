package suite

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// Batches of topics that want other acks go in requests of their own, each as its
// topic's settings say.
func TestEveryTopicIsProducedToAsItsSettingsSay(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"all": 2, "leader": 2, "none": 2}})
	var wrong atomic.Int64
	seen := map[string]*atomic.Int64{"all": {}, "leader": {}, "none": {}}
	fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		req := r.(*kmsg.ProduceRequest)
		for _, topic := range req.Topics {
			seen[topic.Topic].Add(1)
			if req.Acks != map[string]int16{"all": -1, "leader": 1, "none": 0}[topic.Topic] || topic.Topic == "leader" && req.TimeoutMillis != 1234 {
				wrong.Add(1)
			}
		}
		return nil, nil, false
	})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], Topics: map[string]moldau.ProduceConfig{
		"leader": {Acks: moldau.AcksLeader, AckTimeout: 1234 * time.Millisecond, Linger: moldau.NoLinger},
		"none":   {Acks: moldau.AcksNone, Codec: moldau.Gzip},
	}})
	for range 50 {
		for name := range seen {
			require.NoError(t, client.Topic(name).Produce(ctx, text("x")).NotAccepted())
		}
	}
	for name := range seen {
		require.NoError(t, client.Topic(name).Flush(ctx))
		require.Eventually(t, func() bool { return seen[name].Load() > 0 }, patience, time.Millisecond, "%s: nobody waits for a broker to have read it", name)
	}
	require.Zero(t, wrong.Load())
}

// Idempotence is each topic's own affair: one asks for it, one goes without.
func TestIdempotenceOfTopics(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"must": 1, "may": 1}})
	fake.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		resp := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = 31 // CLUSTER_AUTHORIZATION_FAILED
		return resp, nil, true
	})
	client, seen := start(t, moldau.Config{Brokers: fake.Addrs()[0], Topics: map[string]moldau.ProduceConfig{"must": {Idempotence: moldau.IdempotenceOn}}})
	_, err := client.Topic("must").ProduceSync(ctx, text("x"))
	require.Error(t, err)
	for range 3 {
		_, err = client.Topic("may").ProduceSync(ctx, text("x"))
		require.NoError(t, err)
	}
	_, err = client.Topic("must").ProduceSync(ctx, text("x"))
	require.Error(t, err, "still")
	require.Equal(t, 1, seen.count(func(e telemetry.Event) bool { _, off := e.(telemetry.IdempotenceOff); return off }))
}

func TestStartStopAndAbortProducers(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"orders": 2}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], NoAutoProducers: true, Produce: moldau.ProduceConfig{Linger: time.Hour}})
	_, err := client.Topic("orders").ProduceSync(ctx, text("x"))
	require.ErrorIs(t, err, moldau.ErrNoProducers)

	long := moldau.ProduceConfig{Linger: time.Hour}
	require.NoError(t, client.StartProducers(ctx, "orders", long))
	require.NoError(t, client.StartProducers(ctx, "orders", long), "the same again")
	var other *moldau.OtherTopicConfigError
	require.ErrorAs(t, client.StartProducers(ctx, "orders", moldau.ProduceConfig{}), &other)
	require.Equal(t, []string{"Linger"}, other.Differ)
	var wrong *moldau.ConfigError
	require.ErrorAs(t, client.StartProducers(ctx, "others", moldau.ProduceConfig{BatchBytes: -1, BufferBytes: 5}), &wrong)
	require.Len(t, wrong.Mistakes, 2)

	orders := client.Topic("orders")
	first := orders.Produce(ctx, text("a"))
	require.NoError(t, client.StopProducers(ctx, "orders"), "it is sent in spite of the linger")
	_, err = first.Wait(ctx)
	require.NoError(t, err)
	require.ErrorIs(t, orders.Produce(ctx, text("b")).Err(), moldau.ErrNoProducers)
	require.NoError(t, client.StopProducers(ctx, "orders"), "there are none")

	require.NoError(t, client.StartProducers(ctx, "orders", long))
	again := client.Topic("orders")
	_, err = again.ProduceSync(ctx, text("c"))
	require.NoError(t, err, "there are producers again")
	open := again.Produce(ctx, text("d"))
	client.AbortProducers("orders")
	_, err = open.Wait(ctx)
	require.ErrorIs(t, err, moldau.ErrAborted)

	require.NoError(t, client.StartProducers(ctx, "orders", long))
	fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		return nil, errors.New("no answer"), true
	})
	stuck := client.Topic("orders").Produce(ctx, text("e"))
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, client.StopProducers(short, "orders"), context.DeadlineExceeded)
	_, err = stuck.Wait(ctx)
	require.ErrorIs(t, err, moldau.ErrStopped)
	require.Zero(t, client.Buffered())
}

// Producing that never waits: until the topic is known, and when there is no room.
func TestProduceNoAck(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"fails": 1, "drops": 1}})
	client, seen := start(t, moldau.Config{
		Brokers: fake.Addrs()[0], Produce: moldau.ProduceConfig{BufferBytes: 64 << 10},
		Topics: map[string]moldau.ProduceConfig{
			"fails": {Linger: time.Hour, OnFull: moldau.FullFails}, "drops": {Linger: time.Hour, OnFull: moldau.FullDrops},
		},
	})
	fails, drops := client.Topic("fails"), client.Topic("drops")
	require.ErrorIs(t, fails.ProduceNoAck(text("x")), moldau.ErrNotReady)
	require.NoError(t, drops.ProduceNoAck(text("x")), "dropped")
	require.EqualValues(t, 1, client.Dropped())
	require.NoError(t, fails.Ready(ctx))
	require.Eventually(t, func() bool { return drops.ProduceNoAck(text("x")) == nil && client.Buffered() > 0 }, patience, time.Millisecond, "the topic was looked up behind the scenes")

	fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		return nil, errors.New("no answer"), true
	})
	before := client.Dropped()
	big := moldau.Record{Value: make([]byte, 20_000)}
	for client.Buffered() < 40_000 {
		require.NoError(t, drops.ProduceNoAck(big))
	}
	for range 10 {
		require.NoError(t, drops.ProduceNoAck(big))
	}
	require.ErrorIs(t, drops.Produce(ctx, big).Err(), moldau.ErrDropped)
	require.ErrorIs(t, drops.ProduceAll(ctx, []moldau.Record{big, big}).At(1).Err(), moldau.ErrDropped)
	require.Equal(t, before+10+3, client.Dropped())
	require.ErrorIs(t, fails.ProduceNoAck(big), moldau.ErrBufferFull)
	begun := time.Now()
	require.ErrorIs(t, fails.Produce(ctx, big).Err(), moldau.ErrBufferFull)
	require.Less(t, time.Since(begun), 10*time.Second, "it does not wait")
	require.LessOrEqual(t, client.Buffered(), 64<<10)
	require.Positive(t, seen.count(func(e telemetry.Event) bool { _, drop := e.(telemetry.RecordsDropped); return drop }))
	client.AbortProducers("fails")
	client.AbortProducers("drops")
}
