package handle

import (
	"sync"
	"sync/atomic"
)

// Answers is the memory that answers to fetches are read into. It is used again
// once nobody has a part of an answer any more; what is never given back is left
// to the garbage collector, so losing an answer costs memory for a while and
// nothing else. Safe for concurrent use.
type Answers struct {
	most    int       // an answer that is larger gets none of ours
	pool    sync.Pool // of *Answer
	unpacks sync.Pool // of *[]byte, to decompress into
}

// Unpacked is memory for records that are decompressed, which may be too small.
func (a *Answers) Unpacked() []byte {
	if b, ok := a.unpacks.Get().(*[]byte); ok {
		return *b
	}
	return nil
}

// Done gives such memory back: nobody has a record in it any more.
func (a *Answers) Done(b []byte) {
	if cap(b) > 0 {
		a.unpacks.Put(&b)
	}
}

// Answer is the memory of one answer. Whoever is given a part of it holds it.
type Answer struct {
	from *Answers
	buf  []byte
	held atomic.Int32
}

// Take is memory for an answer of n bytes, which the caller holds; nil for one
// that is larger than can be right.
func (a *Answers) Take(n int) *Answer {
	if n > a.most {
		return nil
	}
	answer, ok := a.pool.Get().(*Answer)
	if !ok || cap(answer.buf) < n {
		answer = &Answer{from: a, buf: make([]byte, roomFor(n))}
	}
	answer.buf = answer.buf[:cap(answer.buf)]
	answer.held.Store(1)
	return answer
}

// roomFor is n and some more, so that answers of about the same size fit in
// memory of each other.
func roomFor(n int) int {
	const step = 64 << 10
	return (n + n/8 + step) / step * step
}

// Bytes is the memory; none of none.
func (a *Answer) Bytes() []byte {
	if a == nil {
		return nil
	}
	return a.buf
}

// Hold is for one more holder.
func (a *Answer) Hold() {
	if a != nil {
		a.held.Add(1)
	}
}

// Release ends a hold; with the last one the memory may be written again.
func (a *Answer) Release() {
	if a != nil && a.held.Add(-1) == 0 {
		a.from.pool.Put(a)
	}
}
