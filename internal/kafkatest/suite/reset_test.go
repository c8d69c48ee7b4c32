package suite

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// A position without a record is left as the configuration says, with an event, and
// reading goes on.
func TestResetOfAPositionOutOfRange(t *testing.T) {
	for name, c := range map[string]struct {
		reset moldau.Reset
		begin int64
		first int64 // what is handed out first, with 10 deleted and 20 written, and one more later
	}{
		"earliest":         {moldau.ResetEarliest, 3, 10},
		"latest":           {moldau.ResetLatest, 3, 20},
		"nearest, before":  {moldau.ResetNearest, 3, 10},
		"nearest, behind":  {moldau.ResetNearest, 500, 20},
		"since":            {moldau.ResetSince, 3, 10},
		"earliest, behind": {moldau.ResetEarliest, 500, 10},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
			client, seen := start(t, moldau.Config{Brokers: fake.Addrs()[0], Consume: moldau.ConsumeConfig{Reset: c.reset}})
			fill(t, ctx, client, "orders", 0, 0, 20, 1)
			newForeign(t, fake.Addrs(), nil).deleteRecords(ctx, "orders", 0, 10)
			told := seen.next(named("offset.reset"))
			records := make(chan moldau.Record, 100)
			_, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.At(c.begin), NewWorker: collect(records)})
			require.NoError(t, err)
			moved := (<-told).(telemetry.OffsetReset)
			require.Equal(t, [2]int64{c.begin, c.first}, [2]int64{moved.From, moved.To})
			require.True(t, outOfRange(moved.Err))
			fill(t, ctx, client, "orders", 0, 20, 1, 1)
			require.Equal(t, c.first, (<-records).Offset)
		})
	}
}

// chooser is a worker that says where to go on.
type chooser struct {
	moldau.Worker
	asked atomic.Int32
}

func (c *chooser) ResetOffset(_ context.Context, why error) (moldau.Position, error) {
	if c.asked.Add(1) == 1 {
		return moldau.Position{}, errors.Join(errPoison, why)
	}
	return moldau.At(15), nil
}

// With ResetSubscriber the worker is asked, and one that fails over it is restarted
// and asked again.
func TestResetByTheWorker(t *testing.T) {
	ctx := bounded(t, patience)
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, seen := start(t, moldau.Config{Brokers: fake.Addrs()[0], Consume: moldau.ConsumeConfig{Reset: moldau.ResetSubscriber}})
	fill(t, ctx, client, "orders", 0, 0, 20, 1)
	newForeign(t, fake.Addrs(), nil).deleteRecords(ctx, "orders", 0, 10)
	records := make(chan moldau.Record, 100)
	c := &chooser{}
	sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.At(3), NewWorker: func(a moldau.Assignment) (w moldau.Worker, err error) {
		c.Worker, err = collect(records)(a)
		return c, err
	}})
	require.NoError(t, err)
	require.Equal(t, int64(15), (<-records).Offset)
	require.EqualValues(t, 2, c.asked.Load())
	require.Equal(t, 1, seen.count(named("worker.failed")))
	require.Eventually(t, func() bool { return sub.Progress()[0].Next == 20 }, patience, time.Millisecond)
}

// With ResetFail the worker fails, again and again with delays, until somebody acts.
func TestResetThatFails(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		seen := &events{}
		client := b.start(moldau.Config{Telemetry: seen, Consume: moldau.ConsumeConfig{Reset: moldau.ResetFail}})
		fill(t, context.Background(), client, "orders", 0, 0, 4, 2)
		records := make(chan moldau.Record, 100)
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.At(50), NewWorker: collect(records)})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		failed := seen.count(func(e telemetry.Event) bool {
			f, ok := e.(telemetry.WorkerFailed)
			return ok && outOfRange(f.Err)
		})
		require.Greater(t, failed, 4)
		require.Less(t, failed, 100, "not without pauses")
		require.Empty(t, records)
		for sub.Seek(0, moldau.Earliest) != nil {
			time.Sleep(10 * time.Millisecond)
		}
		require.Equal(t, int64(0), (<-records).Offset)
	})
}

func outOfRange(err error) bool {
	var coded *wire.Error
	return errors.As(err, &coded) && coded.Code == wire.OffsetOutOfRange
}
