package handle

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

var errRefused = errors.New("refused")

// newHandle is a handle that has no actors, and its topic with partitions.
func newHandle(t testing.TB, partitions int32, change func(*Config)) (*Handle, *Topic) {
	t.Helper()
	config := Config{Brokers: "localhost:9092", Telemetry: telemetry.Discard}
	if change != nil {
		change(&config)
	}
	h, err := New(config)
	require.NoError(t, err)
	topic, err := h.Topic("t")
	require.NoError(t, err)
	topic.Grow(partitions)
	return h, topic
}

func value(text string) *record.Record { return &record.Record{Value: []byte(text)} }

func put(t testing.TB, topic *Topic, text string) Pending {
	t.Helper()
	p := topic.Append(context.Background(), value(text), behaviors.On(0), Lingers, nil)
	require.NoError(t, p.Err())
	return p
}

// valuesOf reads a batch's bytes back.
func valuesOf(t require.TestingT, b *Batch) []string {
	header := b.Header()
	var head [record.HeaderSize]byte
	payload := b.Payload(nil)
	record.PutHeader(&head, &header, payload...)
	batches := record.NewBatches(append(head[:], slices.Concat(payload...)...))
	var batch record.Batch
	require.True(t, batches.Next(&batch))
	require.NoError(t, batch.Verify())
	records, err := batch.Open(compress.NewRegistry(), 0)
	require.NoError(t, err)
	var out []string
	for r := range records.All() {
		require.Equal(t, int64(len(out)), r.Offset)
		out = append(out, string(r.Value))
	}
	require.NoError(t, records.Err())
	require.Len(t, out, b.Count())
	return out
}

func TestTheWayOfARecord(t *testing.T) {
	h, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	told := 0
	lease, unsure := slot.Attach(nil, func(bool) { told++ })
	require.Empty(t, unsure)
	first, second := put(t, topic, "a"), put(t, topic, "b")
	require.Equal(t, 1, told, "a batch was opened; told once until somebody looks")
	look := slot.Look(lease)
	require.Zero(t, look.Ready)
	require.False(t, look.Opened.IsZero())
	require.Positive(t, h.Buffered())

	b := slot.Take(lease)
	require.Equal(t, []string{"a", "b"}, valuesOf(t, b))
	require.Equal(t, "t", b.Topic())
	require.Zero(t, b.Partition())
	require.Equal(t, look.Opened, b.Opened())
	require.Nil(t, slot.Take(lease), "nothing more")
	require.Equal(t, Look{}, slot.Look(lease))
	select {
	case <-first.Done():
		t.Fatal("it is not settled")
	default:
	}
	require.True(t, slot.Settle(lease, b, 100, nil))
	require.False(t, slot.Settle(lease, b, 200, errRefused), "only once")
	for i, p := range []Pending{first, second, first} {
		offset, err := p.Wait(context.Background())
		require.NoError(t, err)
		require.Equal(t, []int64{100, 101, 100}[i], offset)
	}
	require.Positive(t, h.Buffered(), "a writer holds it")
	b.Release()
	require.Zero(t, h.Buffered())
	require.False(t, b.Hold(lease))
}

func TestOutcomes(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	p := put(t, topic, "a")
	slot.Settle(lease, slot.Take(lease), -1, nil)
	offset, err := p.Wait(context.Background())
	require.NoError(t, err)
	require.Equal(t, int64(-1), offset, "acked, the offset is not told")
	p = put(t, topic, "a")
	slot.Settle(lease, slot.Take(lease), -1, errRefused)
	offset, err = p.Wait(context.Background())
	require.ErrorIs(t, err, errRefused)
	require.ErrorIs(t, p.Err(), errRefused)
	require.Equal(t, int64(-1), offset)
	_, err = Failed(errRefused).Wait(context.Background())
	require.ErrorIs(t, err, errRefused)
}

