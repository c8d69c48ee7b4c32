package wire

import "time"

// pending is one call on its way. Times are since the connection's epoch.
type pending struct {
	call     *Call
	id       int32
	size     int           // of the frame without its length field
	start    uint64        // position of the frame's first byte in all that is written
	end      uint64        // position after its last
	at       time.Duration // when Send was called
	sent     time.Duration // when it was encoded for writing
	deadline time.Duration
}

// inflight holds the calls that wait for an answer, in the order in which they
// were written, so by correlation id. A broker answers in that order; should
// one not, the call is found by bisection and leaves a hole until those before
// it are answered. Pure: no lock, no clock.
type inflight struct {
	ring []pending // a power of two
	head int
	used int // with holes
	live int
}

func (f *inflight) slot(i int) *pending { return &f.ring[(f.head+i)&(len(f.ring)-1)] }

// push adds a call; its id must follow those before it.
func (f *inflight) push(p pending) {
	if f.used == len(f.ring) {
		f.grow()
	}
	f.used++
	f.live++
	*f.slot(f.used - 1) = p
}

func (f *inflight) grow() {
	const smallest = 16
	ring := make([]pending, max(smallest, 2*len(f.ring)))
	for i := range f.used {
		ring[i] = *f.slot(i)
	}
	f.ring, f.head = ring, 0
}

// find is the place of an id, or -1 if no call waits for it.
func (f *inflight) find(id int32) int {
	if f.used == 0 {
		return -1
	}
	first := f.slot(0).id
	distance := func(id int32) int32 { return (id - first) & maxCorrelation }
	low, high := 0, f.used
	if id == first {
		high = 1
	}
	for low < high {
		middle := int(uint(low+high) / 2)
		switch at := f.slot(middle); {
		case at.id == id && at.call != nil:
			return middle
		case at.id == id:
			return -1
		case distance(at.id) < distance(id):
			low = middle + 1
		default:
			high = middle
		}
	}
	return -1
}

// take removes the call that waits for an id.
func (f *inflight) take(id int32) (pending, bool) {
	i := f.find(id)
	if i < 0 {
		return pending{}, false
	}
	at := f.slot(i)
	p := *at
	at.call = nil
	f.live--
	for f.used > 0 && f.slot(0).call == nil {
		*f.slot(0) = pending{}
		f.head = (f.head + 1) & (len(f.ring) - 1)
		f.used--
	}
	return p, true
}

// each shows every call that waits, oldest first.
func (f *inflight) each(show func(*pending)) {
	for i := range f.used {
		if p := f.slot(i); p.call != nil {
			show(p)
		}
	}
}

// queued is one call that is not written yet.
type queued struct {
	call     *Call
	at       time.Duration
	deadline time.Duration
}

// callQueue holds the calls that are not written yet, oldest first. The writer
// peeks at them, encodes, and drops them only when they are in flight, so that
// at any moment a call is in exactly one place. Pure: no lock, no clock.
type callQueue struct {
	items []queued
	head  int
}

func (q *callQueue) len() int { return len(q.items) - q.head }

func (q *callQueue) push(item queued) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, item)
}

// peek copies the oldest calls into dst, as many as there is room for.
func (q *callQueue) peek(dst []queued) []queued {
	n := min(q.len(), cap(dst))
	return append(dst[:0], q.items[q.head:q.head+n]...)
}

// drop removes the n oldest.
func (q *callQueue) drop(n int) {
	clear(q.items[q.head : q.head+n])
	if q.head += n; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
}

func (q *callQueue) each(show func(*queued)) {
	for i := q.head; i < len(q.items); i++ {
		show(&q.items[i])
	}
}
