package handle

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// fullSlot is a partition whose memory is full, in a bubble.
func fullSlot(t *testing.T, change func(*ProduceConfig), test func(t *testing.T, h *Handle, slot *Slot)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, topic := newHandle(t, 2, func(c *Config) {
			c.Produce = ProduceConfig{BatchBytes: 2 * chunkSize, BufferBytes: chunkSize}
			if change != nil {
				change(&c.Produce)
			}
		})
		defer h.Stop(ErrStopped)
		put(t, topic, string(make([]byte, chunkSize-100)))
		test(t, h, topic.Slot(0))
	})
}

// send sends messages of one record with these sizes.
func send(slot *Slot, sizes ...int) []*told {
	all := make([]*told, len(sizes))
	for i, size := range sizes {
		all[i] = &told{}
		slot.Accept(sized(1, size), all[i])
	}
	return all
}

// settleOne settles the batch that is next, and lets what comes of it come.
func settleOne(slot *Slot, base int64, err error) {
	lease, _ := slot.Attach(nil, func(bool) {})
	b := slot.Take(lease)
	slot.Settle(lease, b, base, err)
	b.Release()
	synctest.Wait()
}

// Messages over the limit wait in order; also one for which there would be room.
func TestMessagesWaitInOrder(t *testing.T) {
	fullSlot(t, nil, func(t *testing.T, h *Handle, slot *Slot) {
		all := send(slot, chunkSize-100, 50, chunkSize-100)
		synctest.Wait()
		for _, r := range all {
			require.Equal(t, []string{"queued"}, r.got())
		}
		require.Equal(t, 3, slot.Queued())
		late := send(slot, 40) // fits into the open batch
		settleOne(slot, 0, nil)
		require.Equal(t, []string{"queued", "buffered"}, all[0].got())
		require.Equal(t, []string{"queued", "buffered"}, all[1].got(), "it fits into the first one's chunk")
		require.Equal(t, []string{"queued"}, all[2].got())
		require.Equal(t, []string{"queued"}, late[0].got())
		settleOne(slot, 1, nil)
		settleOne(slot, 3, nil)
		require.Equal(t, []string{"queued", "buffered", "acked 1"}, all[0].got())
		require.Equal(t, []string{"queued", "buffered", "acked 2"}, all[1].got())
		require.Equal(t, []string{"queued", "buffered", "acked 3"}, all[2].got())
		require.Equal(t, []string{"queued", "buffered", "acked 4"}, late[0].got())
		require.Zero(t, slot.Queued())
		require.Zero(t, h.queued.Used())
		require.Equal(t, []string{"buffered"}, send(slot, 100)[0].got(), "the queue is over")
	})
}

// A queue has its limits: of messages in a partition, of bytes in the client.
func TestAQueueHasItsLimits(t *testing.T) {
	full := "failed 0 " + ErrBufferFull.Error()
	fullSlot(t, func(c *ProduceConfig) { c.QueueMessages, c.QueueBytes = 2, 1000 }, func(t *testing.T, h *Handle, slot *Slot) {
		all := send(slot, 300, 300, 40)
		require.Equal(t, []string{full}, all[2].got())
		other := send(slot.topic.Slot(1), 300, 300)
		require.Equal(t, []string{"queued"}, other[0].got())
		require.Equal(t, []string{full}, other[1].got())
		for slot.Queued()+slot.topic.Slot(1).Queued() > 0 {
			takeAll(t, slot.topic)
			synctest.Wait()
		}
		for _, r := range []*told{all[0], all[1], other[0]} {
			require.Equal(t, []string{"queued", "buffered"}, r.got()[:2])
		}
	})
	fullSlot(t, func(c *ProduceConfig) { c.QueueMessages = NoQueue }, func(t *testing.T, h *Handle, slot *Slot) {
		require.Equal(t, []string{full}, send(slot, 300)[0].got())
	})
	fullSlot(t, func(c *ProduceConfig) { c.QueueBytes = 10 }, func(t *testing.T, h *Handle, slot *Slot) {
		require.Equal(t, []string{"queued"}, send(slot, 300)[0].got(), "one that is larger than the limit waits alone")
	})
}

