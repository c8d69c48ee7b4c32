package suite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// bubbled is a broker in a synctest bubble: time is virtual, so a test may wait
// for minutes and ends at once.
type bubbled struct {
	t       *testing.T
	network *kafkatest.Network
	fake    *kafkatest.Fake
	clients []*moldau.Client
}

// bubble runs do with a broker on a network in memory. A goroutine that is left
// a minute after its end fails the test.
func bubble(t *testing.T, topics map[string]int32, do func(b *bubbled)) {
	t.Helper()
	bubbleOf(t, kafkatest.FakeOptions{Topics: topics}, do)
}

// bubbleOf is bubble for any cluster.
func bubbleOf(t *testing.T, options kafkatest.FakeOptions, do func(b *bubbled)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := kafkatest.NewNetwork()
		options.Network = network
		fake, err := kafkatest.OpenFake(options)
		require.NoError(t, err)
		b := &bubbled{t: t, network: network, fake: fake}
		do(b)
		for _, client := range b.clients {
			_ = client.Close()
		}
		require.NoError(t, fake.Close())
		time.Sleep(time.Minute)
	})
}

// start starts a client whose host is "client". It is closed before the broker.
func (b *bubbled) start(config moldau.Config) *moldau.Client {
	b.t.Helper()
	config.Brokers, config.Dial = b.fake.Addrs()[0], b.network.From("client")
	if config.Telemetry == nil {
		config.Telemetry = telemetry.Discard
	}
	client, err := moldau.Start(b.t.Context(), config)
	require.NoError(b.t, err)
	b.clients = append(b.clients, client)
	return client
}
