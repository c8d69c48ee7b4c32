package handle

import (
	"math"
)

// Number gives a batch the slot's next place in the sequence, unless it has one.
// A slot without a producer id takes the given one, and keeps it. It reports false
// when the slot has used up the epochs of just this id: it needs another one.
func (s *Slot) Number(lease uint64, b *Batch, id Identity) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != lease || b.number.given {
		return true
	}
	if !s.sequence.given {
		if s.spent.given && s.spent.id == id.ID {
			return false
		}
		s.sequence = place{given: true, id: id.ID, epoch: id.Epoch}
	}
	b.number = s.sequence
	s.sequence.sequence = advance(s.sequence.sequence, b.count)
	return true
}

// advance counts on; sequences wrap to 0 behind the largest int32.
func advance(sequence, by int32) int32 {
	return int32((int64(sequence) + int64(by)) & math.MaxInt32)
}

// Bump begins a new epoch for what comes and for the given batches, which lose
// their numbers. Kafka lets an idempotent producer raise its epoch by itself
// (KIP-360). When epochs are used up, the slot gives up its producer id.
func (s *Slot) Bump(lease uint64, batches []*Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != lease || !s.sequence.given {
		return
	}
	for _, b := range batches {
		b.number = place{}
	}
	s.newEpoch()
}

func (s *Slot) newEpoch() {
	if s.sequence.epoch == math.MaxInt16 {
		s.spent, s.sequence = s.sequence, place{}
		return
	}
	s.sequence.epoch++
	s.sequence.sequence = 0
}

// place is a batch's place in what its producer id writes to the partition.
type place struct {
	given    bool
	id       int64
	epoch    int16
	sequence int32
}
