//go:build kafka

package suite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// TestLifecycleStartsBeforeItsBroker: a client of a broker that is down comes
// up; what is produced waits for it.
func TestLifecycleStartsBeforeItsBroker(t *testing.T) {
	ctx := patient(t)
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	topic := newTopic(t, k, "orders", 3)
	require.NoError(t, k.Node(0).Terminate(ctx))
	client, seen := start(t, moldau.Config{Brokers: k.Addrs()[0]})
	failed := seen.next(is[telemetry.ConnectFailed])
	flow := newFlow(t, client, topic)
	flow.subscribe()
	produced := make(chan struct{})
	go func() {
		defer close(produced)
		flow.produce(ctx, 5000)
	}()
	receive(t, ctx, failed, "a failed connect")
	require.NoError(t, k.Node(0).Restart(ctx))
	receive(t, ctx, produced, "the end of producing")
	flow.verifyAcked(ctx, newForeign(t, k.Addrs(), nil))
}

// TestLifecycleCycles starts and stops clients on a real broker.
func TestLifecycleCycles(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	topic := newTopic(t, k, "orders", 3)
	before := present()
	cycles := 50
	if soak() {
		cycles = 1000
	}
	for range cycles {
		cycle(t, k.Addrs()[0], topic, nil)
	}
	requireNoGoroutine(t, before)
}

// TestLifecycleGoesOnFromItsAcks: a subscription that begins at a stored
// position reads every record once over several clients.
func TestLifecycleGoesOnFromItsAcks(t *testing.T) {
	ctx := patient(t)
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	topic := newTopic(t, k, "orders", 1)
	next := int64(0)
	for range 5 {
		client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
		for range 100 {
			client.Topic(topic).Produce(ctx, text("x"))
		}
		require.NoError(t, client.Topic(topic).Flush(ctx))
		records := make(chan moldau.Record, 100)
		_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: topic, Begin: moldau.At(next), NewWorker: collect(records)})
		require.NoError(t, err)
		for range 100 {
			require.Equal(t, next, receive(t, ctx, records, "a record").Offset)
			next++
		}
		require.NoError(t, client.Close())
	}
}

// TestLifecycleUnknownTopic: a record to a topic that is not there fails at once
// on brokers that do not create topics.
func TestLifecycleUnknownTopic(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	client, _ := start(t, moldau.Config{Brokers: k.Addrs()[0]})
	_, err := client.Topic("oders").ProduceSync(patient(t), text("x"))
	requireUnknownTopic(t, err)
}
