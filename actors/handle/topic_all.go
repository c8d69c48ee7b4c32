package handle

import (
	"context"
	"fmt"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/record"
)

// AppendAll is Append for a list: each record goes into the partition that is
// its own, and those that follow each other into one partition are accepted
// together. A record that cannot be accepted fails alone; one that finds no
// memory as long as Append waits for it fails with all that follow.
func (t *Topic) AppendAll(ctx context.Context, records []record.Record, by behaviors.Partitioner, haste Haste) Pendings {
	if by == nil {
		by = t.by
	}
	l := list{ctx: ctx, topic: t, slots: *t.slots.Load(), by: by, haste: haste}
	for len(records) > 0 {
		if n := l.keyless(records); n > 0 {
			l.stick(records[:n])
			records = records[n:]
		} else {
			records = l.choose(records)
		}
	}
	t.lost(l.lost, l.full)
	return l.all
}

// list is one AppendAll.
type list struct {
	ctx   context.Context
	topic *Topic
	slots []*Slot
	by    behaviors.Partitioner
	haste Haste
	all   Pendings
	full  error // there is no memory, or it was waited for in vain
	lost  int   // records that failed with that
}

// keyless is how many records a list begins with that stay with a partition
// until its batch is full.
func (l *list) keyless(records []record.Record) int {
	if l.by != behaviors.LikeJava || len(l.slots) == 0 {
		return 0
	}
	n := 0
	for n < len(records) && records[n].Key == nil {
		n++
	}
	return n
}

// stick accepts records without key.
func (l *list) stick(records []record.Record) {
	slot, sticky := l.slots[l.topic.stuck(l.slots)], true
	for len(records) > 0 {
		n := l.run(slot, records, sticky)
		sticky = n > 0
		if !sticky {
			slot = l.topic.elsewhere(l.slots)
		}
		records = records[n:]
	}
}

// choose accepts records for which the partitioner chooses, and returns what is
// left when others come. It is asked once for each, as it may keep count.
func (l *list) choose(records []record.Record) []record.Record {
	var slot *Slot
	from, i := 0, 0
	for ; i < len(records) && l.keyless(records[i:i+1]) == 0; i++ {
		next, err := l.topic.choose(l.slots, &records[i], l.by)
		if next != slot {
			l.runs(slot, records[from:i])
			slot, from = next, i
		}
		if err != nil {
			l.all.fail(err, 1)
			from = i + 1
		}
	}
	l.runs(slot, records[from:i])
	return records[i:]
}

// runs accepts records into one partition.
func (l *list) runs(slot *Slot, records []record.Record) {
	for len(records) > 0 {
		records = records[l.run(slot, records, false):]
	}
}

// run accepts the first of some records into one partition, until a batch is
// full, and returns how many. Those that have failed count. With sticky it is 0
// if another partition is to be chosen.
func (l *list) run(slot *Slot, records []record.Record, sticky bool) int {
	if l.full != nil {
		l.all.fail(l.full, len(records))
		l.lost += len(records)
		return len(records)
	}
	if size := encodedSize(&records[0]); size > slot.batchSize {
		l.all.fail(tooLarge(slot, size), 1)
		return 1
	}
	p, n, why := slot.append(records, l.haste, sticky, nil)
	if n == 0 && why == noRoom {
		p, n = l.topic.await(l.ctx, slot, records, l.haste, nil)
	}
	switch {
	case n > 0:
		l.all.add(p, n)
		return n
	case why == moveOn:
		return 0
	}
	l.full = p.NotAccepted()
	return l.run(slot, records, sticky)
}

// AppendTogether accepts a list whole or not at all, into the partition that a
// key has by the partitioner, as one run of offsets. It waits for memory as
// Append does.
func (t *Topic) AppendTogether(ctx context.Context, key []byte, records []record.Record, by behaviors.Partitioner, haste Haste) (all Pendings) {
	if len(records) == 0 {
		return all
	}
	if by == nil {
		by = t.by
	}
	p := t.together(ctx, key, records, by, haste)
	if err := p.NotAccepted(); err != nil {
		t.lost(len(records), err)
		return AllFailed(err, len(records))
	}
	all.add(p, len(records))
	return all
}

func (t *Topic) together(ctx context.Context, key []byte, records []record.Record, by behaviors.Partitioner, haste Haste) Pending {
	slot, err := t.choose(*t.slots.Load(), &record.Record{Key: key}, by)
	if err != nil {
		return Failed(err)
	}
	if most := slot.room.atOnce(); most > 0 && len(records) > most {
		return Failed(fmt.Errorf("%w: there is never room for %d records at once; raise Produce.BufferRecords and Produce.PartitionRecords", ErrBufferFull, len(records)))
	}
	size := 0
	for i := range records {
		size += encodedSize(&records[i])
	}
	if size > slot.batchSize {
		return Failed(tooLarge(slot, size))
	}
	p, full := slot.appendWhole(records, size, haste, nil)
	if full {
		p = t.whenRoom(ctx, func() (Pending, bool) { return slot.appendWhole(records, size, haste, nil) })
	}
	return p
}