func TestWaitEndsWithItsContextAndTheRecordStays(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	told := 0
	lease, _ := slot.Attach(nil, func(bool) { told++ })
	p := put(t, topic, "a")
	slot.Look(lease)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errRefused)
	_, err := p.Wait(ctx)
	require.ErrorIs(t, err, errRefused)
	require.NoError(t, p.Err(), "still open")
	require.Equal(t, 2, told, "who waits ends the linger")
	require.Equal(t, Look{Ready: 1}, slot.Look(lease))
	slot.Settle(lease, slot.Take(lease), 5, nil)
	offset, err := p.Wait(ctx)
	require.NoError(t, err, "an outcome that is there is told")
	require.Equal(t, int64(5), offset)
}

func TestHurryEndsTheLinger(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	told := 0
	lease, _ := slot.Attach(nil, func(bool) { told++ })
	put(t, topic, "a")
	slot.Look(lease)
	topic.Append(context.Background(), value("b"), behaviors.On(0), Soon, nil)
	require.Equal(t, 2, told)
	require.Equal(t, Look{Ready: 1}, slot.Look(lease))
}

func TestFullBatchesAreSealedInOrder(t *testing.T) {
	_, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes = 100 })
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	var sent []string
	for i := range 30 {
		sent = append(sent, fmt.Sprintf("record number %02d", i))
		put(t, topic, sent[i])
	}
	require.Greater(t, slot.Look(lease).Ready, 3)
	var got []string
	for b := slot.Take(lease); b != nil; b = slot.Take(lease) {
		require.LessOrEqual(t, b.Size(), 100)
		got = append(got, valuesOf(t, b)...)
	}
	require.Equal(t, sent, got)
}

func TestTooLargeForABatch(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes = 100 })
	_, err := topic.Append(context.Background(), value(string(make([]byte, 101))), behaviors.On(0), Lingers, nil).Wait(context.Background())
	require.ErrorIs(t, err, wire.ErrTooLarge)
	require.Zero(t, h.Buffered())
}

func TestRecordsLargerThanAChunk(t *testing.T) {
	h, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	var sent []string
	for _, n := range []int{1, chunkSize - 5, 3 * chunkSize, chunkSize + 1, 7} {
		sent = append(sent, string(make([]byte, n)))
		put(t, topic, sent[len(sent)-1])
	}
	b := slot.Take(lease)
	require.Equal(t, sent, valuesOf(t, b))
	slot.Settle(lease, b, 0, nil)
	b.Release()
	require.Zero(t, h.Buffered())
}

func TestTimestamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 1, nil)
		slot := topic.Slot(0)
		lease, _ := slot.Attach(nil, func(bool) {})
		now := time.Now().UnixMilli()
		put(t, topic, "now")
		topic.Append(context.Background(), &record.Record{Timestamp: 5}, behaviors.On(0), Lingers, nil)
		topic.Append(context.Background(), &record.Record{Timestamp: now + 5}, behaviors.On(0), Lingers, nil)
		header := slot.Take(lease).Header()
		require.Equal(t, now, header.BaseTimestamp)
		require.Equal(t, now+5, header.MaxTimestamp)
		time.Sleep(time.Second)
		put(t, topic, "later")
		require.Equal(t, now+1000, slot.Take(lease).Header().BaseTimestamp, "the clock is not left behind")
	})
}

func TestTheClockKeepsUpAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clock{}
		for range 50 {
			require.InDelta(t, time.Now().UnixMilli(), c.millis(), 1)
			time.Sleep(700 * time.Microsecond)
		}
		time.Sleep(10 * time.Millisecond)
		require.Zero(t, c.now.Load(), "it stands still when nobody asks")
	}) // and leaves no timer: the bubble would not end
}

