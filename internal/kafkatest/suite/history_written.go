package suite

import "slices"

// Rules are what a run without workers is held to beside what all are.
type Rules struct {
	Doubles bool // a record may be in the log more than once, as without idempotence
	InOrder bool // within a partition acks are told in the order of offsets, as callbacks are
}

// CheckWritten is Check for a run that only produced: nothing is handed out. It
// also tells how many records are in the log more than once.
func (h *History) CheckWritten(log []Entry, rules Rules) (found []string, doubled int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := violations{list: slices.Clone(h.faults)}
	places := h.checkLog(log, rules, &v)
	for _, entries := range byPartition(log) {
		h.checkOrder(entries, places, rules, &v)
	}
	if rules.InOrder {
		h.checkTold(places, &v)
	}
	for _, p := range places {
		if p.times > 1 {
			doubled++
		}
	}
	return v.report(), doubled
}

// spot is where the log holds a record.
type spot struct {
	first Entry // of the lowest offset
	times int
	acked bool // one of the places is that of the ack
}

// checkLog holds what is settled against the log and returns where it holds each
// record.
func (h *History) checkLog(log []Entry, rules Rules, v *violations) []spot {
	places := make([]spot, len(h.records))
	for _, e := range log {
		if e.ID < 0 || e.ID >= len(h.records) {
			v.add("%d/%d holds record %d, which was never produced", e.Partition, e.Offset, e.ID)
			continue
		}
		p := &places[e.ID]
		if p.times++; p.times == 2 && !rules.Doubles {
			v.add("record %d is in the log twice, the second time at %d/%d", e.ID, e.Partition, e.Offset)
		}
		if p.times == 1 || e.Partition == p.first.Partition && e.Offset < p.first.Offset {
			p.first = e
		}
		p.acked = p.acked || h.records[e.ID].offset == e.Offset
	}
	for id := range h.records {
		switch f, p := &h.records[id], &places[id]; {
		case !f.settled:
			v.add("record %d was never settled", id)
		case f.err == nil && p.times == 0:
			v.add("record %d was acked at offset %d and is lost", id, f.offset)
		case f.err == nil && f.offset >= 0 && !p.acked:
			v.add("record %d was acked at offset %d and is at %d/%d", id, f.offset, p.first.Partition, p.first.Offset)
		}
	}
	return places
}

// byPartition is the log by partition, in the order of offsets.
func byPartition(log []Entry) map[int32][]Entry {
	partitions := map[int32][]Entry{}
	for _, e := range log {
		partitions[e.Partition] = append(partitions[e.Partition], e)
	}
	for _, entries := range partitions {
		slices.SortFunc(entries, func(a, b Entry) int { return int(a.Offset - b.Offset) })
	}
	return partitions
}

// checkOrder looks at the records of each key in a partition. Where a record may
// be there again, its first place counts.
func (h *History) checkOrder(entries []Entry, places []spot, rules Rules, v *violations) {
	last := map[int]int{}
	for _, e := range entries {
		if e.ID < 0 || e.ID >= len(h.records) || rules.Doubles && places[e.ID].first != e {
			continue
		}
		key := h.records[e.ID].key
		if before, seen := last[key]; seen && before > e.ID {
			v.add("%d/%d: record %d stands behind record %d of the same key", e.Partition, e.Offset, e.ID, before)
		}
		last[key] = e.ID
	}
}

// checkTold looks at the order in which acks were told.
func (h *History) checkTold(places []spot, v *violations) {
	last := map[int32]int{}
	for _, id := range h.order {
		f := &h.records[id]
		if f.err != nil || f.offset < 0 || places[id].times == 0 {
			continue
		}
		partition := places[id].first.Partition
		if before, seen := last[partition]; seen && h.records[before].offset >= f.offset {
			v.add("the ack of record %d at %d/%d was told after that of record %d at offset %d", id, partition, f.offset, before, h.records[before].offset)
		}
		last[partition] = id
	}
}
