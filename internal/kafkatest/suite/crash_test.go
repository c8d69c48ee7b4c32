package suite

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// kinds are the actors of a client's tree, one of each kind, supervisors too.
var kinds = []struct {
	name string
	path []string
}{
	{"client", []string{"client"}},
	{"broker", []string{"brokers", "broker:1"}},
	{"producer", []string{"producers", "orders", "producer:0"}},
	{"subscriber", []string{"subscribers", "orders", "subscriber"}},
	{"consumer", []string{"subscribers", "orders", "workers", "worker:orders/0", "consumer"}},
	{"handler", []string{"subscribers", "orders", "workers", "worker:orders/0", "handler"}},
	{"supervisor of a client", nil},
	{"supervisor of brokers", []string{"brokers"}},
	{"supervisor of producers", []string{"producers"}},
	{"supervisor of a topic", []string{"producers", "orders"}},
	{"supervisor of subscribers", []string{"subscribers"}},
	{"supervisor of a subscription", []string{"subscribers", "orders"}},
	{"supervisor of workers", []string{"subscribers", "orders", "workers"}},
	{"supervisor of a worker", []string{"subscribers", "orders", "workers", "worker:orders/0"}},
}

// TestCrashOfEachKindLosesNothing makes an actor panic while records flow, three
// times: what was accepted is acked exactly once, and handed out.
func TestCrashOfEachKindLosesNothing(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 3}})
			client, seen := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
			flow := newFlow(t, client, "orders")
			flow.subscribe()
			flow.produce(ctx, 1000)
			for i := range 3 {
				require.True(t, flow.handed.await(ctx, 1000*i+300), "the flow stands still: %+v", flow.history.Counts())
				crash(t, client, kind.path...)
				flow.produce(ctx, 1000)
			}
			counts := flow.verifyAcked(ctx, newForeign(t, fake.Addrs(), nil))
			require.Equal(t, 4000, counts.Produced)
			told := func(e telemetry.Event) bool {
				changed, ok := e.(telemetry.ActorChanged)
				ended := changed.State == supervisor.Failed.String() || changed.State == supervisor.StartFailed.String() // it may strike while it starts
				return ok && ended && changed.Reason != nil && strings.Contains(changed.Reason.Error(), "planted")
			}
			require.Eventually(t, func() bool { return seen.count(told) >= 3 }, patience, time.Millisecond, "each panic is told")
			require.Equal(t, 3, seen.count(told), "once")
		})
	}
}
