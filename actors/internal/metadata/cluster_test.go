package metadata

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire"
)

func none() *Cluster { return &Cluster{Topics: map[string]*Topic{}} }

func TestMergeKeepsWhatTheAnswerDoesNotName(t *testing.T) {
	old := none().merge(view(map[string][]int32{"a": {1}, "b": {2, 3}}))
	resp := view(map[string][]int32{"b": {1}})
	resp.ClusterID = kmsg.StringPtr("id")
	resp.ControllerID = 2
	resp.Brokers = resp.Brokers[1:]
	next := old.merge(resp)
	require.Equal(t, int32(1), next.Count("a"))
	require.Equal(t, int32(1), next.Count("b"))
	require.Equal(t, "id", next.ID)
	require.Equal(t, int32(2), next.Controller)
	require.Equal(t, nodes[1:], next.Brokers, "brokers are replaced")
	require.Equal(t, int32(2), old.Count("b"), "a view that was published does not change")
	require.Equal(t, "id", next.merge(view(nil)).ID, "old brokers tell no cluster id")
}

func TestLookUps(t *testing.T) {
	c := none().merge(view(map[string][]int32{"t": {1, -1}}))
	for partition, ok := range map[int32]bool{-1: false, 0: true, 1: false, 2: false} {
		_, found := c.Leader("t", partition)
		require.Equal(t, ok, found, "partition %d", partition)
	}
	_, found := c.Leader("unknown", 0)
	require.False(t, found)
	require.Zero(t, c.Count("unknown"))
	require.True(t, seeds[0].Seed())
	require.False(t, Broker{}.Seed())
}

func TestHolesInTheNumbering(t *testing.T) {
	resp := view(map[string][]int32{"t": {1, 2, 3}})
	resp.Topics[0].Partitions[1].Partition = 7
	resp.Topics[0].Partitions[2].Partition = -4
	c := none().merge(resp)
	require.Equal(t, int32(3), c.Count("t"))
	_, ok := c.Leader("t", 0)
	require.True(t, ok)
	for _, p := range c.Topics["t"].Partitions[1:] {
		require.Equal(t, Partition{Leader: -1, Epoch: -1, Err: wire.LeaderNotAvailable}, p)
	}
}

func withEpoch(id byte, leader, epoch int32) *kmsg.MetadataResponse {
	resp := view(map[string][]int32{"t": {leader}})
	resp.Topics[0].TopicID[0] = id
	resp.Topics[0].Partitions[0].LeaderEpoch = epoch
	return resp
}

func TestALaggingBrokerDoesNotBringBackAnOldLeader(t *testing.T) {
	for name, tt := range map[string]struct {
		answer *kmsg.MetadataResponse
		leader int32
	}{
		"newer":              {withEpoch(1, 2, 6), 2},
		"same":               {withEpoch(1, 2, 5), 2},
		"lagging":            {withEpoch(1, 2, 4), 1},
		"no epoch told":      {withEpoch(1, 2, -1), 2},
		"made anew":          {withEpoch(2, 2, 0), 2},
		"lagging leaderless": {withEpoch(1, -1, 4), 1},
	} {
		c := none().merge(withEpoch(1, 1, 5)).merge(tt.answer)
		require.Equal(t, tt.leader, c.Topics["t"].Partitions[0].Leader, name)
	}
	c := none().merge(withEpoch(0, 1, 5)).merge(refused("t", wire.UnknownTopicOrPartition)).merge(withEpoch(0, 2, 0))
	require.Equal(t, int32(2), c.Topics["t"].Partitions[0].Leader, "deleted, then made anew")
}

func TestNamelessTopicsAreIgnored(t *testing.T) {
	resp := view(nil)
	resp.Topics = append(resp.Topics, kmsg.NewMetadataResponseTopic())
	require.Empty(t, none().merge(resp).Topics)
}

// A broker before 2.8 names no topic ids: a topic that was made anew there has epochs
// from 0 on. One that lags tells of an old epoch too, but not for long.
func TestATopicMadeAnewWithoutAnID(t *testing.T) {
	answer := func(leader, epoch int32) *kmsg.MetadataResponse {
		resp := view(map[string][]int32{"t": {leader}})
		resp.Topics[0].Partitions[0].LeaderEpoch = epoch
		return resp
	}
	c := (&Cluster{}).merge(answer(1, 4))
	for range mostHeld {
		c = c.merge(answer(2, 0))
		leader, _ := c.Leader("t", 0)
		require.EqualValues(t, 1, leader.Leader)
	}
	lagged := c.merge(answer(1, 4))
	for range mostHeld {
		lagged = lagged.merge(answer(2, 0))
	}
	leader, _ := lagged.Leader("t", 0)
	require.EqualValues(t, 1, leader.Leader, "what agrees in between begins the count anew")

	c = c.merge(answer(2, 0))
	leader, _ = c.Leader("t", 0)
	require.EqualValues(t, 2, leader.Leader)
}
