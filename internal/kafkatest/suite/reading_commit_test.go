package suite

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/wire"
)

// placeOf is what a group has committed in a partition.
func placeOf(t *testing.T, ctx context.Context, client *moldau.Client, group string, partition int32) int64 {
	t.Helper()
	list, err := client.CommittedOffsets(ctx, group, moldau.Partition{Topic: "orders", Partition: partition})
	require.NoError(t, err)
	return list[0].Offset
}

// TestReadCommits: a group goes on where the loop was left, the record that it was
// left at included, and at the end behind the last.
func TestReadCommits(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 2, Topics: map[string]int32{"orders": 2}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	fill(t, ctx, client, "orders", 0, 0, 10, 3)
	options := moldau.ReadOptions{CommitTo: "billing", Partitions: []int32{0}}
	for _, step := range []struct {
		leaveAt, begins, commits int64
	}{{3, 0, 3}, {3, 3, 3}, {4, 3, 4}, {100, 4, 10}, {100, 10, 10}} {
		begins := int64(10)
		reader := client.Read("orders", moldau.Earliest, options)
		for r := range reader.Records(ctx) {
			begins = min(begins, r.Offset)
			if r.Offset == step.leaveAt {
				break
			}
		}
		require.NoError(t, reader.Err())
		require.Equal(t, step.begins, begins)
		require.Equal(t, step.commits, reader.Next()[0])
		require.Equal(t, step.commits, placeOf(t, ctx, client, "billing", 0))
	}
	require.EqualValues(t, -1, placeOf(t, ctx, client, "billing", 1), "it was not read")

	options = moldau.ReadOptions{CommitTo: "others"}
	require.Empty(t, read(ctx, client.Read("orders", moldau.Latest, options)))
	require.EqualValues(t, -1, placeOf(t, ctx, client, "others", 0), "nothing was done")
	options.Resume = map[int32]int64{0: 7}
	require.Equal(t, offsets(7, 10), read(ctx, client.Read("orders", moldau.Latest, options))[0])
	require.EqualValues(t, 10, placeOf(t, ctx, client, "others", 0))
	options.Resume[0] = 2
	require.Equal(t, offsets(2, 10), read(ctx, client.Read("orders", moldau.Latest, options))[0], "what is said goes before what is committed")

	require.Panics(t, func() {
		for r := range client.Read("orders", moldau.Earliest, moldau.ReadOptions{CommitTo: "hasty"}).Records(ctx) {
			if r.Offset == 5 {
				panic("mine")
			}
		}
	})
	require.EqualValues(t, 5, placeOf(t, ctx, client, "hasty", 0))
}

// TestReadCommitsInTime: every interval, in the loop and while it waits, and once
// more when ctx has ended.
func TestReadCommitsInTime(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		ctx := b.t.Context()
		client := b.start(moldau.Config{})
		fill(b.t, ctx, client, "orders", 0, 0, 10, 10)
		stop := errors.New("enough")
		limited, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{CommitTo: "billing", Follow: moldau.Forever})
		for r := range reader.Records(limited) {
			switch r.Offset {
			case 1, 2:
				time.Sleep(3 * time.Second)
			case 4:
				require.EqualValues(b.t, 3, placeOf(b.t, ctx, client, "billing", 0), "after 6 s")
			case 9:
				time.AfterFunc(6*time.Second, func() {
					require.EqualValues(b.t, 10, placeOf(b.t, ctx, client, "billing", 0))
					fill(b.t, ctx, client, "orders", 0, 10, 2, 2)
				})
			case 11:
				cancel(stop)
			}
		}
		require.Equal(b.t, stop, reader.Err(), "the last commit goes well")
		require.EqualValues(b.t, 12, placeOf(b.t, ctx, client, "billing", 0))
	})
}

// TestReadCommitRefused: by a group that has members, and by brokers.
func TestReadCommitRefused(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	fill(t, ctx, client, "orders", 0, 0, 10, 3)
	join(t, fake.Addrs(), "billing", "orders")
	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{CommitTo: "billing"})
	require.Equal(t, offsets(0, 10), read(ctx, reader)[0])
	require.ErrorIs(t, reader.Err(), moldau.ErrGroupInUse)
	require.ErrorContains(t, reader.Err(), "billing")
	require.EqualValues(t, 10, reader.Next()[0])

	refusals := 0
	fake.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		refusals++
		return refuseCommit(req.(*kmsg.OffsetCommitRequest), wire.GroupAuthorizationFailed), nil, true
	})
	reader = client.Read("orders", moldau.Earliest, moldau.ReadOptions{CommitTo: "secret", CommitEvery: 1})
	seen := read(ctx, reader)[0]
	require.ErrorIs(t, reader.Err(), wire.ErrAuthorization)
	require.Len(t, seen, 1, "the loop ends with the first that is refused")
	require.Equal(t, 1, refusals, "once")
}
