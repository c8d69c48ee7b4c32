package handle

import (
	"sync/atomic"
	"time"

	"github.com/moldau-go/moldau/wire/record"
)

// Replies are told what becomes of a message. They are told one after another,
// from any goroutine and never under a lock: Queued perhaps, Buffered, and then
// Acked or Failed; or Failed without Buffered.
type Replies interface {
	// Queued: it waits for room. It is told in Accept, if at all.
	Queued()
	// Buffered: all records are accepted.
	Buffered()
	// Acked: all are written; base is the first one's offset, -1 where the broker
	// does not tell, or where there is none.
	Acked(base int64)
	// Failed: one record at least failed for good. accepted of them, the first
	// ones, were accepted and may have been written.
	Failed(accepted int, err error)
}

// message is the records of one message on their way into a slot, and what is
// known of their outcome.
type message struct {
	records []record.Record // until all are accepted
	count   int             // of records
	replies Replies         // nil: nobody asks
	since   time.Time       // when it came
	size    int             // bytes in a batch at most
	whole   bool            // accepted whole or not at all
	taken   int             // accepted; of whoever accepts
	held    int             // bytes that it has of the queue's

	// open counts the pieces without outcome, and 1 for Buffered: whoever brings it
	// to zero tells the outcome, so Buffered is told first. base and err are written
	// by the slot's callbacks, which are made one after another.
	open atomic.Int32
	base int64
	err  error
}

func newMessage(records []record.Record, replies Replies) *message {
	m := &message{records: records, count: len(records), replies: replies, since: time.Now(), base: -1}
	m.open.Store(1)
	return m
}

// outcome is the callback for the piece that begins behind what was taken.
func (m *message) outcome() func(base int64, err error) {
	if m.replies == nil {
		return nil
	}
	first := m.taken == 0
	return func(base int64, err error) {
		if first {
			m.base = base
		}
		if err != nil && m.err == nil {
			m.err = err
		}
		m.ended()
	}
}

// ended ends one of those that the outcome waits for.
func (m *message) ended() {
	switch {
	case m.open.Add(-1) > 0:
	case m.err != nil:
		m.replies.Failed(m.count, m.err)
	default:
		m.replies.Acked(m.base)
	}
}

// accepted ends the acceptance: err is why not all are accepted.
func (m *message) accepted(err error) {
	if err != nil {
		m.failed(err)
		return
	}
	m.records = nil // they are encoded
	if m.replies != nil {
		m.replies.Buffered()
		m.ended()
	}
}

// failed tells that what was not taken is not accepted.
func (m *message) failed(err error) {
	if m.replies != nil {
		m.replies.Failed(m.taken, err)
	}
}

// queued tells that it waits.
func (m *message) queued() {
	if m.replies != nil {
		m.replies.Queued()
	}
}