func TestAnOldLeaseChangesNothing(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	old, _ := slot.Attach(nil, func(bool) { t.Fatal("the old one is told nothing") })
	slot.Detach(old)
	p := put(t, topic, "a")
	stale, _ := slot.Attach(nil, func(bool) {})
	b := slot.Take(stale)
	put(t, topic, "b")
	lease, unsure := slot.Attach(nil, func(bool) {})
	require.Equal(t, []*Batch{b}, unsure)

	require.Nil(t, slot.Take(stale))
	require.Equal(t, Look{}, slot.Look(stale))
	require.False(t, b.Hold(stale))
	require.False(t, slot.Settle(stale, b, 1, nil))
	slot.Number(stale, b, Identity{ID: 7})
	require.Equal(t, record.NoProducerID, b.Header().ProducerID)
	slot.Detach(stale)
	require.NoError(t, p.Err())
	require.True(t, b.Hold(lease))
	require.True(t, slot.Settle(lease, b, 9, nil))
	offset, err := p.Wait(context.Background())
	require.NoError(t, err)
	require.Equal(t, int64(9), offset)
}

func TestAttachingFindsWhatNobodyWasToldOf(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	put(t, topic, "a")
	told := 0
	lease, _ := slot.Attach(nil, func(bool) { told++ })
	require.False(t, slot.Look(lease).Opened.IsZero())
	slot.Take(lease)
	put(t, topic, "b")
	require.Equal(t, 1, told)
	slot.Detach(lease)
	put(t, topic, "c")
	lease, unsure := slot.Attach(nil, func(bool) { told++ })
	require.Len(t, unsure, 1)
	slot.Look(lease)
	topic.Append(context.Background(), value("d"), behaviors.On(0), Soon, nil)
	require.Equal(t, 2, told)
}

func TestNumbers(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	take := func(records int) *Batch {
		for range records {
			put(t, topic, "x")
		}
		return slot.Take(lease)
	}
	place := func(b *Batch) []int64 {
		h := b.Header()
		return []int64{h.ProducerID, int64(h.ProducerEpoch), int64(h.BaseSequence)}
	}
	a, b, c := take(3), take(2), take(1)
	require.Equal(t, []int64{-1, -1, -1}, place(a))
	slot.Number(lease, a, Identity{ID: 7, Epoch: 2})
	slot.Number(lease, b, Identity{ID: 8})
	require.Equal(t, []int64{7, 2, 0}, place(a))
	require.Equal(t, []int64{7, 2, 3}, place(b), "the slot keeps its id")
	slot.Number(lease, a, Identity{ID: 9})
	require.Equal(t, []int64{7, 2, 0}, place(a), "a number stays")

	slot.Bump(lease, []*Batch{b})
	slot.Number(lease, b, Identity{ID: 9})
	slot.Number(lease, c, Identity{ID: 9})
	require.Equal(t, []int64{7, 2, 0}, place(a), "not among those that were bumped")
	require.Equal(t, []int64{7, 3, 0}, place(b))
	require.Equal(t, []int64{7, 3, 2}, place(c))

	slot.sequence.epoch = math.MaxInt16
	slot.Bump(lease, []*Batch{c})
	require.False(t, slot.Number(lease, c, Identity{ID: 7}), "epochs are used up")
	require.Equal(t, []int64{-1, -1, -1}, place(c))
	require.True(t, slot.Number(lease, c, Identity{ID: 9}))
	require.Equal(t, []int64{9, 0, 0}, place(c))

	require.Equal(t, int32(0), advance(math.MaxInt32, 1), "the sequence wraps")
	require.Equal(t, int32(4), advance(math.MaxInt32-5, 10))
}

func TestCompression(t *testing.T) {
	codecs := compress.NewRegistry()
	for _, codec := range []compress.Type{compress.None, compress.Gzip, compress.Snappy, compress.LZ4, compress.Zstd} {
		h, topic := newHandle(t, 1, func(c *Config) { c.Produce.Codec = codec })
		slot := topic.Slot(0)
		lease, _ := slot.Attach(nil, func(bool) {})
		var sent []string
		for range 50 {
			sent = append(sent, "the same text again and again")
			put(t, topic, sent[0])
		}
		b := slot.Take(lease)
		require.NoError(t, b.Compress(codecs))
		require.NoError(t, b.Compress(codecs))
		require.Equal(t, codec, b.Header().Attributes.Codec())
		require.Equal(t, sent, valuesOf(t, b))

		put(t, topic, "x")
		small := slot.Take(lease)
		require.NoError(t, small.Compress(codecs))
		require.Equal(t, compress.None, small.Header().Attributes.Codec(), "raw, as that is smaller")
		require.Equal(t, []string{"x"}, valuesOf(t, small))
		require.Equal(t, chunkSize+chunkSize+cap(b.packed), h.Buffered(), "what there is, and no more")
		for _, b := range []*Batch{b, small} {
			b.Release()
			slot.Settle(lease, b, 0, nil)
		}
		require.Zero(t, h.Buffered())
	}
}

func TestFlushWaitsForWhatWasAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 2, nil)
		require.NoError(t, topic.Flush(context.Background()), "nothing to wait for")
		slot := topic.Slot(0)
		lease, _ := slot.Attach(nil, func(bool) {})
		put(t, topic, "a")
		first := slot.Take(lease)
		put(t, topic, "b")
		done := make(chan error, 1)
		go func() { done <- topic.Flush(context.Background()) }()
		synctest.Wait()
		require.Equal(t, Look{Ready: 1}, slot.Look(lease), "a flush ends the linger")
		second := slot.Take(lease)
		put(t, topic, "c")
		slot.Settle(lease, first, 0, nil)
		synctest.Wait()
		require.Empty(t, done)
		slot.Settle(lease, second, -1, errRefused)
		require.NoError(t, <-done, "failed is settled too; what came later is not waited for")

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, topic.Flush(ctx), context.DeadlineExceeded)
		topic.handle.Stop(ErrStopped)
	})
}

func TestStopFailsWhatIsLeft(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes = 60 })
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	var all []Pending
	for i := range 9 {
		all = append(all, put(t, topic, fmt.Sprintf("a record %d", i)))
	}
	taken := slot.Take(lease)
	h.Stop(errRefused)
	h.Stop(ErrStopped)
	require.ErrorIs(t, h.Stopped(), errRefused, "only the first counts")
	<-h.Ended()
	for _, p := range all {
		_, err := p.Wait(context.Background())
		require.ErrorIs(t, err, errRefused)
	}
	require.False(t, slot.Settle(lease, taken, 1, nil))
	require.Nil(t, slot.Take(lease))
	require.NoError(t, topic.Flush(context.Background()))
	_, err := topic.Append(context.Background(), value("late"), behaviors.On(0), Lingers, nil).Wait(context.Background())
	require.ErrorIs(t, err, errRefused)
	topic.Grow(3)
	_, err = topic.Append(context.Background(), value("late"), behaviors.On(2), Lingers, nil).Wait(context.Background())
	require.ErrorIs(t, err, errRefused, "a partition that was found too late")
	_, err = h.Topic("another")
	require.ErrorIs(t, err, errRefused)
	require.Equal(t, []string{"a record 0"}, valuesOf(t, taken)[:1], "a writer still reads what it holds")
	require.Positive(t, h.Buffered())
	taken.Release()
	require.Zero(t, h.Buffered())
}

func TestBlockedCallersWakeWhenMemoryComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, topic := newHandle(t, 2, func(c *Config) { c.Produce.BufferBytes = chunkSize })
		slot := topic.Slot(0)
		lease, _ := slot.Attach(nil, func(bool) {})
		put(t, topic, "a")
		done := make(chan Pending)
		for range 3 {
			go func() { done <- topic.Append(context.Background(), value("b"), behaviors.On(1), Lingers, nil) }()
		}
		synctest.Wait()
		require.Equal(t, chunkSize, h.Buffered())
		b := slot.Take(lease)
		slot.Settle(lease, b, 0, nil)
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("the memory is held")
		default:
		}
		b.Release()
		for range 3 {
			require.NoError(t, (<-done).Err())
		}
		require.Equal(t, chunkSize, h.Buffered())
	})
}

func TestBlockedCallersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, topic := newHandle(t, 2, func(c *Config) { c.Produce.BufferBytes, c.Produce.MaxBlock = chunkSize, 30*time.Second })
		put(t, topic, "a")
		begin := time.Now()
		p := topic.Append(context.Background(), value("b"), behaviors.On(1), Lingers, nil)
		require.ErrorIs(t, p.Err(), ErrBufferFull)
		require.Equal(t, 30*time.Second, time.Since(begin), "MaxBlock bounds it, to the end")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		p = topic.Append(ctx, value("b"), behaviors.On(1), Lingers, nil)
		require.ErrorIs(t, p.Err(), ErrBufferFull)
		require.ErrorIs(t, p.Err(), context.DeadlineExceeded)

		done := make(chan Pending)
		go func() { done <- topic.Append(context.Background(), value("b"), behaviors.On(1), Lingers, nil) }()
		synctest.Wait()
		h.Stop(ErrStopped)
		require.ErrorIs(t, (<-done).Err(), ErrStopped)
	})
}

func TestAReservationLargerThanTheLimit(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BufferBytes = 10 })
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	put(t, topic, "it goes through alone")
	b := slot.Take(lease)
	slot.Settle(lease, b, 0, nil)
	b.Release()
	require.Zero(t, h.Buffered())
}

// An ack of the oldest batch needs no turn of the producer; of another one it
// does, as acks are told in order.
func TestTheOldestBatchIsAckedAtOnce(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	stale, _ := slot.Attach(nil, func(bool) {})
	lease, _ := slot.Attach(nil, func(bool) {})
	first, a := put(t, topic, "a"), slot.Take(lease)
	second, b := put(t, topic, "b"), slot.Take(lease)
	b.Acked(lease, 8)
	a.Acked(stale, 7)
	require.False(t, first.outcome.settled.Load(), "an old lease acks nothing")
	require.False(t, second.outcome.settled.Load(), "it is not its turn")
	a.Acked(lease, 7)
	offset, err := first.Wait(context.Background())
	require.NoError(t, err)
	require.Equal(t, int64(7), offset)
	require.False(t, slot.Settle(lease, a, 7, nil), "the producer finds it settled")
	b.Acked(lease, 8)
	require.True(t, second.outcome.settled.Load())
}

// Whether a caller waits is told to the producer.
func TestAProducerIsToldWhoWaits(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	var told []bool
	lease, _ := slot.Attach(nil, func(here bool) { told = append(told, here) })
	for _, haste := range []Haste{Lingers, Soon, Awaited} {
		topic.Append(context.Background(), value("a"), behaviors.On(0), haste, nil)
		slot.Take(lease)
		slot.Look(lease)
	}
	require.Equal(t, []bool{false, false, true}, told)
}

// A batch that is just being filled is not waited for: who fills it tells the
// producer when he is done.
func TestABatchThatIsBeingFilledIsNotWaitedFor(t *testing.T) {
	h, topic := newHandle(t, 1, nil)
	defer h.Stop(ErrStopped)
	put(t, topic, "a")
	slot, told := topic.Slot(0), 0
	lease, _ := slot.Attach(nil, func(bool) { told++ })
	slot.Look(lease)
	slot.filling.Lock()
	require.Nil(t, slot.Take(lease))
	require.Zero(t, told)
	slot.filled(false, false)
	require.Equal(t, 1, told)
	slot.Look(lease)
	b := slot.Take(lease)
	require.NotNil(t, b)
	b.Release()
	slot.filling.Lock()
	require.Nil(t, slot.Take(lease), "nothing is open, so nobody is waited for")
	slot.filled(false, false)
	require.Equal(t, 1, told, "nor told of")
}

// What is full, under way or settled is nobody's business who fills.
func TestWhoFillsHoldsUpNoOtherBatch(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes = 300 })
	defer h.Stop(ErrStopped)
	first := put(t, topic, string(make([]byte, 200)))
	put(t, topic, string(make([]byte, 200)))
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	slot.filling.Lock()
	defer slot.filling.Unlock()
	require.Equal(t, 1, slot.Look(lease).Ready)
	b := slot.Take(lease)
	require.NotNil(t, b)
	b.Release()
	require.True(t, b.Hold(lease))
	b.Release()
	require.True(t, slot.SettleFirst(lease, b, 7))
	offset, err := first.Wait(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 7, offset)
}
