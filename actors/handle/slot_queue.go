package handle

import (
	"errors"
	"fmt"
	"time"

	"github.com/moldau-go/moldau/wire"
)

// ErrRecordChanged is a message with a record that could not be encoded, as its bytes
// were changed or given back meanwhile: they must stay until the message is told
// of as buffered, or has failed.
var ErrRecordChanged = errors.New("moldau: a record of the message could not be encoded: its bytes must stay as they are until ProduceBuffered or ProduceFailed")

// queue is the messages that wait for room in a slot, in order. It is guarded by
// the slot's lock, and survives the actors as the slot does.
type queue struct {
	waiting []*message
	places  int  // taken by those that wait, come or are just accepted
	moving  bool // a goroutine accepts what waits
}

// busy says that messages wait, so that later ones have to wait behind them.
func (s *Slot) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.moving
}

// Queued is how many messages wait for room.
func (s *Slot) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.places
}

// postpone takes a message that finds no room: it waits, or fails, as the topic's
// settings say and the queue's limits allow.
func (s *Slot) postpone(m *message) {
	t := s.topic
	if t.config.OnFull == FullBlocks && s.place(m) {
		m.queued() // before anybody else has it
		s.enqueue(m)
		return
	}
	t.handle.hurryAll()
	err := t.config.OnFull.err()
	t.lost(m.count-m.taken, err)
	m.failed(err)
}

// place gets a message its place in the queue, if there is one.
func (s *Slot) place(m *message) bool {
	held := 0
	for i := range m.records[m.taken:] {
		held += encodedSize(&m.records[m.taken+i])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.places >= s.topic.config.QueueMessages || !s.topic.handle.queued.reserve(held) {
		return false
	}
	s.queue.places++
	m.held = held
	return true
}

// unplace gives it back; the lock is held.
func (s *Slot) unplace(m *message) {
	s.queue.places--
	s.topic.handle.queued.release(m.held)
}

// enqueue puts a message that has its place behind the others.
func (s *Slot) enqueue(m *message) {
	s.mu.Lock()
	if err := s.closed; err != nil {
		s.unplace(m)
		s.mu.Unlock()
		m.failed(err)
		return
	}
	s.queue.waiting = append(s.queue.waiting, m)
	if !s.queue.moving {
		s.queue.moving = true
		go s.move()
	}
	s.mu.Unlock()
}

// move accepts what waits, one message after another, as room comes. Each is told
// of it before the next message of the partition is accepted. Whoever ends the
// goroutine while he is told (runtime.Goexit) does not end what waits behind.
func (s *Slot) move() {
	h, done := s.topic.handle, false
	h.press()
	defer func() {
		h.unpress()
		if !done {
			go s.move()
		}
	}()
	for m := s.head(); m != nil; m = s.head() {
		err := s.await(m)
		s.mu.Lock()
		s.unplace(m)
		s.mu.Unlock()
		s.guarded(func() { m.accepted(err) })
	}
	done = true
}

// head takes the first message out of the queue; with none left the queue is over.
func (s *Slot) head() *message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue.waiting) == 0 {
		s.queue.waiting, s.queue.moving = nil, false
		return nil
	}
	m := s.queue.waiting[0]
	s.queue.waiting[0] = nil
	s.queue.waiting = s.queue.waiting[1:]
	return m
}

// await accepts a message as room comes, until its time is over or the slot is
// closed.
func (s *Slot) await(m *message) error {
	timeout := s.topic.config.DeliveryTimeout
	limit := time.NewTimer(time.Until(m.since.Add(timeout)))
	defer limit.Stop()
	for {
		room := s.topic.handle.pool.budget.room()
		if full, err := s.take(m); !full {
			return s.reason(err)
		}
		select {
		case <-room:
		case <-limit.C:
			return &wire.Error{Code: wire.RequestTimedOut, Topic: s.topic.name, Partition: s.partition,
				Cause: fmt.Errorf("it waited for room for the delivery timeout of %v: %w", timeout, ErrBufferFull)}
		}
	}
}

// reason is why a message fails that waited: what waits when the slot is closed
// fails as all that is not settled then.
func (s *Slot) reason(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.failed != nil {
		return s.failed
	}
	return err
}
