package suite

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/supervisor"
)

// TestBrokerThatFailsTwiceWhileTheClientIsBusy: the client's actor hears of an
// incarnation of a broker's actor when that has ended and the next one is up.
func TestBrokerThatFailsTwiceWhileTheClientIsBusy(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"orders": 1, "later": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	_, err := client.Topic("orders").ProduceSync(ctx, text("x"))
	require.NoError(t, err)
	brokers, root := find(t, client, "brokers").PID, client.System().Root
	living := func(not *actor.PID) (pid *actor.PID) {
		require.Eventually(t, func() bool {
			found, err := supervisor.Call(ctx, client.System(), brokers, &supervisor.FindChild{ID: "broker:0"})
			if err != nil {
				return false
			}
			pid = found.(*supervisor.ChildFound).Child.PID
			return pid != nil && !pid.Equal(not)
		}, patience, time.Millisecond)
		return pid
	}
	first := living(nil)
	busy, goOn := make(chan struct{}), make(chan struct{})
	self := find(t, client, "client").PID
	root.Send(self, &bug{func() { close(busy); <-goOn }})
	receive(t, ctx, busy, "the client's turn")
	root.Send(first, &bug{func() { panic("planted") }})
	second := living(first)
	root.Send(self, &protocol.Produce{Topic: "later"}) // is asked of the second, who has ended by then
	root.Send(second, &bug{func() { panic("planted") }})
	living(second)
	close(goOn)
	_, err = client.Topic("later").ProduceSync(ctx, text("x"))
	require.NoError(t, err)
}
