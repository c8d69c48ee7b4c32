package handle

import (
	"fmt"

	"github.com/moldau-go/moldau/wire/record"
)

// Accept is append for actors: records of a message go into the slot, and replies,
// if not nil, are told of it. It never blocks: a message that finds no room waits
// in the slot's queue, and all that come behind it, or fails, as Produce.OnFull
// says. A list that one batch holds is accepted whole or not at all, with offsets
// one after another; a longer one batch by batch. A record that no batch can hold
// fails its message before any is accepted. Keys, values and headers must stay as
// they are until Buffered or Failed.
func (s *Slot) Accept(records []record.Record, replies Replies) {
	m := newMessage(records, replies)
	size, err := s.measure(records)
	if err != nil {
		m.failed(err)
		return
	}
	m.size, m.whole = size, s.together(len(records), size)
	full := s.busy()
	if !full {
		full, err = s.take(m)
	}
	if full {
		s.postpone(m)
	} else {
		m.accepted(err)
	}
}

// measure is what records take in a batch at most; each must fit one.
func (s *Slot) measure(records []record.Record) (size int, err error) {
	for i := range records {
		n := encodedSize(&records[i])
		if n > s.batchSize {
			return 0, tooLarge(s, n)
		}
		size += n
	}
	return size, nil
}

// together says whether n records can ever be accepted whole.
func (s *Slot) together(n, size int) bool {
	most := s.room.atOnce()
	return size <= s.batchSize && (most == 0 || n <= most)
}

// take accepts of a message what there is room for. full says that some is left. A
// record that changes under our hands is an error, not a panic: it is its sender's
// mistake, and no actor's.
func (s *Slot) take(m *message) (full bool, err error) {
	defer func() {
		if value := recover(); value != nil {
			full, err = false, fmt.Errorf("%w (%v)", ErrRecordChanged, value)
		}
	}()
	for m.taken < len(m.records) {
		m.open.Add(1)
		p, n, full := s.piece(m)
		if full {
			m.open.Add(-1)
			return true, nil
		}
		if err := p.NotAccepted(); err != nil {
			return false, err
		}
		m.taken += n
	}
	return false, nil
}

// piece accepts what one batch has room for.
func (s *Slot) piece(m *message) (p Pending, n int, full bool) {
	rest := m.records[m.taken:]
	if m.whole {
		p, full = s.appendWhole(rest, m.size, Soon, m.outcome())
		return p, len(rest), full
	}
	p, n, why := s.append(rest, Soon, false, m.outcome())
	return p, n, n == 0 && why == noRoom
}
