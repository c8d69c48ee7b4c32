package handle

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// The floor goes back with the consumer, whatever is acked of the log as it was.
func TestTheFloorGoesBack(t *testing.T) {
	self, stranger := &actor.PID{Id: "consumer"}, &actor.PID{Id: "left behind"}
	p := &Progress{}
	p.SetConsumer(self)
	lease, _, _, _ := p.Attach()
	require.True(t, p.Ack(lease, 900, 900))
	p.GoBack(stranger, 0)
	require.False(t, p.Ack(lease, 50, 50), "an incarnation that was left behind changes nothing")
	p.GoBack(self, 0)
	require.True(t, p.Ack(lease, 1000, 100), "a set of the old log")
	next, acked := p.Next()
	require.True(t, acked)
	require.Zero(t, next)
	p.GoneBack(self)
	require.True(t, p.Ack(lease, 50, 50))
	require.False(t, p.Ack(lease, 40, 0), "from there on acks do not take it back")
	require.EqualValues(t, 1050, p.Handled())

	p.GoBack(self, 10)
	lease, _, next, known := p.Attach()
	require.True(t, known)
	require.EqualValues(t, 10, next, "a worker that fails meanwhile")
	require.True(t, p.Ack(lease, 20, 10))
	next, _ = p.Next()
	require.EqualValues(t, 20, next)
}
