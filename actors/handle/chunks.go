package handle

import (
	"sync"

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

// budget is a limit in bytes with callers that wait for room.
type budget struct {
	mu      sync.Mutex
	limit   int
	used    int
	waiting chan struct{} // closed when memory comes back; nil: nobody waits
}

// reserve takes n bytes if they are there. A single reservation larger than
// the whole limit is let through when nothing else is out, as it would never
// be otherwise.
func (b *budget) reserve(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fits(n) {
		return false
	}
	b.used += n
	return true
}

// has says whether reserve would take n bytes at present.
func (b *budget) has(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fits(n)
}

func (b *budget) fits(n int) bool { return b.used == 0 || b.used+n <= b.limit }

func (b *budget) release(n int) {
	b.mu.Lock()
	b.used -= n
	waiting := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	if waiting != nil {
		close(waiting)
	}
}

// room is closed the next time memory comes back.
func (b *budget) room() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = make(chan struct{})
	}
	return b.waiting
}

// Used is the memory that is out, in bytes.
func (b *budget) Used() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

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
