package handle

import (
	"fmt"
	"slices"
	"time"

	"github.com/moldau-go/moldau/wire"
)

// The delivery timeout is held here where no producer lives to hold it: a parked
// actor cannot. The slots of a topic are looked at from time to time while
// anything is unsettled in one of them, and not at all otherwise.

// expiryChecks is how often within a delivery timeout the slots are looked at.
const expiryChecks = 8

// watch makes sure that the slots are looked at. It is called when a batch is
// opened.
func (t *Topic) watch() {
	if t.expiry.CompareAndSwap(false, true) {
		time.AfterFunc(t.config.DeliveryTimeout/expiryChecks, t.expire)
	}
}

func (t *Topic) expire() {
	timeout := t.config.DeliveryTimeout
	err := &wire.Error{Code: wire.RequestTimedOut, Topic: t.name, Partition: -1, Cause: fmt.Errorf("not acked within the delivery timeout of %v, and no producer was alive to try", timeout)}
	t.expiry.Store(false)
	left := false
	for _, s := range *t.slots.Load() {
		left = s.expire(time.Now().Add(-timeout), err) || left
	}
	if left {
		t.watch()
	}
}

// expire fails what was accepted before a time, if no producer is there to do
// it. It reports whether anything is left.
func (s *Slot) expire(before time.Time, err error) (left bool) {
	s.filling.Lock()
	defer s.filling.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.notify == nil {
		s.taken = s.expireIn(s.taken, before, err)
		s.sealed = s.expireIn(s.sealed, before, err)
		if s.open != nil && s.open.opened.Before(before) {
			b := s.open
			s.open = nil
			s.finish(b, -1, err)
		}
	}
	return s.open != nil || len(s.sealed)+len(s.taken) > 0
}

// expireIn fails the batches of a list that are too old. One that had its place
// in the sequence leaves a gap there, which a new epoch mends.
func (s *Slot) expireIn(list []*Batch, before time.Time, err error) []*Batch {
	n := 0
	for n < len(list) && list[n].opened.Before(before) {
		if list[n].number.given && s.sequence.given {
			s.newEpoch()
		}
		s.finish(list[n], -1, err)
		n++
	}
	return slices.Delete(list, 0, n)
}
