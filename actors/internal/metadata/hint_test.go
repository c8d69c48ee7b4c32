package metadata

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// settled is a core that knows topic t, whose partition 0 is led by node 1 in
// epoch 4, and nodes 1 and 2.
func settled(t *testing.T) *Core {
	t.Helper()
	c := New(testConfig(), first)
	c.Resume(&Cluster{
		Brokers: []Broker{{ID: 1, Host: "one", Port: 9092, Rack: "a"}, {ID: 2, Host: "two", Port: 9092}},
		Topics:  map[string]*Topic{"t": {Name: "t", Partitions: []Partition{{Leader: 1, Epoch: 4}}}},
	})
	return c
}

func TestAHintIsTheNewLeader(t *testing.T) {
	c := settled(t)
	old := c.Cluster()
	out := c.Hint(epoch, Hint{Topic: "t", Leader: 2, Epoch: 5})
	require.Equal(t, Publish{c.Cluster()}, out[0])
	leader, ok := c.Cluster().Leader("t", 0)
	require.True(t, ok)
	require.Equal(t, Partition{Leader: 2, Epoch: 5}, leader)
	was, _ := old.Leader("t", 0)
	require.EqualValues(t, 1, was.Leader, "a published view never changes")
	require.Equal(t, []Action{Tell{"who", nil}}, c.NeedNewer(epoch, "who", "t", 0, 5), "and an answer at once, without a question")
}

func TestAHintThatChangesNothing(t *testing.T) {
	for name, h := range map[string]Hint{
		"the same epoch":    {Topic: "t", Leader: 2, Epoch: 4},
		"an older epoch":    {Topic: "t", Leader: 2, Epoch: 3},
		"no leader":         {Topic: "t", Leader: -1, Epoch: 5},
		"another topic":     {Topic: "u", Leader: 2, Epoch: 5},
		"another partition": {Topic: "t", Partition: 1, Leader: 2, Epoch: 5},
		"no address":        {Topic: "t", Leader: 3, Epoch: 5},
	} {
		c := settled(t)
		before := c.Cluster()
		require.Nil(t, c.Hint(epoch, h), name)
		require.Same(t, before, c.Cluster(), name)
	}
}

func TestAHintAtABrokerThatIsNewOrMoved(t *testing.T) {
	c := settled(t)
	three := Broker{ID: 3, Host: "three", Port: 9092}
	out := c.Hint(epoch, Hint{Topic: "t", Leader: 3, Epoch: 5, Brokers: []Broker{three}})
	require.Contains(t, out[1].(SetBrokers).Brokers, three)
	moved := Broker{ID: 1, Host: "elsewhere", Port: 9093}
	c.Hint(epoch, Hint{Topic: "t", Leader: 1, Epoch: 6, Brokers: []Broker{moved}})
	moved.Rack = "a"
	require.Contains(t, c.Cluster().Brokers, moved)
	require.Len(t, c.Cluster().Brokers, 3)
}

// A hint answers those who wait for a newer leader already.
func TestAHintAnswersWhoWaits(t *testing.T) {
	c := settled(t)
	c.Start(epoch)
	require.NotContains(t, c.NeedNewer(epoch, "who", "t", 0, 5), Tell{"who", nil})
	require.Contains(t, c.Hint(epoch.Add(time.Millisecond), Hint{Topic: "t", Leader: 2, Epoch: 5}), Tell{"who", nil})
}

// A lagging broker's answer does not take a hint back.
func TestAHintOutlivesALaggingAnswer(t *testing.T) {
	c := settled(t)
	c.Hint(epoch, Hint{Topic: "t", Leader: 2, Epoch: 5})
	lagging := &Topic{Name: "t", Partitions: []Partition{{Leader: 1, Epoch: 4}}}
	require.EqualValues(t, 2, lagging.keepLeaders(c.Cluster().Topics["t"]).Partitions[0].Leader)
}

// A hint that moves the broker that is being asked ends its actor, which answers
// nothing any more: it is asked again at its new place.
func TestAHintThatMovesWhoIsAsked(t *testing.T) {
	c := New(testConfig(), first)
	c.Resume(&Cluster{
		Brokers: []Broker{{ID: 1, Host: "one", Port: 9092}},
		Topics:  map[string]*Topic{"t": {Name: "t", Partitions: []Partition{{Leader: 1, Epoch: 4}}}},
	})
	c.Start(epoch)
	asked := only[Ask](t, c.BrokerUp(epoch, 1))
	c.Hint(epoch, Hint{Topic: "t", Leader: 1, Epoch: 5, Brokers: []Broker{{ID: 1, Host: "elsewhere", Port: 9092}}})
	again := only[Ask](t, c.BrokerUp(at(time.Second), 1))
	require.EqualValues(t, 1, again.Broker)
	require.Nil(t, c.Answer(at(2*time.Second), asked.Number, view(nil), nil), "the old one counts no more")
}
