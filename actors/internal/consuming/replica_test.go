package consuming

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// elsewhere is a core that reads from node 7, as leader 3 told it to.
func elsewhere(t *testing.T) *Core {
	t.Helper()
	c, n := reading(t)
	c.cfg.ReplicaTime = time.Minute
	a := got(10)
	a.Replica = 7
	require.Equal(t, []Action{Want{Node: 7, Number: n + 1, Offset: 10, Epoch: -1}}, c.Fetched(epoch, n, a))
	return c
}

func TestTheReplicaThatTheLeaderNames(t *testing.T) {
	c := elsewhere(t)
	out := c.Fetched(at(59*time.Second), c.Number(), got(20))
	require.Equal(t, int32(7), out[0].(Want).Node)
	out = c.Fetched(at(time.Minute), c.Number(), got(30))
	require.Equal(t, int32(3), out[0].(Want).Node, "the leader is asked again after a while")
}

func TestAReplicaThatFailsIsLeft(t *testing.T) {
	for name, fails := range map[string]func(c *Core) []Action{
		"behind": func(c *Core) []Action { return c.Fetched(epoch, c.Number(), refusal(outOfRange)) },
		"broken": func(c *Core) []Action { return c.Fetched(epoch, c.Number(), refusal(plain)) },
		"gone":   func(c *Core) []Action { return c.BrokerDown(epoch, 7, plain) },
	} {
		c := elsewhere(t)
		out := fails(c)
		require.IsType(t, Failed{}, out[0], name)
		require.Equal(t, Wake{at(50 * time.Millisecond)}, out[1], name)
		out = c.Tick(at(time.Second))
		require.Equal(t, []Action{Want{Node: 3, Number: c.Number(), Offset: 10, Epoch: -1}}, out, name)
	}
}

func TestTheReplicaIsReadOnWithoutALeader(t *testing.T) {
	c := elsewhere(t)
	n := c.Number()
	out := c.BrokerDown(epoch, 3, plain)
	require.Equal(t, []Action{Failed{plain}}, out, "the replica's answer is still to come")
	require.Equal(t, []Action{FindLeader{Stale: false}}, c.Fetched(epoch, n, got(20)))
	require.Equal(t, int32(7), c.Leader(epoch, 4)[0].(Want).Node)
}

func TestAReplicaThatIsNotAskedMayGo(t *testing.T) {
	c := elsewhere(t)
	c.Pause()
	c.Fetched(epoch, c.Number(), got(20))
	require.Empty(t, c.BrokerDown(epoch, 7, plain))
	require.Equal(t, int32(3), c.Resume(epoch)[0].(Want).Node)
}
