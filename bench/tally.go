package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// tally counts what a consumer is handed. The measurement has begun before the
// client was made: a client that reads ahead while it starts must not have that
// for nothing; allocations alone count from the first records on. It ends with the topic's last record. Safe for concurrent use; a
// consumer adds sets of records, not single ones.
type tally struct {
	m     *measurement
	total int64
	want  uint64 // the sum of all values
	size  int64

	first sync.Once
	seen  atomic.Int64
	sum   atomic.Uint64
	ended sync.Once
	full  chan struct{}
}

func newTally(j *job, m *measurement) *tally {
	return &tally{
		m: m, total: int64(j.total()), size: int64(j.Size),
		want: newValues(j.Size).sumOf(j.total()), full: make(chan struct{}),
	}
}

// look is what every consumer does with every record: it reads the length and
// both ends of its value.
func look(key, value []byte) uint64 {
	n := uint64(len(key)) + uint64(len(value))
	if len(value) > 0 {
		n += uint64(value[0])<<16 + uint64(value[len(value)-1])<<32
	}
	return n
}

// add counts n records of which look made sum, and tells whether there are more.
func (t *tally) add(n int64, sum uint64) bool {
	t.first.Do(t.m.beginAllocs)
	t.sum.Add(sum)
	if t.seen.Add(n) < t.total {
		return true
	}
	t.ended.Do(func() {
		t.m.end(t.total * t.size)
		close(t.full)
	})
	return false
}

// check compares what came with what was produced.
func (t *tally) check() error {
	if seen := t.seen.Load(); seen != t.total {
		return fmt.Errorf("%d records came, %d are in the topic", seen, t.total)
	}
	if sum := t.sum.Load(); sum != t.want {
		return fmt.Errorf("the records are not those that were produced: their sum is %d, not %d", sum, t.want)
	}
	return nil
}
