package suite

import (
	"fmt"
	"slices"
	"sync"
)

// History is the account of one run: every record that Produce took, what its
// Pending said, and what workers were handed. Check holds it against the log
// that the run left. Records are numbered from 0 without gap. Safe for
// concurrent use.
type History struct {
	mu      sync.Mutex
	records []fate
	order   []int // numbers of the settled, as they were settled
	handed  map[int32][]Entry
	faults  []string // found while recording
}

// fate is what is known of a produced record.
type fate struct {
	key     int
	offset  int64 // as acked; -1 where the ack told none
	settled bool
	err     error
}

// Entry is a record in a partition.
type Entry struct {
	Partition int32
	Offset    int64
	ID        int
}

// Produced takes the next record's key and returns the record's number. It is
// to be called in the order of production, before Produce.
func (h *History) Produced(key int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = append(h.records, fate{key: key})
	return len(h.records) - 1
}

// Settled tells what a record's Pending said.
func (h *History) Settled(id int, offset int64, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id < 0 || id >= len(h.records) {
		h.faults = append(h.faults, fmt.Sprintf("record %d is settled and was never produced", id))
		return
	}
	f := &h.records[id]
	if f.settled {
		h.faults = append(h.faults, fmt.Sprintf("record %d is settled twice: offset %d and %d, error %v and %v", id, f.offset, offset, f.err, err))
		return
	}
	f.settled, f.offset, f.err = true, offset, err
	h.order = append(h.order, id)
}

// Count is how many records were produced so far.
func (h *History) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.records)
}

// Fault takes down a violation that the recorder itself has seen.
func (h *History) Fault(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, fmt.Sprintf(format, args...))
}

// Handed tells what a worker saw, in the order in which it saw it.
func (h *History) Handed(e Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handed == nil {
		h.handed = map[int32][]Entry{}
	}
	h.handed[e.Partition] = append(h.handed[e.Partition], e)
}

// Counts are the figures of a run.
type Counts struct {
	Produced, Acked, Failed int
	Handed, Again           int // Again: handed a second time, as at-least-once allows
}

// Counts of what is recorded so far.
func (h *History) Counts() Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := Counts{Produced: len(h.records)}
	for i := range h.records {
		switch f := &h.records[i]; {
		case f.settled && f.err == nil:
			c.Acked++
		case f.settled:
			c.Failed++
		}
	}
	for _, list := range h.handed {
		top := int64(-1)
		for _, e := range list {
			if e.Offset <= top {
				c.Again++
			}
			top = max(top, e.Offset)
		}
		c.Handed += len(list)
	}
	return c
}

// FirstFailure is the error of the first record that failed, or nil.
func (h *History) FirstFailure() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.records {
		if h.records[i].err != nil {
			return h.records[i].err
		}
	}
	return nil
}

// Check holds the history against the whole log and returns what is wrong:
//   - every record is settled, once;
//   - an acked record is in the log, once, where its ack said;
//   - a failed record is in the log at most once;
//   - nothing else is in the log;
//   - within a partition the records of one key are in the order of production;
//   - every record of the log was handed out, at its place, and nothing that
//     is not in the log;
//   - within a partition records were handed out in order: each is the next one,
//     or one that was handed out before.
func (h *History) Check(log []Entry) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := violations{list: slices.Clone(h.faults)}
	places := h.checkLog(log, Rules{}, &v)
	partitions := byPartition(log)
	for partition, entries := range partitions {
		h.checkOrder(entries, places, Rules{}, &v)
		checkHanded(partition, entries, h.handed[partition], &v)
	}
	for partition, handed := range h.handed {
		if _, there := partitions[partition]; !there && len(handed) > 0 {
			v.add("%d records of partition %d were handed out, and its log is empty", len(handed), partition)
		}
	}
	return v.report()
}

// checkHanded walks through what was handed out. at is the place in the log of
// the record before.
func checkHanded(partition int32, entries, handed []Entry, v *violations) {
	at, top := -1, -1
	for _, e := range handed {
		place, there := slices.BinarySearchFunc(entries, e.Offset, func(e Entry, offset int64) int { return int(e.Offset - offset) })
		switch {
		case !there:
			v.add("%d/%d was handed out and is not in the log", partition, e.Offset)
			continue
		case entries[place].ID != e.ID:
			v.add("%d/%d was handed out as record %d and is record %d", partition, e.Offset, e.ID, entries[place].ID)
		case place > at+1:
			v.add("%d/%d was handed out after %d/%d: %d records between were left out", partition, e.Offset, partition, offsetAt(entries, at), place-at-1)
		}
		at = place
		top = max(top, place)
	}
	if top+1 < len(entries) {
		v.add("partition %d: the last %d of %d records were not handed out", partition, len(entries)-top-1, len(entries))
	}
}

func offsetAt(entries []Entry, place int) int64 {
	if place < 0 {
		return -1
	}
	return entries[place].Offset
}

// violations keeps the first ones and counts the others.
type violations struct {
	list []string
	more int
}

const shownViolations = 20

func (v *violations) add(format string, args ...any) {
	if len(v.list) < shownViolations {
		v.list = append(v.list, fmt.Sprintf(format, args...))
		return
	}
	v.more++
}

func (v *violations) report() []string {
	if v.more > 0 {
		return append(v.list, fmt.Sprintf("and %d more", v.more))
	}
	return v.list
}
