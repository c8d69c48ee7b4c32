package handle

import (
	"math"
)

// Number gives a batch the slot's next place in the sequence, unless it has one.
// A slot without a producer id takes the given one, and keeps it.
func (s *Slot) Number(lease uint64, b *Batch, id Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != lease || b.number.given {
		return
	}
	if !s.sequence.given {
		s.sequence = place{given: true, id: id.ID, epoch: id.Epoch}
	}
	b.number = s.sequence
	s.sequence.sequence = advance(s.sequence.sequence, b.count)
}

// advance counts on; sequences wrap to 0 behind the largest int32.
func advance(sequence, by int32) int32 {
	return int32((int64(sequence) + int64(by)) & math.MaxInt32)
}

// Bump begins a new epoch for what comes and for the given batches, which lose
// their numbers. Kafka lets an idempotent producer raise its epoch by itself
// (KIP-360). It reports false when epochs are used up: then the slot needs a
// new producer id.
func (s *Slot) Bump(lease uint64, batches []*Batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != lease || !s.sequence.given {
		return true
	}
	for _, b := range batches {
		b.number = place{}
	}
	return s.newEpoch()
}

func (s *Slot) newEpoch() bool {
	if s.sequence.epoch == math.MaxInt16 {
		s.sequence = place{}
		return false
	}
	s.sequence.epoch++
	s.sequence.sequence = 0
	return true
}

// place is a batch's place in what its producer id writes to the partition.
type place struct {
	given    bool
	id       int64
	epoch    int16
	sequence int32
}
