package handle

import (
	"sync/atomic"

	"github.com/moldau-go/moldau/wire/compress"
)

// quota is what a slot may have of the client's memory and number of records.
// It is taken by who fills the slot, one at a time, and given back from anywhere.
type quota struct {
	client *Handle
	most   int64 // bytes of this slot
	copies int   // 2 where records are compressed: there are two of them for a while
	held   atomic.Int64

	counted     bool // there is a limit for records
	mostRecords int  // of this slot; 0: none of its own
	records     atomic.Int64
}

func (q *quota) begin(t *Topic) {
	c := &t.config
	q.client, q.copies = t.handle, 1
	q.mostRecords, q.counted = c.PartitionRecords, c.PartitionRecords > 0 || t.handle.maxRecords > 0
	if c.Codec != compress.None {
		q.copies = 2
	}
	q.most = int64(c.PartitionBytes)
	if q.most == 0 {
		q.most = int64(max(c.BufferBytes/4, 2*q.copies*c.BatchBytes))
	}
}

// take admits records and reserves the bytes that they need, both or neither. It
// looks for the memory first: to give records back wakes all who wait for room,
// the caller too, which would try again at once and for ever.
func (q *quota) take(records, bytes int) bool {
	if bytes == 0 {
		return q.admit(records)
	}
	if q.counted && !q.has(bytes) || !q.admit(records) {
		return false
	}
	if !q.reserve(bytes) {
		q.leave(records)
		return false
	}
	return true
}

// has says whether reserve would take n bytes at present.
func (q *quota) has(n int) bool {
	held := q.held.Load()
	return (held == 0 || held+int64(n) <= q.most) && q.client.pool.budget.has(n)
}

// reserve takes n bytes if they are there, of the slot's share and of the
// client's. A reservation that is larger than a whole limit is let through when
// nothing else is out, as it would never be otherwise.
func (q *quota) reserve(n int) bool {
	if held := q.held.Add(int64(n)); held > q.most && held > int64(n) || !q.client.pool.budget.reserve(n) {
		q.held.Add(-int64(n))
		return false
	}
	return true
}

// change takes or gives back bytes, whatever the limits are.
func (q *quota) change(by int) {
	q.held.Add(int64(by))
	switch {
	case by > 0:
		q.client.pool.budget.overdraw(by)
	case by < 0:
		q.client.pool.budget.release(-by)
	}
}

// admit counts n records in if the limits allow it.
func (q *quota) admit(n int) bool {
	if !q.counted {
		return true
	}
	if q.mostRecords > 0 && int(q.records.Load())+n > q.mostRecords {
		return false
	}
	if most := q.client.maxRecords; most > 0 {
		if q.client.records.Add(int64(n)) > most {
			q.client.records.Add(-int64(n))
			return false
		}
	}
	q.records.Add(int64(n))
	return true
}

// atOnce is the number of records that are ever admitted at once; 0 for any.
func (q *quota) atOnce() int {
	all := int(q.client.maxRecords)
	if q.mostRecords > 0 && (all == 0 || q.mostRecords < all) {
		return q.mostRecords
	}
	return all
}

// leave counts n records out.
func (q *quota) leave(n int) {
	if !q.counted || n == 0 {
		return
	}
	q.records.Add(int64(-n))
	if q.client.maxRecords > 0 {
		q.client.records.Add(-int64(n))
	}
	q.client.pool.budget.release(0) // who waits looks again
}
