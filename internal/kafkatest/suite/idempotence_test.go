package suite

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// TestIdempotenceWhereItCannotBeHad: a broker that gives no producer id turns it
// off with an event, or fails records of a client that insists.
func TestIdempotenceWhereItCannotBeHad(t *testing.T) {
	for _, denied := range []*kerr.Error{kerr.ClusterAuthorizationFailed, kerr.UnsupportedVersion} {
		t.Run(denied.Message, func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 3}})
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: denied, Count: -1})
			client, seen := start(t, moldau.Config{Name: "auto", Brokers: fake.Addrs()[0]})
			flow := newFlow(t, client, "orders")
			flow.subscribe()
			flow.produce(ctx, 2000)
			reader := newForeign(t, fake.Addrs(), nil)
			flow.verifyAcked(ctx, reader)
			require.Equal(t, 1, seen.count(is[telemetry.IdempotenceOff]))
			reader.read(ctx, "orders", func(r *kgo.Record) { require.EqualValues(t, -1, r.ProducerID) })

			strict, _ := start(t, moldau.Config{Name: "on", Brokers: fake.Addrs()[0], Produce: moldau.ProduceConfig{Idempotence: moldau.IdempotenceOn}})
			_, err := strict.Topic("orders").ProduceSync(ctx, text("x"))
			require.Error(t, err)
			code, _ := wire.CodeOf(err)
			require.EqualValues(t, denied.Code, code)
		})
	}
}

func TestIdempotenceIsOnWhereItCanBeHad(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	asked := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: true, Count: -1})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	flow := newFlow(t, client, "orders")
	flow.subscribe()
	flow.produce(ctx, 100)
	reader := newForeign(t, fake.Addrs(), nil)
	flow.verifyAcked(ctx, reader)
	reader.read(ctx, "orders", func(r *kgo.Record) { require.NotEqualValues(t, -1, r.ProducerID) })
	require.Equal(t, 1, asked.Hits(), "one producer id for the client")
}

func TestIdempotenceOffAsksForNothing(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	asked := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: true, Count: -1})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], Produce: moldau.ProduceConfig{Idempotence: moldau.IdempotenceOff, Acks: moldau.AcksLeader}})
	flow := newFlow(t, client, "orders")
	flow.subscribe()
	flow.produce(ctx, 100)
	flow.verifyAcked(ctx, newForeign(t, fake.Addrs(), nil))
	require.Zero(t, asked.Hits())
}
