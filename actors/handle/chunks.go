package handle

import (
	"sync"
	"sync/atomic"

	"github.com/moldau-go/moldau/wire/record"
)

// chunkSize is the capacity of a pooled chunk: small, so that thousands of
// partitions with one record each cost little, and large enough that a full
// batch is a few dozen of them.
const chunkSize = 16 << 10

// chunkPool hands out the memory that batches are encoded into. Slots reserve it
// by their quotas: what is out never passes the limit.
type chunkPool struct {
	budget *budget
	free   sync.Pool // of *chunk
	large  sync.Pool // of *[]byte, for compressing
}

// scratch is an empty buffer with room for size bytes, to be given back by done.
func (p *chunkPool) scratch(size int) []byte {
	if b, ok := p.large.Get().(*[]byte); ok && cap(*b) >= size {
		return (*b)[:0]
	}
	return make([]byte, 0, size)
}

func (p *chunkPool) done(b []byte) { p.large.Put(&b) }

type chunk struct {
	buf    []byte
	pooled bool
}

// take is a chunk with room for size bytes. Whatever is larger than a pooled
// chunk gets one of its own.
func (p *chunkPool) take(size int) *chunk {
	if size > chunkSize {
		return &chunk{buf: make([]byte, 0, size)}
	}
	if c, ok := p.free.Get().(*chunk); ok {
		return c
	}
	return &chunk{buf: make([]byte, 0, chunkSize), pooled: true}
}

func (p *chunkPool) give(c *chunk) {
	if c.pooled {
		c.buf = c.buf[:0]
		p.free.Put(c)
	}
}

// budget is a limit in bytes with callers that wait for room. It takes no lock:
// every partition's callers meet here.
type budget struct {
	limit   int64
	used    atomic.Int64
	waiting atomic.Pointer[chan struct{}] // closed when memory comes back; nil: nobody waits
}

// reserve takes n bytes if they are there. A single reservation larger than
// the whole limit is let through when nothing else is out, as it would never
// be otherwise.
func (b *budget) reserve(n int) bool {
	for {
		used := b.used.Load()
		if !b.fits(used, n) {
			return false
		}
		if b.used.CompareAndSwap(used, used+int64(n)) {
			return true
		}
	}
}

// has says whether reserve would take n bytes at present.
func (b *budget) has(n int) bool { return b.fits(b.used.Load(), n) }

func (b *budget) fits(used int64, n int) bool { return used == 0 || used+int64(n) <= b.limit }

// overdraw takes n bytes whether they are there or not.
func (b *budget) overdraw(n int) { b.used.Add(int64(n)) }

// release gives n bytes back, and then wakes who waits: one that asked for room
// before it looked in vain is woken.
func (b *budget) release(n int) {
	b.used.Add(int64(-n))
	if b.waiting.Load() == nil {
		return
	}
	if waiting := b.waiting.Swap(nil); waiting != nil {
		close(*waiting)
	}
}

// room is closed the next time memory comes back.
func (b *budget) room() <-chan struct{} {
	for {
		if waiting := b.waiting.Load(); waiting != nil {
			return *waiting
		}
		waiting := make(chan struct{})
		if b.waiting.CompareAndSwap(nil, &waiting) {
			return waiting
		}
	}
}

// Used is the memory that is out, in bytes.
func (b *budget) Used() int { return int(b.used.Load()) }

// recordOverhead is the most that a record takes beside its key, value and
// headers: the attributes, and five varints of 5 and one of 10 bytes.
const recordOverhead = 36

// encodedSize bounds what a record takes in a batch.
func encodedSize(r *record.Record) int {
	if r.Headers.Len() > 0 {
		return record.Size(1<<62, 1<<30, r)
	}
	return recordOverhead + len(r.Key) + len(r.Value)
}
