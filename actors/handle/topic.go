package handle

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/record"
)

// ErrBufferFull is a record that found no memory within MaxBlock.
var ErrBufferFull = errors.New("moldau: the produce buffer is full: brokers take records slower than they are produced; raise Produce.BufferBytes or produce less")

// Topic is one topic that is produced to: its slots and the choice among them.
type Topic struct {
	name   string
	handle *Handle
	by     behaviors.Partitioner // the configured one

	mu     sync.Mutex // makes slots
	slots  atomic.Pointer[[]*Slot]
	closed error

	sticky atomic.Int32 // the partition of records without key
}

func newTopic(h *Handle, name string) *Topic {
	t := &Topic{name: name, handle: h, by: h.config.Produce.Partitioner}
	if by, ok := t.by.(behaviors.TopicPartitioner); ok {
		t.by = by.ForTopic(name)
	}
	t.slots.Store(&[]*Slot{})
	return t
}

// Name is the topic's name.
func (t *Topic) Name() string { return t.name }

// Grow makes sure of count slots. Slots are never taken away: a topic that
// lost partitions was deleted, and what waits there fails by its timeout.
func (t *Topic) Grow(count int32) {
	if int(count) <= len(*t.slots.Load()) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	slots := append([]*Slot(nil), *t.slots.Load()...)
	for p := int32(len(slots)); p < count; p++ {
		s := &Slot{topic: t.name, partition: p, batchSize: t.handle.config.Produce.BatchBytes, pool: t.handle.pool, clock: &t.handle.clock, panicked: t.handle.callbackPanicked(t.name, p), watch: t.handle.watch}
		if t.closed != nil {
			s.close(t.closed)
		}
		slots = append(slots, s)
	}
	t.slots.Store(&slots)
}

// Count is the number of partitions that are known.
func (t *Topic) Count() int32 { return int32(len(*t.slots.Load())) }

// Slot is a partition's slot, nil if the partition is not known.
func (t *Topic) Slot(partition int32) *Slot {
	if slots := *t.slots.Load(); partition >= 0 && int(partition) < len(slots) {
		return slots[partition]
	}
	return nil
}

// Append accepts a record into the partition that by chooses (nil: the
// configured partitioner). It waits while memory is at its limit, until ctx or
// MaxBlock ends. haste says when the record's batch is sent. made, if not
// nil, is called with the outcome of a record that was accepted.
func (t *Topic) Append(ctx context.Context, r *record.Record, by behaviors.Partitioner, haste Haste, made func(int64, error)) Pending {
	if by == nil {
		by = t.by
	}
	slots := *t.slots.Load()
	if r.Key == nil && by == behaviors.LikeJava && len(slots) > 0 {
		return t.stick(ctx, slots, r, haste, made)
	}
	slot, err := t.choose(slots, r, by)
	if err != nil {
		return Failed(err)
	}
	return t.appendTo(ctx, slot, r, haste, made)
}

// appendTo accepts a record into one partition.
func (t *Topic) appendTo(ctx context.Context, slot *Slot, r *record.Record, haste Haste, made func(int64, error)) Pending {
	if size := encodedSize(r); size > slot.batchSize {
		return Failed(tooLarge(slot, size))
	}
	p, _, why := slot.append(alone(r), haste, false, made)
	if why == noRoom {
		p, _ = t.await(ctx, slot, alone(r), haste, made)
	}
	return p
}

func tooLarge(s *Slot, size int) error {
	return &wire.Error{Code: wire.MessageTooLarge, Topic: s.topic, Partition: s.partition,
		Cause: fmt.Errorf("the record takes %d bytes and a batch at most %d; raise Produce.BatchBytes and the topic's max.message.bytes", size, s.batchSize)}
}

// await is append that waits for memory: n records were accepted, none with an
// error that p has.
func (t *Topic) await(ctx context.Context, slot *Slot, records []record.Record, haste Haste, made func(int64, error)) (p Pending, n int) {
	p = t.whenRoom(ctx, func() (p Pending, full bool) {
		var why stop
		p, n, why = slot.append(records, haste, false, made)
		return p, n == 0 && why == noRoom
	})
	return p, n
}

// whenRoom tries again whenever memory comes back, until what it tries does not
// find it full.
func (t *Topic) whenRoom(ctx context.Context, try func() (p Pending, full bool)) Pending {
	limit := time.NewTimer(t.handle.config.Produce.MaxBlock)
	defer limit.Stop()
	for {
		t.handle.hurryAll() // what lingers holds the memory that is waited for
		room := t.handle.pool.budget.room()
		if p, full := try(); !full {
			return p
		}
		select {
		case <-room:
		case <-t.handle.ended:
			return Failed(ErrStopped)
		case <-ctx.Done():
			return Failed(fmt.Errorf("%w (%w)", ErrBufferFull, context.Cause(ctx)))
		case <-limit.C:
			return Failed(ErrBufferFull)
		}
	}
}

// Flush returns when everything that was accepted before the call is settled,
// acked or failed, or when ctx ends. It ends the linger of all partitions first.
func (t *Topic) Flush(ctx context.Context) error {
	var last []*Outcome
	for _, s := range *t.slots.Load() {
		if o := s.flush(); o != nil {
			last = append(last, o)
		}
	}
	for _, o := range last {
		select {
		case <-o.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (t *Topic) choose(slots []*Slot, r *record.Record, by behaviors.Partitioner) (*Slot, error) {
	if len(slots) == 0 {
		return nil, &wire.Error{Code: wire.UnknownTopicOrPartition, Topic: t.name, Partition: -1, Cause: errors.New("its partitions are not known")}
	}
	p := by.Partition(*r, int32(len(slots)))
	if p < 0 || int(p) >= len(slots) {
		return nil, &wire.Error{Code: wire.UnknownTopicOrPartition, Topic: t.name, Partition: p,
			Cause: fmt.Errorf("the partitioner chose partition %d of %d", p, len(slots))}
	}
	return slots[p], nil
}

// stick puts a record without key where the last one went, as long as it finds
// its batch open and with room; then another partition is chosen (KIP-480). So
// batches fill up before they are sent, and partitions share the load.
func (t *Topic) stick(ctx context.Context, slots []*Slot, r *record.Record, haste Haste, made func(int64, error)) Pending {
	at := int(t.sticky.Load()) % len(slots)
	p, _, why := slots[at].append(alone(r), haste, true, made)
	switch why {
	case moveOn:
		return t.appendTo(ctx, t.elsewhere(slots), r, haste, made)
	case noRoom:
		p, _ = t.await(ctx, slots[at], alone(r), haste, made)
	}
	return p
}

// elsewhere chooses the partition that records without key go to from now on.
func (t *Topic) elsewhere(slots []*Slot) *Slot {
	at := rand.IntN(len(slots))
	t.sticky.Store(int32(at))
	return slots[at]
}

func (t *Topic) close(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = err
	for _, s := range *t.slots.Load() {
		s.close(err)
	}
}
