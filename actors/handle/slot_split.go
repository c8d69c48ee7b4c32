package handle

import (
	"slices"

	"github.com/moldau-go/moldau/wire/record"
)

// run is records that a part of a batch has of the batch that it was cut from:
// n of them, from index on there, and from at on here.
type run struct{ index, at, n int32 }

// part is the outcome of a run.
type part struct {
	run
	base int64 // the offset of the part's first record, -1: not told
	err  error
}

// told takes down what became of a batch, and says whether the outcome is whole.
// It is not when other parts of the batch that it was cut from are open.
func (o *Outcome) told(b *Batch, base int64, err error) bool {
	if b.runs == nil {
		o.base, o.err = base, err
		return true
	}
	for _, r := range b.runs {
		o.parts = append(o.parts, part{r, base, err})
	}
	o.open--
	return o.open == 0
}

// ofPart is the outcome of one record of a batch that was cut.
func (o *Outcome) ofPart(index int32) (int64, error) {
	for _, p := range o.parts {
		switch {
		case index < p.index || index >= p.index+p.n:
			continue
		case p.err != nil:
			return -1, p.err
		case p.base < 0:
			return -1, nil
		}
		return p.base + int64(p.at+index-p.index), nil
	}
	return -1, nil // every record is in a part
}

// Split cuts a batch that was taken in two of about the same size, in its place.
// The halves share its outcome and its place in the sequence, and are held: call
// Release. sent says that the batch may have been written. There are none when
// the lease is over, and for a single record.
//
// The halves are copies, as a connection may still read the batch. Until that is
// over the memory of records passes its limit by the size of the batch at most:
// to wait for room would be to wait for what this is to free.
func (s *Slot) Split(lease uint64, b *Batch, sent bool) []*Batch {
	return s.cut(lease, b, sent, nil)
}

// Reject fails some records of a batch that was taken, by their place in it, and
// leaves the others as one batch in its place, which is held: call Release. It
// begins where the batch did in the sequence. There is none when all failed, or
// the lease is over.
func (s *Slot) Reject(lease uint64, b *Batch, sent bool, failed map[int32]error) *Batch {
	if rest := s.cut(lease, b, sent, failed); len(rest) > 0 {
		return rest[0]
	}
	return nil
}

func (s *Slot) cut(lease uint64, b *Batch, sent bool, failed map[int32]error) []*Batch {
	if !b.Hold(lease) {
		return nil
	}
	defer b.Release()
	parts := b.cut(failed)
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.taken, b)
	if s.lease != lease || at < 0 || len(parts) == 0 && len(failed) != b.Count() {
		for _, p := range parts {
			p.holds.Store(1)
			p.Release()
		}
		return nil
	}
	for _, p := range parts {
		p.holds.Store(2) // the slot's, and the caller's
		if sent {
			p.Attempts = b.Attempts
		}
	}
	s.taken = slices.Replace(s.taken, at, at+1, parts...)
	s.inherit(b, parts, failed)
	b.Release()
	return parts
}

// inherit makes the outcome of a batch that of its parts; the lock is held.
func (s *Slot) inherit(b *Batch, parts []*Batch, failed map[int32]error) {
	o := b.outcome
	if b.runs == nil {
		o.open = 1
	}
	o.open += len(parts) - 1
	for index, err := range failed {
		r := b.origin(index)
		o.parts = append(o.parts, part{run{r, 0, 1}, -1, err})
	}
	s.room.leave(len(failed))
	if o.open == 0 {
		o.settle()
		s.callBack(o)
	}
}

// origin is the index of a record in the batch that was cut first.
func (b *Batch) origin(at int32) int32 {
	for _, r := range b.runs {
		if at >= r.at && at < r.at+r.n {
			return r.index + at - r.at
		}
	}
	return at
}

// cut copies the records into two halves, or into one batch without those that
// failed.
func (b *Batch) cut(failed map[int32]error) []*Batch {
	records := b.records()
	sizes := b.sizes(records)
	var groups [2][]int32
	half, size := 0, 0
	for i := range b.count {
		if _, gone := failed[i]; gone {
			continue
		}
		if failed == nil && half == 0 && i > 0 && (size+sizes[i] > b.size/2 || i == b.count-1) {
			half = 1
		}
		groups[half] = append(groups[half], i)
		size += sizes[i]
	}
	var parts []*Batch
	for _, indices := range groups {
		if len(indices) > 0 && len(indices) < int(b.count) {
			p := b.copyOf(records, indices)
			if failed == nil && p.number.given {
				p.number.sequence = advance(p.number.sequence, indices[0])
			}
			parts = append(parts, p)
		}
	}
	return parts
}

// records is a cursor over the batch. Its bytes are our own, so they are good.
func (b *Batch) records() record.Records {
	header := b.Header()
	records, err := record.OpenRecords(&header, b.Records(nil)...)
	if err != nil {
		panic("moldau: a batch that we made ourselves cannot be read: " + err.Error())
	}
	return records
}

// sizes are the bytes of each record.
func (b *Batch) sizes(records record.Records) []int {
	sizes := make([]int, 0, b.count)
	var r record.Record
	for records.Next(&r) {
		sizes = append(sizes, record.Size(r.Timestamp-b.baseTime, int32(len(sizes)), &r))
	}
	return sizes
}

// copyOf is a batch of some of the records, encoded anew, as each record says its
// place.
func (b *Batch) copyOf(records record.Records, indices []int32) *Batch {
	p := &Batch{slot: b.slot, opened: b.opened, outcome: b.outcome, count: int32(len(indices)), number: b.number, stamped: b.stamped}
	p.due.Store(true)
	p.each(records, indices, func(delta int64, at int32, r *record.Record) { p.size += record.Size(delta, at, r) })
	buf := make([]byte, 0, p.size)
	p.each(records, indices, func(delta int64, at int32, r *record.Record) { buf = record.Append(buf, delta, at, r) })
	p.charged = cap(buf)
	b.slot.room.change(p.charged)
	p.chunks = []*chunk{{buf: buf}}
	p.sum.Add(buf)
	for at, index := range indices {
		p.runs = appendRun(p.runs, b.origin(index), int32(at))
	}
	return p
}

// each goes over some of the records, in order, and finds the batch's times.
func (b *Batch) each(records record.Records, indices []int32, do func(delta int64, at int32, r *record.Record)) {
	var r record.Record
	at := int32(0)
	for i := int32(0); int(at) < len(indices) && records.Next(&r); i++ {
		if i != indices[at] {
			continue
		}
		if at == 0 {
			b.baseTime, b.maxTime = r.Timestamp, r.Timestamp
		}
		b.maxTime = max(b.maxTime, r.Timestamp)
		do(r.Timestamp-b.baseTime, at, &r)
		at++
	}
}

func appendRun(runs []run, index, at int32) []run {
	if n := len(runs); n > 0 && runs[n-1].index+runs[n-1].n == index {
		runs[n-1].n++
		return runs
	}
	return append(runs, run{index, at, 1})
}
