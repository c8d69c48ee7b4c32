package handle

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/record"
)

// A batch that a full memory seals is told of like any other that is sealed.
func TestASealedBatchIsToldOfWhenMemoryIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes, c.Produce.BufferBytes = chunkSize/2, chunkSize })
		defer topic.handle.Stop(ErrStopped)
		slot := topic.Slot(0)
		told := 0
		lease, _ := slot.Attach(nil, func(bool) { told++ })
		record := string(make([]byte, chunkSize/3))
		put(t, topic, record)
		slot.Look(lease)
		go topic.Append(context.Background(), value(record), behaviors.On(0), Lingers, nil) // seals, and finds no memory
		synctest.Wait()
		require.Equal(t, 2, told, "the batch waits for its linger, and everybody for the batch")
	})
}

// Who waits for memory ends the linger of what holds it.
func TestACallerThatWaitsForMemoryEndsTheLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 2, func(c *Config) { c.Produce.BufferBytes = chunkSize })
		defer topic.handle.Stop(ErrStopped)
		slot := topic.Slot(0)
		lease, _ := slot.Attach(nil, func(bool) {})
		put(t, topic, "a")
		go topic.Append(context.Background(), value("b"), behaviors.On(1), Lingers, nil)
		synctest.Wait()
		require.Equal(t, 1, slot.Look(lease).Ready)
	})
}

// A flush ends the linger of every partition at once, not one after the other.
func TestFlushHurriesAllPartitionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 2, nil)
		defer topic.handle.Stop(ErrStopped)
		lease, _ := topic.Slot(1).Attach(nil, func(bool) {})
		put(t, topic, "a")
		topic.Append(context.Background(), value("b"), behaviors.On(1), Lingers, nil)
		go topic.Flush(context.Background())
		synctest.Wait()
		require.Equal(t, Look{Ready: 1}, topic.Slot(1).Look(lease))
	})
}

// A topic whose partitions are not known fails a record, typed.
func TestNoPartitions(t *testing.T) {
	_, topic := newHandle(t, 0, nil)
	for _, r := range []*record.Record{{}, {Key: []byte("k")}} {
		require.NotPanics(t, func() {
			require.Error(t, topic.Append(context.Background(), r, nil, Lingers, nil).Err())
		})
	}
}

// The delivery timeout is the handle's: it holds while no producer lives.
func TestDeliveryTimeoutWithoutAProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 1, nil)
		defer topic.handle.Stop(ErrStopped)
		p := put(t, topic, "a")
		time.Sleep(3 * time.Minute)
		require.Error(t, p.Err(), "two minutes were promised")
	})
}

func TestNegativePartitions(t *testing.T) {
	s := &Subscription{Topic: "t", Partitions: []int32{-1, 0}}
	require.Equal(t, []Partition{{"t", 0}}, s.Assign(2))
}

// Who finds no room wakes nobody: it would be himself, and he would try for ever.
func TestWhoFindsNoRoomWakesNobody(t *testing.T) {
	for name, c := range map[string]ProduceConfig{
		"bytes":                  {BufferBytes: 3 * chunkSize},
		"bytes of a partition":   {BufferBytes: 9 * chunkSize, PartitionBytes: 2 * chunkSize},
		"records":                {BufferBytes: 9 * chunkSize, BufferRecords: 3},
		"records and bytes":      {BufferBytes: 3 * chunkSize, BufferRecords: 100},
		"records of a partition": {BufferBytes: 9 * chunkSize, PartitionRecords: 3},
	} {
		t.Run(name, func(t *testing.T) {
			c.OnFull = FullFails
			h, topic := newHandle(t, 1, func(config *Config) { config.Produce = c })
			big := string(make([]byte, chunkSize-100))
			put(t, topic, big)
			put(t, topic, big)
			room, held := h.pool.budget.room(), h.Buffered()
			list := numbered(3, func(int) []byte { return nil })
			for i := range list {
				list[i].Value = []byte(big)
			}
			all := topic.AppendTogether(context.Background(), nil, list, behaviors.On(0), Lingers)
			require.ErrorIs(t, all.At(0).NotAccepted(), ErrBufferFull)
			for topic.Append(context.Background(), &list[0], behaviors.On(0), Lingers, nil).NotAccepted() == nil {
				held = h.Buffered()
			}
			require.Equal(t, held, h.Buffered())
			select {
			case <-room:
				t.Fatal("no memory came back")
			default:
			}
		})
	}
}

// A list that is larger than the whole limit goes through alone.
func TestAListLargerThanTheLimit(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BufferBytes, c.Produce.OnFull = chunkSize, FullFails })
	list := numbered(40, func(int) []byte { return make([]byte, 1000) })
	all := topic.AppendTogether(context.Background(), nil, list, behaviors.On(0), Lingers)
	require.NoError(t, all.At(0).NotAccepted())
	require.ErrorIs(t, topic.AppendTogether(context.Background(), nil, list, behaviors.On(0), Lingers).At(0).NotAccepted(), ErrBufferFull)
	takeAll(t, topic)
	require.NoError(t, all.Wait(context.Background()))
	require.Zero(t, h.Buffered())
}

// Waits that follow each other closely end the linger of what is open once, and
// what is opened between them does not linger.
func TestWaitsInARowLookThroughPartitionsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, topic := newHandle(t, 2, func(c *Config) { c.Produce.Linger = time.Hour })
		slot := topic.Slot(0)
		lease, _ := slot.Attach(nil, func(bool) {})
		put(t, topic, "opened before")
		require.Zero(t, slot.Look(lease).Ready)
		h.press()
		require.Equal(t, 1, slot.Look(lease).Ready)
		h.unpress()
		settleOne(slot, 0, nil)
		h.press()
		h.unpress()
		lease, _ = slot.Attach(nil, func(bool) {})
		put(t, topic, "opened soon after")
		require.Equal(t, 1, slot.Look(lease).Ready)
		settleOne(slot, 0, nil)
		time.Sleep(relief)
		lease, _ = slot.Attach(nil, func(bool) {})
		put(t, topic, "opened later")
		require.Zero(t, slot.Look(lease).Ready)
		h.press()
		require.Equal(t, 1, slot.Look(lease).Ready)
		h.unpress()
		h.Stop(ErrStopped)
	})
}