// Where nobody is to wait, no message does.
func TestMessagesThatDoNotWait(t *testing.T) {
	fullSlot(t, func(c *ProduceConfig) { c.OnFull = FullFails }, func(t *testing.T, h *Handle, slot *Slot) {
		require.Equal(t, []string{"failed 0 " + ErrBufferFull.Error()}, send(slot, 300)[0].got())
		require.Zero(t, h.Dropped())
	})
	fullSlot(t, func(c *ProduceConfig) { c.OnFull = FullDrops }, func(t *testing.T, h *Handle, slot *Slot) {
		r := &told{}
		slot.Accept(sized(3, 300), r)
		require.Equal(t, []string{"failed 0 " + ErrDropped.Error()}, r.got())
		require.EqualValues(t, 3, h.Dropped())
	})
}

// What waits when the client stops, or its producers are aborted, is answered.
func TestWhatWaitsIsAnsweredAtTheEnd(t *testing.T) {
	fullSlot(t, nil, func(t *testing.T, h *Handle, slot *Slot) {
		all := send(slot, 300, 300)
		h.Stop(ErrStopped)
		synctest.Wait()
		for _, r := range all {
			require.Equal(t, []string{"queued", "failed 0 " + ErrStopped.Error()}, r.got())
		}
		require.Zero(t, slot.Queued())
		require.Zero(t, h.queued.Used())
	})
	fullSlot(t, nil, func(t *testing.T, h *Handle, slot *Slot) {
		all := send(slot, 300, 300)
		h.EndTopic(slot.topic, ErrAborted)
		late := send(slot, 300)
		synctest.Wait()
		for _, r := range all {
			require.Equal(t, []string{"queued", "failed 0 " + ErrAborted.Error()}, r.got())
		}
		require.Equal(t, "failed 0 "+ErrNoProducers.Error(), late[0].got()[len(late[0].got())-1])
		require.Zero(t, h.queued.Used())
	})
}

// While a message waits nothing lingers, neither what was open nor what is opened.
func TestWhatLingersDoesNotKeepMessagesWaiting(t *testing.T) {
	fullSlot(t, func(c *ProduceConfig) { c.Linger, c.BufferBytes = time.Hour, 2*chunkSize }, func(t *testing.T, h *Handle, slot *Slot) {
		other := slot.topic.Slot(1)
		lease, _ := slot.Attach(nil, func(bool) {})
		for range 2 {
			require.Zero(t, slot.Look(lease).Ready)
			r := &told{}
			slot.Accept(sized(2, chunkSize-100), r)
			synctest.Wait()
			require.Equal(t, []string{"queued"}, r.got())
			require.Equal(t, 1, slot.Look(lease).Ready)
			require.NoError(t, slot.topic.Try(value("a"), behaviors.On(1)))
			of, _ := other.Attach(nil, func(bool) {})
			require.Equal(t, 1, other.Look(of).Ready)
			settleOne(slot, 0, nil)
			settleOne(other, 0, nil)
			require.Equal(t, []string{"queued", "buffered"}, r.got())
			settleOne(slot, 0, nil)
			lease, _ = slot.Attach(nil, func(bool) {})
			time.Sleep(relief)
			put(t, slot.topic, string(make([]byte, chunkSize-100)))
		}
	})
}

// What waits for memory that others have is answered all the same.
func TestWhatWaitsForOthersIsAnsweredAtTheEnd(t *testing.T) {
	fullSlot(t, nil, func(t *testing.T, h *Handle, slot *Slot) {
		other, err := h.Topic("other")
		require.NoError(t, err)
		other.Grow(1)
		all := send(other.Slot(0), 300, 300)
		synctest.Wait()
		h.EndTopic(other, ErrAborted)
		synctest.Wait()
		for _, r := range all {
			require.Equal(t, []string{"queued", "failed 0 " + ErrAborted.Error()}, r.got())
		}
	})
}

