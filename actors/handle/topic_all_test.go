package handle

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/record"
)

// takeAll settles whatever the slots hold, from offset 0 on, and gives what each
// partition was sent.
func takeAll(t require.TestingT, topic *Topic) map[int32][]string {
	sent := map[int32][]string{}
	for p := range topic.Count() {
		slot := topic.Slot(p)
		lease, _ := slot.Attach(nil, func(bool) {})
		for b := slot.Take(lease); b != nil; b = slot.Take(lease) {
			base := int64(len(sent[p]))
			sent[p] = append(sent[p], valuesOf(t, b)...)
			b.Release()
			slot.Settle(lease, b, base, nil)
		}
	}
	return sent
}

func numbered(n int, key func(i int) []byte) []record.Record {
	records := make([]record.Record, n)
	for i := range records {
		records[i] = record.Record{Key: key(i), Value: fmt.Appendf(nil, "value %d", i)}
	}
	return records
}

// Every record of a list has the outcome that it would have alone, wherever it
// went, and those of a partition are in order.
func TestListsAreProducedRecordByRecord(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h, topic := newHandle(t, 4, func(c *Config) { c.Produce.BatchBytes = rapid.IntRange(90, 2000).Draw(r, "batch") })
		defer h.Stop(ErrStopped)
		keys := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c"}), 0, 200).Draw(r, "keys")
		records := numbered(len(keys), func(i int) []byte {
			if keys[i] == "" {
				return nil
			}
			return []byte(keys[i])
		})
		by := rapid.SampledFrom([]behaviors.Partitioner{nil, behaviors.LikeBrod, behaviors.RoundRobin(), behaviors.On(2)}).Draw(r, "by")
		all := topic.AppendAll(context.Background(), records, by, Lingers)
		require.Equal(r, len(records), all.Len())
		sent := takeAll(r, topic)
		require.NoError(r, all.Wait(context.Background()))
		found := 0
		for i := range records {
			offset, err := all.At(i).Wait(context.Background())
			require.NoError(r, err)
			for p := range topic.Count() {
				if int(offset) < len(sent[p]) && sent[p][offset] == string(records[i].Value) {
					found++
				}
			}
		}
		require.Equal(r, len(records), found)
		require.Zero(r, h.Buffered())
	})
}

// A partitioner that keeps count is asked once for every record.
func TestListsAreDealtOutInTurn(t *testing.T) {
	_, topic := newHandle(t, 4, nil)
	topic.AppendAll(context.Background(), numbered(40, func(int) []byte { return nil }), behaviors.RoundRobin(), Lingers)
	for p, sent := range takeAll(t, topic) {
		require.Len(t, sent, 10, "partition %d", p)
	}
}

func TestARecordThatIsNotAcceptedFailsAlone(t *testing.T) {
	_, topic := newHandle(t, 4, func(c *Config) { c.Produce.BatchBytes = 100 })
	records := numbered(5, func(i int) []byte { return nil })
	records[2].Value = make([]byte, 200)
	for _, by := range []behaviors.Partitioner{nil, behaviors.On(1)} {
		all := topic.AppendAll(context.Background(), records, by, Lingers)
		takeAll(t, topic)
		require.ErrorIs(t, all.Wait(context.Background()), wire.ErrTooLarge)
		for i := range records {
			_, err := all.At(i).Wait(context.Background())
			require.Equal(t, i == 2, err != nil, "record %d: %v", i, err)
		}
	}
	wrong := topic.AppendAll(context.Background(), records, behaviors.On(9), Lingers)
	require.ErrorIs(t, wrong.Wait(context.Background()), wire.ErrUnknownTopic)
}

func TestWithAnEndedContextTheRestFails(t *testing.T) {
	_, topic := newHandle(t, 1, func(c *Config) { c.Produce.BufferBytes = 2 * chunkSize })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	records := make([]record.Record, 10)
	for i := range records {
		records[i].Value = make([]byte, chunkSize/2)
	}
	all := topic.AppendAll(ctx, records, nil, Lingers)
	require.Equal(t, 10, all.Len())
	takeAll(t, topic)
	require.ErrorIs(t, all.Wait(context.Background()), ErrBufferFull)
	accepted := 0
	for i := range records {
		_, err := all.At(i).Wait(context.Background())
		if err == nil {
			require.Equal(t, i, accepted, "the first ones are")
			accepted++
			continue
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Equal(t, 2, accepted)
}

// A list that is produced together is one run of offsets, whole or not at all.
func TestTogether(t *testing.T) {
	h, topic := newHandle(t, 4, func(c *Config) {
		c.Produce.BatchBytes, c.Produce.BufferBytes, c.Produce.MaxBlock = 3*chunkSize, 2*chunkSize, 1
	})
	ctx := context.Background()
	all := topic.AppendTogether(ctx, []byte("k"), numbered(100, func(i int) []byte { return fmt.Append(nil, i) }), nil, Lingers)
	big := make([]record.Record, 5)
	for i := range big {
		big[i].Value = make([]byte, chunkSize/2-100)
	}
	full := topic.AppendTogether(ctx, []byte("k"), big, nil, Lingers)
	require.ErrorIs(t, full.Wait(ctx), ErrBufferFull, "there is room for some, so for none")
	require.Equal(t, 5, full.Len())
	tooLarge := topic.AppendTogether(ctx, nil, append(big, big...), behaviors.On(0), Lingers)
	require.ErrorIs(t, tooLarge.Wait(ctx), wire.ErrTooLarge)
	require.ErrorIs(t, topic.AppendTogether(ctx, nil, big, behaviors.On(7), Lingers).Wait(ctx), wire.ErrUnknownTopic)
	require.NoError(t, topic.AppendTogether(ctx, nil, nil, nil, Lingers).Wait(ctx), "no records are none")

	sent := takeAll(t, topic)
	require.NoError(t, all.Wait(ctx))
	at := behaviors.ByKey([]byte("k"), 4)
	require.Len(t, sent[at], 100)
	for i := range 100 {
		offset, err := all.At(i).Wait(ctx)
		require.NoError(t, err)
		require.Equal(t, int64(i), offset)
	}
	require.Zero(t, h.Buffered())
	h.Stop(errRefused)
	require.ErrorIs(t, topic.AppendTogether(ctx, nil, big, behaviors.On(0), Lingers).Wait(ctx), errRefused)
	require.ErrorIs(t, topic.AppendAll(ctx, big, behaviors.On(0), Lingers).Wait(ctx), errRefused)
}

func TestPendings(t *testing.T) {
	var none Pendings
	require.NoError(t, none.Wait(context.Background()))
	require.Zero(t, none.Len())
	require.Panics(t, func() { none.At(0) })
	failed := AllFailed(errRefused, 3)
	require.ErrorIs(t, failed.At(2).NotAccepted(), errRefused)
	require.ErrorIs(t, failed.Wait(context.Background()), errRefused)

	_, topic := newHandle(t, 1, nil)
	open := topic.AppendAll(context.Background(), numbered(3, func(int) []byte { return nil }), nil, Lingers)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errRefused)
	require.ErrorIs(t, open.Wait(ctx), errRefused)
}
