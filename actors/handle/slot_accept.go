package handle

import (
	"github.com/moldau-go/moldau/wire/record"
)

// Accept is append for actors: records of a message go into the slot, and replies,
// if not nil, are told of it. It never blocks; it fails with ErrBufferFull when
// memory is at its limit: the records that were accepted before go their way.
func (s *Slot) Accept(records []record.Record, replies Replies) {
	m := newMessage(records, replies)
	if err := s.take(m); err != nil {
		m.failed(err)
		return
	}
	m.buffered()
}

// take accepts records of a message until there is an error.
func (s *Slot) take(m *message) error {
	for ; m.taken < len(m.records); m.taken++ {
		haste := Lingers
		if m.taken == len(m.records)-1 {
			haste = Soon
		}
		if size := encodedSize(&m.records[m.taken]); size > s.batchSize {
			return tooLarge(s, size)
		}
		m.open.Add(1)
		p, _, why := s.append(m.records[m.taken:m.taken+1], haste, false, m.outcome())
		if why == noRoom {
			return ErrBufferFull
		}
		if err := p.NotAccepted(); err != nil {
			return err
		}
	}
	return nil
}
