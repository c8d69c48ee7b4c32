package suite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// TestErrorsThatPass answers requests with an error three times. With some, the
// broker has written the batch all the same: it must not be written again.
func TestErrorsThatPass(t *testing.T) {
	for _, fault := range []kfake.Fault{
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.KafkaStorageError},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.FencedLeaderEpoch},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.UnknownLeaderEpoch},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.UnknownServerError, TopLevel: true},
		{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorLoadInProgress},
	} {
		fault.Count = 3
		t.Run(fault.Keys[0].Name()+" "+fault.Err.Message, func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 3}})
			handle := fake.Fault(fault)
			client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
			flow := newFlow(t, client, "orders")
			flow.subscribe()
			for i := range 10 {
				flow.produce(ctx, 100)
				require.True(t, flow.acked.await(ctx, 100*i), "%+v", flow.history.Counts())
			}
			// A consumer may ask later than the records are acked, and the foreign client must not meet the fault.
			require.Eventually(t, func() bool { return handle.Hits() == 3 }, patience, time.Millisecond)
			flow.verifyAcked(ctx, newForeign(t, fake.Addrs(), nil))
		})
	}
}

// TestLeadersMove moves every partition from node to node while records flow.
func TestLeadersMove(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 3}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	flow := newFlow(t, client, "orders")
	flow.subscribe()
	for i := range 6 {
		flow.produce(ctx, 500)
		require.True(t, flow.acked.await(ctx, 500*i+100), "%+v", flow.history.Counts())
		for p := range int32(3) {
			leader := fake.LeaderFor("orders", p)
			require.NoError(t, fake.MoveTopicPartition("orders", p, (leader+1)%3))
		}
	}
	flow.verifyAcked(ctx, newForeign(t, fake.Addrs(), nil))
}

// TestConnectionsBreak ends connections in every way while records flow.
func TestConnectionsBreak(t *testing.T) {
	cut := func(faults kafkatest.Faults) func(*testing.T, *kafkatest.Proxy, func()) {
		return func(t *testing.T, p *kafkatest.Proxy, produce func()) {
			before := p.Stats().Cuts
			p.Set(faults)
			require.Eventually(t, func() bool { produce(); return p.Stats().Cuts > before }, patience, time.Millisecond, "nothing was cut")
			p.Set(kafkatest.Faults{})
		}
	}
	for name, fault := range map[string]func(t *testing.T, p *kafkatest.Proxy, produce func()){
		"reset":            func(_ *testing.T, p *kafkatest.Proxy, _ func()) { p.Reset() },
		"half open":        func(_ *testing.T, p *kafkatest.Proxy, _ func()) { p.HalfOpen() },
		"cut in a request": cut(kafkatest.Faults{Up: kafkatest.Flow{CutAfter: 1500}}),
		"cut in an answer": cut(kafkatest.Faults{Down: kafkatest.Flow{CutAfter: 1500, CutReset: true}}),
		"refused for a while": func(t *testing.T, p *kafkatest.Proxy, _ func()) {
			p.Down()
			require.NoError(t, p.Up())
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 2, Proxies: true, Topics: map[string]int32{"orders": 3}})
			client, _ := start(t, moldau.Config{
				Brokers: fake.Addrs()[0] + "," + fake.Addrs()[1], CoolDown: 10 * time.Millisecond, ConnectTimeout: 300 * time.Millisecond, RequestTimeout: 200 * time.Millisecond,
				Produce: moldau.ProduceConfig{AckTimeout: 100 * time.Millisecond},
				Consume: moldau.ConsumeConfig{MaxWait: 50 * time.Millisecond},
			})
			for p := range int32(3) { // so that every node has something to do
				require.NoError(t, fake.MoveTopicPartition("orders", p, p%2))
			}
			flow := newFlow(t, client, "orders")
			flow.subscribe()
			for i := range 2 {
				flow.produce(ctx, 500)
				require.True(t, flow.handed.await(ctx, 500*i+50), "%+v", flow.history.Counts())
				fault(t, fake.Proxy(i), func() { flow.produce(ctx, 20) })
			}
			flow.verifyAcked(ctx, newForeign(t, fake.Addrs(), nil))
		})
	}
}
