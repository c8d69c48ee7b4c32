package producing

import (
	"fmt"
	"slices"

	"github.com/moldau-go/moldau/wire"
)

var errLost error = &wire.ConnError{Stage: wire.StageRead, Written: true, Address: "broker"}

// stamp is the number that a batch travels with; the zero value is none.
type stamp struct {
	given    bool
	epoch    int
	sequence int
}

// parcel is a batch on the wire.
type parcel struct {
	id          uint64
	records     []uint64
	stamp       stamp
	node        int32
	incarnation int
	processed   bool
	base        int64
	err         error
}

// partition is the log, with what brokers know of its one producer: its epoch,
// its next sequence, and where its last five batches are (KIP-98, KIP-360).
type partition struct {
	log   []uint64
	limit int // of a batch; 0: none
	known bool
	epoch int
	next  int
	last  []entry
}

type entry struct {
	sequence, count int
	base            int64
}

func coded(code wire.Code) error { return &wire.Error{Code: code, Topic: "t"} }

// A record's number says what it is: some are larger than others, and some no
// broker takes.
func weight(record uint64) int {
	if record%13 == 0 {
		return 5
	}
	return 1
}

func isBad(record uint64) bool { return record%17 == 0 }

// produce is what a leader does with a batch; refuse is an error that it
// answers without writing, failure one that it answers although it wrote. As in
// Kafka, sizes and records are looked at before it is looked whether the batch
// is there already.
func (p *partition) produce(s stamp, records []uint64, refuse, failure error) (int64, error) {
	if refuse == nil {
		refuse = p.validate(records)
	}
	if refuse != nil {
		return -1, refuse
	}
	base := int64(len(p.log))
	if s.given {
		switch at, err := p.check(s, len(records)); {
		case err != nil:
			return -1, err
		case at >= 0:
			return at, nil
		}
		p.last = append(p.last, entry{s.sequence, len(records), base})
		p.last = p.last[max(0, len(p.last)-5):]
		p.next = s.sequence + len(records)
	}
	p.log = append(p.log, records...)
	if failure != nil {
		return -1, failure
	}
	return base, nil
}

func (p *partition) validate(records []uint64) error {
	size := 0
	refusal := &Refusal{Err: &wire.Error{Code: wire.InvalidRecord, Topic: "t"}}
	for i, r := range records {
		size += weight(r)
		if isBad(r) {
			refusal.Records = append(refusal.Records, RefusedRecord{Index: int32(i), Message: fmt.Sprint("bad ", r)})
		}
	}
	switch {
	case p.limit > 0 && size > p.limit:
		return coded(wire.MessageTooLarge)
	case len(refusal.Records) > 0:
		return refusal
	}
	return nil
}

// check gives the base of a batch that was written before, -1 for a new one.
func (p *partition) check(s stamp, count int) (int64, error) {
	switch {
	case !p.known || s.epoch > p.epoch:
		if s.sequence != 0 {
			return -1, coded(map[bool]wire.Code{true: wire.OutOfOrderSequenceNumber, false: wire.UnknownProducerID}[p.known])
		}
		p.known, p.epoch, p.last = true, s.epoch, nil
		return -1, nil
	case s.epoch < p.epoch:
		return -1, coded(wire.InvalidProducerEpoch)
	}
	for _, w := range p.last {
		if w.sequence == s.sequence && w.count == count {
			return w.base, nil
		}
	}
	if s.sequence != p.next {
		return -1, coded(wire.OutOfOrderSequenceNumber)
	}
	return -1, nil
}

// inOrder says that records stand in the order in which they were accepted;
// again allows what is written a second time, behind its first, and late says of
// which records it does not matter when they are written, if only once.
func (p *partition) inOrder(again bool, late func(record uint64) bool) error {
	seen := map[uint64]bool{}
	last := uint64(0)
	for _, r := range p.log {
		switch {
		case seen[r] && !again:
			return fmt.Errorf("record %d is in the log twice: %v", r, p.log)
		case late(r):
			seen[r] = true
			continue
		case !seen[r] && r < last:
			return fmt.Errorf("record %d is behind %d: %v", r, last, p.log)
		}
		seen[r] = true
		last = max(last, r)
	}
	return nil
}

func (p *partition) holds(record uint64) bool { return slices.Contains(p.log, record) }
