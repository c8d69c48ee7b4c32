package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestTheLeaderMovesAfterTheSteadyCalls(t *testing.T) {
	m := &mover{left: 3}
	for range steadyCalls {
		require.False(t, m.next())
	}
	for range 3 {
		require.True(t, m.next())
	}
	require.False(t, m.next())
	require.Zero(t, m.undone())
}

func TestExtraIsWhatTheLastCallTookLonger(t *testing.T) {
	took := []time.Duration{time.Second, time.Millisecond, time.Millisecond, time.Millisecond, 101 * time.Millisecond}
	require.InDelta(t, 100, extraMS(took), 0.001)
}

func TestNotLeaderNamesNoOther(t *testing.T) {
	req := kmsg.NewPtrProduceRequest()
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "a"
	topic.Partitions = append(topic.Partitions, kmsg.NewProduceRequestTopicPartition())
	req.Topics = append(req.Topics, topic)
	got := notLeader(req).Topics[0].Partitions[0]
	require.EqualValues(t, 6, got.ErrorCode)
	require.EqualValues(t, -1, got.CurrentLeader.LeaderID)
}

func TestFailoverNeedsNoBroker(t *testing.T) {
	require.Equal(t, []string{"failover", "failover-3"}, rowNames(parsed(t, "-rows", "failover").rows))
	require.False(t, parsed(t, "-rows", "failover").needsBroker())
	require.True(t, parsed(t, "-rows", "failover,sync").needsBroker())
}
