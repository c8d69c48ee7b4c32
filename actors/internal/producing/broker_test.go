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
	known bool
	epoch int
	next  int
	last  []written
}

type written struct {
	sequence int
	base     int64
}

func coded(code wire.Code) error { return &wire.Error{Code: code, Topic: "t"} }

// produce is what a leader does with a batch; refuse is an error that it
// answers without writing, fail one that it answers although it wrote.
func (p *partition) produce(s stamp, id uint64, refuse, fail error) (int64, error) {
	if refuse != nil {
		return -1, refuse
	}
	if s.given {
		switch base, err := p.check(s); {
		case err != nil:
			return -1, err
		case base >= 0:
			return base, nil
		}
		p.last = append(p.last, written{s.sequence, int64(len(p.log))})
		p.last = p.last[max(0, len(p.last)-5):]
		p.next = s.sequence + 1
	}
	p.log = append(p.log, id)
	if fail != nil {
		return -1, fail
	}
	return int64(len(p.log) - 1), nil
}

// check gives the base of a batch that was written before, -1 for a new one.
func (p *partition) check(s stamp) (int64, error) {
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
		if w.sequence == s.sequence {
			return w.base, nil
		}
	}
	if s.sequence != p.next {
		return -1, coded(wire.OutOfOrderSequenceNumber)
	}
	return -1, nil
}

// inOrder says that records stand in the order in which they were accepted;
// again allows what is written a second time, behind its first.
func (p *partition) inOrder(again bool) error {
	var firsts []uint64
	for _, id := range p.log {
		if !again || !slices.Contains(firsts, id) {
			firsts = append(firsts, id)
		}
	}
	if !slices.IsSorted(firsts) || len(slices.Compact(slices.Clone(firsts))) != len(firsts) {
		return fmt.Errorf("the log is %v", p.log)
	}
	return nil
}
