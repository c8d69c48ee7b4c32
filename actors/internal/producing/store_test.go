package producing

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moldau-go/moldau/wire"
)

// store is a slot: what waits, what was taken, its place in the sequence, and
// what became of every record. It survives the producer.
type store struct {
	records    uint64 // made so far
	lastID     uint64
	ready      []*load
	taken      []*load
	epoch      int
	next       int
	ended      map[uint64]outcome
	sentOnce   map[uint64]bool
	violations []error
	plant      plant
}

// load is a batch.
type load struct {
	id      uint64
	opened  time.Time
	records []uint64
	stamp   stamp
	sent    bool
	unsure  bool // an answer, or none, says that it may be in the log
}

type outcome struct {
	offset int64
	err    error
}

func (s *store) violated(format string, args ...any) {
	s.violations = append(s.violations, fmt.Errorf(format, args...))
}

// broken is the first rule that was broken.
func (s *store) broken() error {
	if len(s.violations) == 0 {
		return nil
	}
	return s.violations[0]
}

// load makes a batch of so many new records.
func (s *store) load(now time.Time, count int) *load {
	s.lastID++
	l := &load{id: s.lastID, opened: now}
	for range count {
		s.records++
		l.records = append(l.records, s.records)
	}
	return l
}

func (l *load) batch() Batch {
	return Batch{ID: l.id, Opened: l.opened, Count: len(l.records), Size: 100 * len(l.records), Unsure: l.sent, Numbered: l.stamp.given}
}

// left is what a new producer finds.
func (s *store) left() []Batch {
	var left []Batch
	for _, l := range s.taken {
		l.unsure = l.sent
		b := l.batch()
		b.Unsure = b.Unsure && s.plant != crashForgetsWhatWasSent
		left = append(left, b)
	}
	return left
}

func (s *store) find(id uint64) *load {
	at := slices.IndexFunc(s.taken, func(l *load) bool { return l.id == id })
	if at < 0 {
		s.violated("batch %d is not taken", id)
		return &load{}
	}
	return s.taken[at]
}

func (s *store) take() *load {
	l := s.ready[0]
	s.ready = s.ready[1:]
	s.taken = append(s.taken, l)
	return l
}

// takeBatch is take, as the core is told of it.
func (s *store) takeBatch() Batch {
	b := s.take().batch()
	if s.plant == nothingIsCut {
		b.Count = 1
	}
	return b
}

// send gives the batch its number, if it has none.
func (s *store) send(id uint64, numbered bool) *load {
	l := s.find(id)
	if numbered && !l.stamp.given {
		l.stamp = stamp{given: true, epoch: s.epoch, sequence: s.next}
		s.next += len(l.records)
	}
	l.sent = true
	for _, r := range l.records {
		s.sentOnce[r] = true
	}
	return l
}

// part cuts a batch as the slot does: its halves share its place in the sequence.
func (s *store) part(a Part) []Batch {
	was := s.find(a.ID)
	at := slices.Index(s.taken, was)
	var heirs []*load
	if len(a.Rejected) == 0 {
		k := len(was.records) / 2
		heirs = []*load{s.heir(was, a, was.records[:k], 0), s.heir(was, a, was.records[k:], k)}
	} else {
		var rest []uint64
		for i, r := range was.records {
			n := slices.IndexFunc(a.Rejected, func(r Rejection) bool { return int(r.Index) == i })
			if n < 0 {
				rest = append(rest, r)
				continue
			}
			if s.plant != rejectedIsForgotten {
				s.end(r, outcome{-1, a.Rejected[n].Err})
			}
		}
		if len(rest) > 0 {
			heirs = []*load{s.heir(was, a, rest, 0)}
		}
	}
	s.taken = slices.Replace(s.taken, at, at+1, heirs...)
	var parts []Batch
	for _, l := range heirs {
		parts = append(parts, l.batch())
	}
	return parts
}

func (s *store) heir(was *load, a Part, records []uint64, at int) *load {
	s.lastID++
	l := &load{id: s.lastID, opened: was.opened, records: records, sent: a.Unsure, unsure: a.Unsure, stamp: was.stamp}
	if l.stamp.given && s.plant != halvesShareANumber {
		l.stamp.sequence += at
	}
	return l
}

// bump begins a new epoch. What may have been written keeps its number.
func (s *store) bump(ids []uint64) {
	for _, id := range ids {
		l := s.find(id)
		l.stamp = stamp{}
	}
	for _, l := range s.taken {
		if s.plant == unsureIsNumberedAnew {
			l.stamp = stamp{}
		}
	}
	s.epoch, s.next = s.epoch+1, 0
}

func (s *store) end(record uint64, o outcome) {
	if _, twice := s.ended[record]; twice {
		s.violated("record %d has two outcomes", record)
	}
	s.ended[record] = o
}

// settle ends a batch, which has to be the first.
func (s *store) settle(a Settle, log *partition) (l *load) {
	if len(s.taken) == 0 || s.taken[0].id != a.ID {
		s.violated("batch %d is settled out of order or twice: %v %v", a.ID, a.Err, s.ids())
		return &load{}
	}
	l = s.taken[0]
	s.taken = s.taken[1:]
	for i, r := range l.records {
		o := outcome{-1, a.Err}
		switch {
		case a.Err != nil:
		case !log.holds(r):
			s.violated("record %d is acked and not in the log %v", r, log.log)
		case a.Base >= 0 && log.log[a.Base+int64(i)] != r:
			s.violated("record %d is acked at %d, where %d is", r, a.Base+int64(i), log.log[a.Base+int64(i)])
		case a.Base >= 0:
			o.offset = a.Base + int64(i)
		}
		s.end(r, o)
		if s.plant == outcomeIsToldTwice && r%20 == 0 {
			s.end(r, o)
		}
	}
	return l
}

// unsure says that a record failed as one that may be written: without numbers it
// may be on its way still, to a broker that is slow.
func (s *store) unsure(record uint64) bool { return errors.Is(s.ended[record].err, wire.ErrUnsure) }

func never(uint64) bool { return false }

// complete says whether every record has an outcome, and a failed one that is in
// the log says that it may be.
func (s *store) complete(log *partition) error {
	for r := uint64(1); r <= s.records; r++ {
		o, ended := s.ended[r]
		switch {
		case !ended:
			return fmt.Errorf("record %d of %d has no outcome", r, s.records)
		case o.err != nil && log.holds(r) && !errors.Is(o.err, wire.ErrUnsure):
			return fmt.Errorf("record %d is in the log, and its error denies it: %w", r, o.err)
		case o.err != nil && errors.Is(o.err, wire.ErrUnsure) && !s.sentOnce[r]:
			return fmt.Errorf("record %d was never sent, and its error does not say so: %w", r, o.err)
		}
	}
	return nil
}

func (s *store) ids() (ids []uint64) {
	for _, l := range s.taken {
		ids = append(ids, l.id)
	}
	return ids
}
