package handle

import (
	"time"
	"unsafe"

	"github.com/moldau-go/moldau/wire/record"
)

// Haste says when a record's batch is to be sent.
type Haste int8

const (
	// Lingers waits for more records, as long as the configuration says.
	Lingers Haste = iota
	// Soon does not.
	Soon
	// Awaited is Soon for a caller who does nothing but wait for the outcome: the
	// batch may be sent off on his goroutine.
	Awaited
)

// stop is why an append ended before its last record.
type stop int8

const (
	goOn   stop = iota // the batch is full, or all are in
	noRoom             // memory is at its limit
	moveOn             // a record without key has to choose its partition anew
)

// appendQuick accepts a record that nobody waits for and that finds an open batch
// with memory for it, as nearly all do: nothing is to be decided then, and nobody to
// be told. Should encoding panic, the batch is what it was before.
func (s *Slot) appendQuick(r *record.Record) (p Pending, ok bool) {
	s.filling.Lock()
	defer s.filled(false, false)
	b := s.open
	if b == nil || s.closed != nil || s.room.counted {
		return Pending{}, false
	}
	p = Pending{outcome: b.outcome, index: b.count}
	return p, b.addHere(r, s.batchSize, s.clock)
}

// append accepts the first records of a list, in order, into the batch that is
// open or, if that has no room for the first, a new one: n of them, and p is the
// outcome of the first; that of the others follows it. sticky takes no new
// batch: one that is full is on its way then, and the records may go elsewhere.
// A panic while a record is encoded, by one that changes under our hands, leaves
// the slot at its last whole record. made, if not nil, is called with the offset
// of the first that is in, or the first error of those that are.
func (s *Slot) append(records []record.Record, haste Haste, sticky bool, made func(int64, error)) (p Pending, n int, why stop) {
	s.filling.Lock()
	if s.closed != nil {
		defer s.filling.Unlock()
		return Failed(s.closed), 0, goOn
	}
	size := encodedSize(&records[0])
	full := s.open != nil && s.open.size+size > s.batchSize
	if full {
		s.sealNow()
	}
	if sticky && s.open == nil {
		s.filled(full, false)
		return Pending{}, 0, moveOn
	}
	return s.fill(records, size, haste, full, made)
}

// fill is append into a batch that has room for the first record; filling is held,
// which it gives up.
func (s *Slot) fill(records []record.Record, size int, haste Haste, news bool, made func(int64, error)) (p Pending, n int, why stop) {
	b, fresh := s.open, s.open == nil
	if fresh {
		b = s.newBatch(time.Now())
	}
	encoded := false
	defer func() {
		if !encoded { // a panic
			s.room.leave(1)
			s.keep(b, fresh)
			s.filled((news || fresh) && n > 0, false) // those before it are in
		}
	}()
	p = Pending{outcome: b.outcome, index: b.count}
	for {
		charge := b.charge(size)
		if !s.room.take(1, charge) {
			why = noRoom
			break
		}
		b.add(&records[n], size, charge, s.clock)
		if n++; n == len(records) {
			break
		}
		if size = encodedSize(&records[n]); b.size+size > s.batchSize {
			break
		}
	}
	encoded = true
	if n == 0 {
		s.keep(b, fresh)
		s.filled(news, false)
		return Pending{}, 0, noRoom
	}
	if made != nil {
		p.outcome.calls = append(p.outcome.calls, call{p.index, int32(n), made})
	}
	if haste != Lingers && n == len(records) {
		b.due.Store(true)
		news = true
	}
	s.keep(b, fresh)
	s.filled(news || fresh, haste == Awaited)
	return p, n, why
}

// keep shows a new batch, unless no record of it made it.
func (s *Slot) keep(b *Batch, fresh bool) {
	switch {
	case !fresh:
	case b.count > 0:
		s.show(b)
	default:
		b.Release()
	}
}

// appendWhole accepts a list whole or not at all, in one batch. size is what it
// takes at most, which is no more than a batch may have. made, if not nil, is
// called with the first one's offset, or the first error.
func (s *Slot) appendWhole(records []record.Record, size int, haste Haste, made func(int64, error)) (p Pending, full bool) {
	s.filling.Lock()
	if s.closed != nil {
		defer s.filling.Unlock()
		return Failed(s.closed), false
	}
	news := s.open != nil && s.open.size+size > s.batchSize
	if news {
		s.sealNow()
	}
	charge := s.chargeAll(records)
	if !s.room.take(len(records), charge) {
		s.filled(news, false)
		return Pending{}, true
	}
	return s.fillWhole(records, charge, haste, news, made), false
}

// fillWhole encodes a list that has its memory into the open batch, or a new one;
// filling is held, which it gives up.
func (s *Slot) fillWhole(records []record.Record, charge int, haste Haste, news bool, made func(int64, error)) Pending {
	b, fresh, encoded := s.open, s.open == nil, false
	if fresh {
		b = s.newBatch(time.Now())
	}
	before := b.mark()
	unused := func() { s.room.change(b.charged - before.charged - charge) }
	defer func() {
		if !encoded { // a panic
			unused()
			b.rollBack(before)
			s.keep(b, fresh)
			s.room.leave(len(records))
			s.filled(news, false)
		}
	}()
	p := Pending{outcome: b.outcome, index: b.count}
	for i := range records {
		size := encodedSize(&records[i])
		b.add(&records[i], size, b.charge(size), s.clock)
	}
	encoded = true
	unused()
	if made != nil {
		b.outcome.calls = append(b.outcome.calls, call{p.index, int32(len(records)), made})
	}
	if haste != Lingers {
		b.due.Store(true)
	}
	s.keep(b, fresh)
	s.filled(news || fresh || haste != Lingers, haste == Awaited)
	return p
}

// alone is a record as a list of one.
func alone(r *record.Record) []record.Record { return unsafe.Slice(r, 1) }

func (s *Slot) newBatch(now time.Time) *Batch {
	b := &Batch{slot: s, opened: now, outcome: &Outcome{done: make(chan struct{}), slot: s, base: -1}}
	b.holds.Store(1)
	return b
}
