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

// ErrBufferFull is a record that found no memory within MaxBlock, or a message of
// an actor that found no place in its partition's queue.
var ErrBufferFull = errors.New("moldau: the produce buffer is full: brokers take records slower than they are produced; raise Produce.BufferBytes or produce less")

// ErrDropped is a record that found no memory and was dropped, as Produce.OnFull
// wants.
var ErrDropped = errors.New("moldau: the produce buffer is full, and the record was dropped")

// Topic is one topic that is produced to: its slots and the choice among them.
type Topic struct {
	name   string
	handle *Handle
	config ProduceConfig
	by     behaviors.Partitioner // the configured one
	sticks bool                  // it lets records without key stay with a partition
	expiry atomic.Bool           // the slots are looked at from time to time
	asked  atomic.Int64          // when its partitions were asked for, in ns; 0: not

	mu    sync.Mutex // makes slots
	slots atomic.Pointer[[]*Slot]
	ended error

	stuckTo atomic.Int32 // the partition of records without key
}

func newTopic(h *Handle, name string, config ProduceConfig) *Topic {
	t := &Topic{name: name, handle: h, config: config, by: config.Partitioner}
	if by, ok := t.by.(behaviors.TopicPartitioner); ok {
		t.by = by.ForTopic(name)
	}
	t.sticks = t.by == behaviors.LikeJava
	t.slots.Store(&[]*Slot{})
	return t
}

// Name is the topic's name.
func (t *Topic) Name() string { return t.name }

// Config are the topic's settings, with their defaults.
func (t *Topic) Config() *ProduceConfig { return &t.config }

// Prepare reports true to the first who asks until Prepared, or until the answer
// that was waited for cannot come any more.
func (t *Topic) Prepare() bool {
	now, before := time.Now().UnixNano(), t.asked.Load()
	if before != 0 && now-before < int64(2*t.handle.config.MetadataTimeout) {
		return false
	}
	return t.asked.CompareAndSwap(before, now)
}

// Prepared ends what Prepare began.
func (t *Topic) Prepared() { t.asked.Store(0) }

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
		s := newSlot(t, p)
		if t.ended != nil {
			s.close(t.ended, t.ended)
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
	slots := *t.slots.Load()
	if r.Key == nil && t.sticky(by) && len(slots) > 0 {
		return t.stick(ctx, slots, r, haste, made)
	}
	if by == nil {
		by = t.by
	}
	slot, err := t.choose(slots, r, by)
	if err != nil {
		return Failed(err)
	}
	return t.appendTo(ctx, slot, r, haste, made)
}

// sticky says whether a partitioner lets records without key stay with a partition
// until its batch is full (KIP-480).
func (t *Topic) sticky(by behaviors.Partitioner) bool {
	if by == nil {
		return t.sticks
	}
	return by == behaviors.LikeJava
}

// appendTo accepts a record into one partition.
func (t *Topic) appendTo(ctx context.Context, slot *Slot, r *record.Record, haste Haste, made func(int64, error)) Pending {
	if haste == Lingers && made == nil {
		if p, ok := slot.appendQuick(r); ok {
			return p
		}
	}
	if size := encodedSize(r); size > slot.batchSize {
		return Failed(tooLarge(slot, size))
	}
	p, _, why := slot.append(alone(r), haste, false, made)
	if why == noRoom {
		p = t.awaitOne(ctx, slot, r, haste, made)
	}
	return p
}

// Try is Append that never waits: without room the record is dropped, where the
// topic's settings want that, and else fails with ErrBufferFull.
func (t *Topic) Try(r *record.Record, by behaviors.Partitioner) error {
	slots := *t.slots.Load()
	slot, sticky := (*Slot)(nil), r.Key == nil && t.sticky(by) && len(slots) > 0
	if sticky {
		slot = slots[t.stuck(slots)]
	} else {
		if by == nil {
			by = t.by
		}
		var err error
		if slot, err = t.choose(slots, r, by); err != nil {
			return err
		}
	}
	if size := encodedSize(r); size > slot.batchSize {
		return tooLarge(slot, size)
	}
	p, _, why := slot.append(alone(r), Lingers, sticky, nil)
	if why == moveOn {
		p, _, why = t.elsewhere(slots).append(alone(r), Lingers, false, nil)
	}
	if why != noRoom {
		return p.NotAccepted()
	}
	t.handle.hurryAll()
	return t.LostOne()
}

// LostOne counts a record that nobody can take now, if the topic's settings drop
// it, or is the error that it fails with.
func (t *Topic) LostOne() error {
	if t.config.OnFull == FullDrops {
		t.handle.dropped(1)
		return nil
	}
	return ErrBufferFull
}

// awaitOne is await for one record.
func (t *Topic) awaitOne(ctx context.Context, slot *Slot, r *record.Record, haste Haste, made func(int64, error)) Pending {
	p, n := t.await(ctx, slot, alone(r), haste, made)
	if n == 0 {
		t.lost(1, p.NotAccepted())
	}
	return p
}

// lost counts records that were not accepted, if they were dropped.
func (t *Topic) lost(n int, err error) {
	if err == ErrDropped {
		t.handle.dropped(n)
	}
}

func tooLarge(s *Slot, size int) error {
	return &wire.Error{Code: wire.MessageTooLarge, Topic: s.topic.name, Partition: s.partition,
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
// find it full. Where the topic does not wait, the error says so.
func (t *Topic) whenRoom(ctx context.Context, try func() (p Pending, full bool)) Pending {
	if t.config.OnFull != FullBlocks {
		t.handle.hurryAll()
		return Failed(t.config.OnFull.err())
	}
	limit := time.NewTimer(t.config.MaxBlock)
	defer limit.Stop()
	t.handle.press()
	defer t.handle.unpress()
	for {
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

// err is what a record fails with that finds no room.
func (f Full) err() error {
	if f == FullDrops {
		return ErrDropped
	}
	return ErrBufferFull
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
	slot := slots[t.stuck(slots)]
	if haste == Lingers && made == nil {
		if p, ok := slot.appendQuick(r); ok {
			return p
		}
	}
	p, _, why := slot.append(alone(r), haste, true, made)
	switch why {
	case moveOn:
		return t.appendTo(ctx, t.elsewhere(slots), r, haste, made)
	case noRoom:
		return t.awaitOne(ctx, slot, r, haste, made)
	}
	return p
}

// stuck is the partition that records without key go to at present.
func (t *Topic) stuck(slots []*Slot) int {
	at := int(t.stuckTo.Load())
	if at >= len(slots) { // a topic never loses slots, but these may be older
		return 0
	}
	return at
}

// elsewhere chooses the partition that records without key go to from now on.
func (t *Topic) elsewhere(slots []*Slot) *Slot {
	at := rand.IntN(len(slots))
	t.stuckTo.Store(int32(at))
	return slots[at]
}

// end fails what is not settled with err, and what comes with later.
func (t *Topic) end(err, later error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = later
	for _, s := range *t.slots.Load() {
		s.close(err, later)
	}
	t.handle.pool.budget.release(0) // who waits for memory that others have looks again
}
