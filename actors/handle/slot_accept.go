package handle

import (
	"github.com/moldau-go/moldau/wire/record"
)

// Accept is append for actors: records of a message go into the slot, and made
// is called once, when the outcome of all is there, with the first one's offset
// or the first error. It never blocks; it fails with ErrBufferFull when memory
// is at its limit, and tells how many records were accepted before: these go
// their way.
func (s *Slot) Accept(records []record.Record, made func(base int64, err error)) (accepted int, err error) {
	all := &allOf{left: len(records), base: -1, made: made}
	for i := range records {
		var outcome func(int64, error)
		if made != nil {
			outcome = func(offset int64, err error) { all.one(i, offset, err) }
		}
		if size := encodedSize(&records[i]); size > s.batchSize {
			return i, tooLarge(s, size)
		}
		haste := Lingers
		if i == len(records)-1 {
			haste = Soon
		}
		p, _, why := s.append(records[i:i+1], haste, false, outcome)
		if why == noRoom {
			return i, ErrBufferFull
		}
		if err := p.NotAccepted(); err != nil {
			return i, err
		}
	}
	return len(records), nil
}

// allOf waits for the outcomes of the records of one message. Callbacks of a
// slot are made one after another, so it needs no lock.
type allOf struct {
	left int
	base int64
	err  error
	made func(int64, error)
}

func (a *allOf) one(i int, offset int64, err error) {
	if i == 0 {
		a.base = offset
	}
	if err != nil && a.err == nil {
		a.err = err
	}
	if a.left--; a.left == 0 {
		a.made(a.base, a.err)
	}
}
