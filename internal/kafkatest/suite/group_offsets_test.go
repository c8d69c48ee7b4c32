package suite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/wire"
)

// TestDirectCommits: what is committed is read, by every version of the requests.
func TestDirectCommits(t *testing.T) {
	for _, version := range []string{"", "3.5", "2.8", "1.0", "0.11.0"} {
		t.Run(version, func(t *testing.T) {
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Version: version, Topics: map[string]int32{"a": 2, "b": 1}})
			client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
			ctx := bounded(t, patience)
			a0, a1, b0 := moldau.Partition{Topic: "a"}, moldau.Partition{Topic: "a", Partition: 1}, moldau.Partition{Topic: "b"}
			for _, group := range []string{"g", "h", "i"} { // coordinated by different nodes
				require.NoError(t, client.CommitOffsets(ctx, group,
					moldau.GroupOffset{Partition: b0, Offset: 7}, moldau.GroupOffset{Partition: a1, Offset: 0, Metadata: "text"}))
				list, err := client.CommittedOffsets(ctx, group, a0, a1, b0)
				require.NoError(t, err)
				require.Equal(t, []moldau.GroupOffset{{Partition: a0, Offset: -1}, {Partition: a1, Metadata: "text"}, {Partition: b0, Offset: 7}}, list)
				all, err := client.CommittedOffsets(ctx, group)
				require.NoError(t, err)
				require.ElementsMatch(t, list[1:], all)
			}
			require.NoError(t, client.CommitOffsets(ctx, "g"))
		})
	}
}

// TestDirectCommitsTellWhatIsWrong: mistakes, and groups that are not ours to commit to.
func TestDirectCommitsTellWhatIsWrong(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"a": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	ctx := bounded(t, patience)
	a0 := moldau.Partition{Topic: "a"}
	require.ErrorIs(t, client.CommitOffsets(ctx, "g", moldau.GroupOffset{Partition: a0, Offset: -1}), wire.ErrInvalid)
	err := client.CommitOffsets(ctx, "g", moldau.GroupOffset{Partition: moldau.Partition{Topic: "a", Partition: 7}})
	require.ErrorIs(t, err, wire.ErrUnknownTopic, "at once, as the cluster does not know it")
	require.NotErrorAs(t, err, new(*moldau.GaveUpError))

	join(t, fake.Addrs(), "busy", "a")
	err = client.CommitOffsets(ctx, "busy", moldau.GroupOffset{Partition: a0, Offset: 1})
	require.ErrorIs(t, err, moldau.ErrGroupInUse)
	require.ErrorContains(t, err, `"busy"`)
	require.ErrorContains(t, err, "UNKNOWN_MEMBER_ID")
	list, err := client.CommittedOffsets(ctx, "busy", a0)
	require.NoError(t, err, "reading is for everybody")
	require.EqualValues(t, -1, list[0].Offset)
}

// TestDirectCommitsFollowTheCoordinator: whatever a coordinator answers that passes
// costs a pause, and one that has moved is found again.
func TestDirectCommitsFollowTheCoordinator(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"a": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	ctx := bounded(t, patience)
	place := moldau.GroupOffset{Partition: moldau.Partition{Topic: "a"}, Offset: 1}
	require.NoError(t, client.CommitOffsets(ctx, "g", place))
	finds := 0
	fake.ControlKey(int16(kmsg.FindCoordinator), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		finds++
		return nil, nil, false
	})
	require.NoError(t, client.CommitOffsets(ctx, "g", place))
	require.Zero(t, finds, "it is remembered")
	fake.RehashCoordinators()
	require.NoError(t, client.CommitOffsets(ctx, "g", place), "it moved")
	finds = 0
	for i, code := range []wire.Code{wire.NotCoordinator, wire.CoordinatorNotAvailable, wire.CoordinatorLoadInProgress} {
		fake.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
			return refuseCommit(req.(*kmsg.OffsetCommitRequest), code), nil, true
		})
		require.NoError(t, client.CommitOffsets(ctx, "g", place), "%v", code)
		require.Equal(t, i+1, finds, "%v: it is found again", code)
	}
}

// join makes a group that has a member.
func join(t *testing.T, addrs []string, group, topic string) {
	t.Helper()
	member := newForeign(t, addrs, nil).open(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit())
	require.Eventually(t, func() bool {
		_, generation := member.GroupMetadata()
		return generation > 0
	}, patience, time.Millisecond, "the group has a member")
}

func refuseCommit(req *kmsg.OffsetCommitRequest, code wire.Code) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewOffsetCommitResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			partition := kmsg.NewOffsetCommitResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, int16(code)
			topic.Partitions = append(topic.Partitions, partition)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}
