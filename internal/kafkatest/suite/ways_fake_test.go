package suite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// wayTopics are the topics of allWays.
var wayTopics = []string{"pendings", "callbacks", "lists", "calls", "plain", "messages"}

// allWays are all ways to produce to one cluster, each to a topic of its own.
func allWays(t *testing.T, config moldau.Config, partitions int32) []*way {
	client, _ := start(t, config)
	plain, mail := config, config
	plain.Produce.Idempotence = moldau.IdempotenceOff
	mail.Telemetry = telemetry.Discard
	other, _ := start(t, plain)
	return []*way{
		byPending(t, "pendings", client, "pendings", Rules{}),
		byCallback(t, client, "callbacks"),
		byLists(t, client, "lists"),
		byCall(t, client, "calls"),
		byPending(t, "without idempotence", other, "plain", Rules{Doubles: true}),
		byMail(t, mail, "messages", partitions),
	}
}

// TestWaysToProduceWhileProducersCrash: whichever way a record was produced, it is
// in the log once (without idempotence: at least once), in order, where it was
// told.
func TestWaysToProduceWhileProducersCrash(t *testing.T) {
	ctx := bounded(t, patience)
	topics := map[string]int32{}
	for _, name := range wayTopics {
		topics[name] = 6
	}
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: topics})
	ways := allWays(t, moldau.Config{Brokers: fake.Addrs()[0]}, 6)
	// Each producer crashes as often as is mended at once.
	strike := func(turn int) int32 { return int32(turn % 6) }
	steadily(ctx, ways, 10_000, 5000, 50*time.Millisecond, strike, func() { away(ctx, 900*time.Millisecond) })
	reader := newForeign(t, fake.Addrs(), nil)
	for _, w := range ways {
		w.verify(t, ctx, reader)
	}
	require.Len(t, ways, len(wayTopics))
}

// TestMessagesWaitWhileProducersCrash: with memory for a part of them messages
// wait for room, and outlive the producers that they were sent to.
func TestMessagesWaitWhileProducersCrash(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"messages": 6}})
	config := moldau.Config{Brokers: fake.Addrs()[0], Telemetry: telemetry.Discard}
	config.Produce.BufferBytes, config.Produce.BatchBytes = 32<<10, 16<<10
	w := byMail(t, config, "messages", 6)
	strike := func(turn int) int32 { return int32(turn % 6) }
	steadily(ctx, []*way{w}, 20_000, 20_000, 50*time.Millisecond, strike, func() { away(ctx, 900*time.Millisecond) })
	w.verify(t, ctx, newForeign(t, fake.Addrs(), nil))
	t.Logf("%d messages waited", w.waited.Load())
	require.Positive(t, w.waited.Load(), "there was always room")
}
