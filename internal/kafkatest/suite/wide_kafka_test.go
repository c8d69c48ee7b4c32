//go:build kafka

package suite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// TestConsumeManyPartitions is TestScaleTenThousandPartitions on a real broker.
func TestConsumeManyPartitions(t *testing.T) {
	partitions := 2000
	if soak() {
		partitions = 10_000
	}
	k := kafkatest.StartKafka(t, kafkatest.Options{HeapMB: 1024})
	begun := time.Now()
	topic := newLedTopic(t, k, "wide", partitions)
	t.Logf("%d partitions created in %v", partitions, time.Since(begun).Round(time.Millisecond))
	measureWide(t, moldau.Config{Telemetry: telemetry.Discard, Brokers: k.Addrs()[0], Consume: moldau.ConsumeConfig{MaxWait: 10 * time.Second}}, topic, partitions)
}

// creatable is how many partitions a controller makes at once.
const creatable = 5000

// newLedTopic is newTopic, and waits until every partition has its leader: a broker
// goes on making them long after it has said that the topic is there.
func newLedTopic(t *testing.T, k *kafkatest.Kafka, name string, partitions int) string {
	t.Helper()
	topic := newTopic(t, k, name, min(partitions, creatable))
	if partitions > creatable {
		newForeign(t, k.Addrs(), nil).grow(patient(t), topic, int32(partitions))
	}
	client, err := moldau.Start(patient(t), moldau.Config{Telemetry: telemetry.Discard, Brokers: k.Addrs()[0], CallTimeout: time.Minute})
	require.NoError(t, err)
	defer client.Close()
	all := make([]moldau.Partition, partitions)
	for p := range all {
		all[p] = moldau.Partition{Topic: topic, Partition: int32(p)}
	}
	require.Eventually(t, func() bool {
		_, err = client.Offsets(patient(t), moldau.Earliest, all...)
		return err == nil
	}, kafkaPatience, 100*time.Millisecond)
	return topic
}

// TestConsumeBusyAmongSilent: one partition is busy and 999 are silent, and a
// fetch for these is parked at the broker for ten seconds. A record of the busy
// one is handled some milliseconds after its ack, as it is where there is no other
// partition; none waits for the parked fetch.
func TestConsumeBusyAmongSilent(t *testing.T) {
	const silent, maxWait = 999, 10 * time.Second
	records := 500
	if soak() {
		records = 5000
	}
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	alone := journeysOf(t, k, newLedTopic(t, k, "alone", 1), 0, maxWait, records)
	t.Logf("alone: %v", alone)
	among := journeysOf(t, k, newLedTopic(t, k, "among", 1+silent), 7, maxWait, records)
	t.Logf("among 999: %v", among)
	assert.Less(t, quantile(among.fromAck, 0.99), 20*time.Millisecond)
	assert.Less(t, quantile(among.fromAck, 1), maxWait/10, "a record waited for the parked fetch")
}

// journeys are how long records took to their handler, shortest first: from
// Produce, and from their ack. What is handled before its ack has taken no time.
type journeys struct{ whole, fromAck []time.Duration }

func (j journeys) String() string {
	tell := func(what string, took []time.Duration) string {
		return fmt.Sprintf("from %s p50 %v, p99 %v, p99.9 %v, longest %v", what, quantile(took, 0.5), quantile(took, 0.99), quantile(took, 0.999), quantile(took, 1))
	}
	return fmt.Sprintf("%d records, %s; %s", len(j.whole), tell("Produce", j.whole), tell("ack", j.fromAck))
}

// journeysOf measures the records of one partition. They come at gaps of up to 40
// ms, and now and then so late that the partition has turned silent too.
func journeysOf(t *testing.T, k *kafkatest.Kafka, topic string, partition int32, maxWait time.Duration, records int) (j journeys) {
	t.Helper()
	ctx := patient(t)
	client, err := moldau.Start(ctx, moldau.Config{
		Telemetry: telemetry.Discard, Brokers: k.Addrs()[0],
		Consume: moldau.ConsumeConfig{MaxWait: maxWait}, Produce: moldau.ProduceConfig{Linger: moldau.NoLinger},
	})
	require.NoError(t, err)
	defer client.Close()
	handled := make(chan time.Time, 1)
	_, err = client.SubscribeTopic(moldau.TopicSubscriber{Topic: topic, Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(context.Context, *moldau.MessageSet) error {
			handled <- time.Now()
			return nil
		}), nil
	}})
	require.NoError(t, err)
	busy := client.Topic(topic).By(moldau.On(partition))
	_, err = busy.ProduceSync(ctx, text("the first of all opens the connections"))
	require.NoError(t, err)
	receive(t, ctx, handled, "the first record")
	time.Sleep(2 * maxWait) // all are silent, and parked
	for i := range records {
		begun := time.Now()
		_, err := busy.ProduceSync(ctx, text("busy"))
		require.NoError(t, err)
		acked := time.Now()
		done := receive(t, ctx, handled, "a record")
		j.whole, j.fromAck = append(j.whole, done.Sub(begun)), append(j.fromAck, max(done.Sub(acked), 0))
		pause := time.Duration(rand.IntN(40)) * time.Millisecond
		if i%100 == 99 {
			pause = time.Second
		}
		time.Sleep(pause)
	}
	slices.Sort(j.whole)
	slices.Sort(j.fromAck)
	return j
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