// slowQueued stops the slot between two answers to a message.
type slowQueued struct {
	told
	then func()
}

func (s *slowQueued) Queued() { s.told.Queued(); s.then() }

// A slot that is closed while a message goes into its queue answers it.
func TestASlotThatIsClosedWhileAMessageIsQueued(t *testing.T) {
	fullSlot(t, nil, func(t *testing.T, h *Handle, slot *Slot) {
		r := &slowQueued{then: func() { h.Stop(ErrStopped) }}
		slot.Accept(sized(1, 300), r)
		require.Equal(t, []string{"queued", "failed 0 " + ErrStopped.Error()}, r.got())
		require.Zero(t, h.queued.Used())
	})
}

// keep keeps the error of a message.
type keep struct {
	told
	err error
}

func (k *keep) Failed(accepted int, err error) { k.told.Failed(accepted, err); k.err = err }

// The delivery timeout holds for what waits, and lets the next one try.
func TestTheDeliveryTimeoutHoldsInTheQueue(t *testing.T) {
	fullSlot(t, nil, func(t *testing.T, h *Handle, slot *Slot) {
		slot.Attach(nil, func(bool) {}) // a producer that does not come to an end
		early, late := &keep{}, &keep{}
		slot.Accept(sized(1, 300), early)
		time.Sleep(time.Minute)
		slot.Accept(sized(1, 300), late)
		time.Sleep(time.Minute - time.Millisecond)
		synctest.Wait()
		require.Equal(t, []string{"queued"}, early.got())
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		var typed *wire.Error
		require.ErrorAs(t, early.err, &typed)
		require.Equal(t, wire.RequestTimedOut, typed.Code)
		require.ErrorIs(t, early.err, ErrBufferFull)
		require.Equal(t, []string{"queued"}, late.got())
		settleOne(slot, 0, nil)
		require.Equal(t, []string{"queued", "buffered"}, late.got())
	})
}

// A long message that found room for some of its records waits for the rest, and
// what it has had accepted is told when it fails.
func TestTheRestOfALongMessageWaits(t *testing.T) {
	fullSlot(t, func(c *ProduceConfig) { c.BatchBytes, c.PartitionRecords, c.BufferBytes = chunkSize, 3, 8*chunkSize }, func(t *testing.T, h *Handle, slot *Slot) {
		r, failed := &told{}, &told{}
		slot.Accept(sized(4, 1000), r)
		require.Equal(t, []string{"queued"}, r.got())
		settleOne(slot, 0, nil)
		settleOne(slot, 10, nil)
		require.Equal(t, []string{"queued", "buffered"}, r.got())
		settleOne(slot, 20, nil)
		require.Equal(t, []string{"queued", "buffered", "acked 10"}, r.got())
		slot.Accept(sized(5, 1000), failed)
		h.Stop(ErrStopped)
		synctest.Wait()
		require.Equal(t, []string{"queued", "failed 3 " + ErrStopped.Error()}, failed.got())
	})
}

// An answer that panics, or ends its goroutine, ends neither the queue nor the
// program.
func TestAnAnswerThatDoesNotReturn(t *testing.T) {
	for _, do := range []func(){func() { panic("planted") }, runtime.Goexit} {
		fullSlot(t, nil, func(t *testing.T, h *Handle, slot *Slot) {
			slot.Accept(sized(1, 300), &unreturning{do: do})
			after := send(slot, 300)
			settleOne(slot, 0, nil)
			require.Equal(t, []string{"queued", "buffered"}, after[0].got())
			require.Zero(t, h.pressure.waiting.Load())
		})
	}
}

type unreturning struct {
	told
	do func()
}

func (u *unreturning) Buffered() { u.do() }
