package handle

import (
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

// Batch is a run of records of one partition in their final bytes. It is
// filled under its slot's filling lock; once taken it is immutable, and its memory
// comes back when it is settled and nobody holds it.
type Batch struct {
	slot     *Slot
	chunks   []*chunk
	size     int
	charged  int // bytes that are reserved for it
	count    int32
	baseTime int64
	maxTime  int64
	opened   time.Time
	outcome  *Outcome
	packed   []byte // the records compressed; nil: as they are
	codec    compress.Type
	number   place
	sum      record.Sum   // of the records; whole once the batch is taken
	stamped  bool         // a record was given its timestamp by the user
	due      atomic.Bool  // to be sent without waiting for linger
	runs     []run        // what it has of a batch that was cut; nil: it is whole
	holds    atomic.Int32 // the slot's one until settled, and one for every writer
	// Attempts counts how often the batch was handed to a broker; it belongs to
	// the producer that holds the lease.
	Attempts int
}

// Topic is the topic that the batch goes to.
func (b *Batch) Topic() string { return b.slot.topic.name }

// Stamped says that the timestamps are the user's, of one record at least.
func (b *Batch) Stamped() bool { return b.stamped }

// Config are the settings of the topic.
func (b *Batch) Config() *ProduceConfig { return &b.slot.topic.config }

// Partition is the partition that the batch goes to.
func (b *Batch) Partition() int32 { return b.slot.partition }

// Count is the number of records.
func (b *Batch) Count() int { return int(b.count) }

// Size is the number of bytes of its records, without the batch header.
func (b *Batch) Size() int { return b.size }

// Numbered says whether it has its place in the sequence.
func (b *Batch) Numbered() bool { return b.number.given }

// Opened is when its first record was accepted.
func (b *Batch) Opened() time.Time { return b.opened }

// Sum is the checksum of the payload; known says that it is: that of compressed
// records is not.
func (b *Batch) Sum() (sum record.Sum, known bool) { return b.sum, b.packed == nil }

// Header is the batch header, with the batch's number if it has one.
func (b *Batch) Header() record.BatchHeader {
	h := record.NewBatchHeader()
	h.Attributes = record.Attributes(b.codec)
	h.LastOffsetDelta, h.Count = b.count-1, b.count
	h.BaseTimestamp, h.MaxTimestamp = b.baseTime, b.maxTime
	if b.number.given {
		h.ProducerID, h.ProducerEpoch, h.BaseSequence = b.number.id, b.number.epoch, b.number.sequence
	}
	return h
}

// Compress compresses the records as the topic's settings say, once, if that
// makes them smaller. It is called by whoever took the batch, before the first
// send.
func (b *Batch) Compress(codecs *compress.Registry) error {
	codec, level := b.Config().Codec, b.Config().CodecLevel
	if codec == compress.None || b.packed != nil {
		return nil
	}
	packing := b.slot.topic.handle.packing
	packing <- struct{}{}
	defer func() { <-packing }()
	defer b.recharge()
	pool := b.slot.pool
	raw := pool.scratch(b.size)
	for _, c := range b.chunks {
		raw = append(raw, c.buf...)
	}
	packed, err := codecs.Compress(codec, pool.scratch(b.size), raw, level)
	pool.done(raw)
	if err != nil {
		return err
	}
	if len(packed) >= b.size {
		pool.done(packed)
		return nil
	}
	b.codec = codec
	if cap(packed) <= 2*len(packed) {
		b.packed = packed
	} else {
		b.packed = slices.Clone(packed)
		pool.done(packed)
	}
	return nil
}

// recharge reserves what the batch takes, no more and no less.
func (b *Batch) recharge() {
	takes := cap(b.packed)
	for _, c := range b.chunks {
		takes += cap(c.buf)
	}
	b.slot.room.change(takes - b.charged)
	b.charged = takes
}

// Payload appends the bytes that follow the batch header to dst: the records,
// compressed or not. They may be read as long as the caller holds the batch.
func (b *Batch) Payload(dst [][]byte) [][]byte {
	if b.packed != nil {
		return append(dst, b.packed)
	}
	return b.Records(dst)
}

// Records appends the record bytes as they are, never compressed.
func (b *Batch) Records(dst [][]byte) [][]byte {
	for _, c := range b.chunks {
		dst = append(dst, c.buf)
	}
	return dst
}

// Hold keeps the bytes for a writer until Release. It reports false when the
// batch is settled or the lease over: then there is nothing to write.
func (b *Batch) Hold(lease uint64) bool {
	s := b.slot
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != lease || !slices.Contains(s.taken, b) {
		return false
	}
	b.holds.Add(1)
	return true
}

// Acked settles the batch at once if it is the oldest that was taken; the
// producer is still to be told.
func (b *Batch) Acked(lease uint64, base int64) { b.slot.SettleFirst(lease, b, base) }

// Release ends a Hold; with the last one, after the batch is
// settled, its memory goes back.
func (b *Batch) Release() {
	if b.holds.Add(-1) != 0 {
		return
	}
	for _, c := range b.chunks {
		b.slot.pool.give(c)
	}
	b.chunks = nil
	if b.packed != nil {
		b.slot.pool.done(b.packed)
		b.packed = nil
	}
	b.slot.room.change(-b.charged)
	b.charged = 0
}

// charge is the memory that a record of at most size bytes needs: none where the
// last chunk has room for it.
func (b *Batch) charge(size int) int {
	if last := len(b.chunks) - 1; last >= 0 && cap(b.chunks[last].buf)-len(b.chunks[last].buf) >= size {
		return 0
	}
	return max(size, chunkSize) * b.slot.room.copies
}

// chargeAll is the most memory that a list needs. Records take no more than
// encodedSize says, so that their chunks are no more either.
func (s *Slot) chargeAll(records []record.Record) (charge int) {
	left := 0
	if s.open != nil && len(s.open.chunks) > 0 {
		last := s.open.chunks[len(s.open.chunks)-1].buf
		left = cap(last) - len(last)
	}
	for i := range records {
		size := encodedSize(&records[i])
		if size > left {
			left = max(size, chunkSize)
			charge += left * s.room.copies
		}
		left -= size
	}
	return charge
}

// add encodes a record at the end; the memory that it needs, its charge, is
// reserved. A panic while encoding, by a record that changes under our hands,
// leaves the batch at its last whole record.
func (b *Batch) add(r *record.Record, size, charge int, clock *clock) {
	at := r.Timestamp
	if at == 0 {
		at = clock.millis()
	} else {
		b.stamped = true
	}
	if b.count == 0 {
		b.baseTime, b.maxTime = at, at
	}
	last := len(b.chunks) - 1
	if charge > 0 {
		b.charged += charge
		c := b.slot.pool.take(size)
		if last >= 0 {
			b.sum.Add(b.chunks[last].buf)
		}
		b.chunks = append(b.chunks, c)
		last++
	}
	c := b.chunks[last]
	prefetch(unsafe.SliceData(c.buf[len(c.buf):]))
	buf := record.Append(c.buf, at-b.baseTime, b.count, r)
	b.size += len(buf) - len(c.buf)
	c.buf = buf
	b.count++
	b.maxTime = max(b.maxTime, at)
}

// addHere is add to a batch that has records, if its last chunk has room and it does
// not become larger than most.
func (b *Batch) addHere(r *record.Record, most int, clock *clock) bool {
	at := r.Timestamp
	if at == 0 {
		at = clock.millis()
	}
	c := b.chunks[len(b.chunks)-1]
	prefetch(unsafe.SliceData(c.buf[len(c.buf):]))
	buf, ok := record.AppendWithin(c.buf, at-b.baseTime, b.count, r)
	size := b.size + len(buf) - len(c.buf)
	if !ok || size > most {
		return false
	}
	c.buf, b.size = buf, size
	b.count++
	b.maxTime = max(b.maxTime, at)
	b.stamped = b.stamped || r.Timestamp != 0
	return true
}

// mark is how far a batch is filled.
type mark struct {
	chunks, end, size int
	charged           int
	count             int32
	maxTime           int64
	sum               record.Sum
}

func (b *Batch) mark() mark {
	m := mark{chunks: len(b.chunks), size: b.size, charged: b.charged, count: b.count, maxTime: b.maxTime, sum: b.sum}
	if m.chunks > 0 {
		m.end = len(b.chunks[m.chunks-1].buf)
	}
	return m
}

// rollBack takes back what was added since a mark.
func (b *Batch) rollBack(m mark) {
	for _, c := range b.chunks[m.chunks:] {
		b.slot.pool.give(c)
	}
	clear(b.chunks[m.chunks:])
	b.chunks = b.chunks[:m.chunks]
	if m.chunks > 0 {
		last := b.chunks[m.chunks-1]
		last.buf = last.buf[:m.end]
	}
	b.slot.room.change(m.charged - b.charged)
	b.size, b.charged, b.count, b.maxTime, b.sum = m.size, m.charged, m.count, m.maxTime, m.sum
}
