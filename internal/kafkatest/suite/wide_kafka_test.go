//go:build kafka

package suite

import (
	"context"
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
// fetch for these is parked at the broker for ten seconds. What a record of the
// busy one takes from Produce to its handler is what it takes where there is no
// other partition, and some milliseconds; none waits for the parked fetch.
func TestConsumeBusyAmongSilent(t *testing.T) {
	const silent, maxWait = 999, 10 * time.Second
	records := 500
	if soak() {
		records = 20_000
	}
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	alone := journeys(t, k, newLedTopic(t, k, "alone", 1), 0, maxWait, records)
	among := journeys(t, k, newLedTopic(t, k, "among", 1+silent), 7, maxWait, records)
	for what, took := range map[string][]time.Duration{"alone": alone, "among 999": among} {
		t.Logf("%s: %d records from Produce to handler: p50 %v, p99 %v, p99.9 %v, longest %v", what, records,
			quantile(took, 0.5), quantile(took, 0.99), quantile(took, 0.999), took[len(took)-1])
	}
	assert.Less(t, quantile(among, 0.99), quantile(alone, 0.99)+20*time.Millisecond)
	assert.Less(t, among[len(among)-1], maxWait/10, "a record waited for the parked fetch")
}

// journeys are the times from Produce to the handler of records of one partition,
// shortest first. They come at gaps of up to 40 ms, and now and then so late that
// the partition has turned silent too.
func journeys(t *testing.T, k *kafkatest.Kafka, topic string, partition int32, maxWait time.Duration, records int) []time.Duration {
	t.Helper()
	ctx := patient(t)
	client, err := moldau.Start(ctx, moldau.Config{Telemetry: telemetry.Discard, Brokers: k.Addrs()[0], Consume: moldau.ConsumeConfig{MaxWait: maxWait}, Produce: moldau.ProduceConfig{Linger: moldau.NoLinger}})
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
	time.Sleep(3 * maxWait) // all are silent, and parked
	took := make([]time.Duration, records)
	for i := range took {
		begun := time.Now()
		require.NoError(t, busy.Produce(ctx, text("busy")).Err())
		took[i] = receive(t, ctx, handled, "a record").Sub(begun)
		pause := time.Duration(rand.IntN(40)) * time.Millisecond
		if i%100 == 99 {
			pause = time.Second
		}
		time.Sleep(pause)
	}
	slices.Sort(took)
	return took
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
