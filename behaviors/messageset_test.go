package behaviors

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire/record"
)

// recordsFrom opens a batch of n records with the given base offset; damage
// cuts the last one short.
func recordsFrom(t *testing.T, base int64, n int, damage bool) record.Records {
	t.Helper()
	var body []byte
	for i := range n {
		body = record.Append(body, 0, int32(i), &record.Record{Key: []byte{byte(i)}, Value: []byte("value")})
	}
	if damage {
		body[len(body)-7] = 0x7f // the length of the last value
	}
	h := record.NewBatchHeader()
	h.BaseOffset, h.LastOffsetDelta, h.Count = base, int32(n-1), int32(n)
	var head [record.HeaderSize]byte
	record.PutHeader(&head, &h, body)
	batches := record.NewBatches(append(head[:], body...))
	var b record.Batch
	require.True(t, batches.Next(&b))
	records, err := b.Open(nil, 0)
	require.NoError(t, err)
	return records
}

func offsets(set *MessageSet) []int64 {
	var out []int64
	for r := range set.Records() {
		out = append(out, r.Offset)
	}
	return out
}

func TestMessageSet(t *testing.T) {
	set := SetOf("t", 3, 11, 15, 4, []record.Records{recordsFrom(t, 10, 3, false), recordsFrom(t, 13, 2, false)})
	require.Equal(t, []int64{11, 12, 13, 14}, offsets(set), "from the first on")
	require.Equal(t, []int64{11, 12, 13, 14}, offsets(set), "again")
	require.NoError(t, set.Err())
	require.Equal(t, []int64{11, 15, 4}, []int64{set.First(), set.Last(), int64(set.Count())})
	require.Zero(t, set.Lag())
	set.HighWatermark = 20
	require.Equal(t, int64(4), set.Lag())
	set.HighWatermark = 3
	require.Zero(t, set.Lag(), "never negative")
	require.Equal(t, int64(-1), set.LastStableOffset)
	for r := range set.Records() {
		require.Equal(t, "t", r.Topic)
		require.Equal(t, int32(3), r.Partition)
		require.Equal(t, "value", string(r.Value))
		break // and no panic behind it
	}
}

func TestAMalformedRecordEndsTheSet(t *testing.T) {
	set := SetOf("t", 0, 10, 16, 6, []record.Records{recordsFrom(t, 10, 3, true), recordsFrom(t, 13, 3, false)})
	require.NoError(t, set.Err())
	require.Equal(t, []int64{10, 11}, offsets(set), "nothing behind the bad one")
	require.ErrorIs(t, set.Err(), record.ErrCorrupt)
}

func TestForEach(t *testing.T) {
	stop := errors.New("stop")
	var seen []int64
	worker := ForEach(MessageFunc(func(_ context.Context, r Record) error {
		seen = append(seen, r.Offset)
		if r.Offset == 14 {
			return stop
		}
		return nil
	}))
	require.NoError(t, worker.HandleMessageSet(context.Background(), SetOf("t", 0, 10, 12, 3, []record.Records{recordsFrom(t, 10, 3, false)})))
	require.ErrorIs(t, worker.HandleMessageSet(context.Background(), SetOf("t", 0, 13, 15, 3, []record.Records{recordsFrom(t, 13, 3, false)})), stop)
	require.Equal(t, []int64{10, 11, 12, 13, 14}, seen)
	require.ErrorIs(t, worker.HandleMessageSet(context.Background(), SetOf("t", 0, 0, 2, 3, []record.Records{recordsFrom(t, 0, 3, true)})), record.ErrCorrupt)
}

func TestWorkerFunc(t *testing.T) {
	called := 0
	var w Worker = WorkerFunc(func(context.Context, *MessageSet) error { called++; return nil })
	require.NoError(t, w.HandleMessageSet(context.Background(), nil))
	require.Equal(t, 1, called)
}

func TestHeadersOf(t *testing.T) {
	h := HeadersOf(Header{Key: "a", Value: []byte("1")}, Header{Key: "b"})
	require.Equal(t, 2, h.Len())
	v, ok := h.Get("b")
	require.True(t, ok)
	require.Nil(t, v)
}

func TestPositions(t *testing.T) {
	when := time.Date(2024, 5, 6, 7, 8, 9, int(5*time.Millisecond), time.UTC)
	for _, tt := range []struct {
		position  Position
		offset    int64
		timestamp int64
		text      string
	}{
		{Position{}, -1, -1, "latest"},
		{Latest, -1, -1, "latest"},
		{Earliest, -1, -2, "earliest"},
		{At(0), 0, 0, "offset 0"},
		{At(42), 42, 0, "offset 42"},
		{AfterProcessed(42), 43, 0, "offset 43"},
		{Since(when), -1, when.UnixMilli(), "since 2024-05-06T07:08:09.005Z"},
		{Last(3), -1, -1, "last 3"},
		{Last(0), -1, -1, "latest"},
		{Last(-1), -1, -1, "latest"},
	} {
		offset, direct := tt.position.Offset()
		timestamp, lookUp := tt.position.Timestamp()
		require.NotEqual(t, direct, lookUp, "%v", tt.position)
		if direct {
			require.Equal(t, tt.offset, offset)
		} else {
			require.Equal(t, tt.timestamp, timestamp)
		}
		require.Equal(t, tt.text, tt.position.String())
	}
	back, ok := Last(3).Back()
	require.True(t, ok)
	require.EqualValues(t, 3, back)
	_, ok = At(3).Back()
	require.False(t, ok)
}
