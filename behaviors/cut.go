package behaviors

import "github.com/moldau-go/moldau/wire/record"

// Cut gives the set in pieces of at most n records, in order, which together cover
// what the set covers: acking the last acks the set. A piece is a view as the set
// is. The last one has what is behind a record that cannot be decoded, and tells of
// it. n below 1 is 1.
func (s *MessageSet) Cut(n int) []*MessageSet {
	n = max(n, 1)
	if s.count <= n {
		return []*MessageSet{s}
	}
	c := cutter{set: s, most: n, first: s.first, batch: -1}
	var r Record
	for i, records := range s.batches {
		for before := records; records.Next(&r); before = records {
			if r.Offset > s.last {
				break
			}
			if r.Offset >= s.first {
				c.add(i, before, r.Offset)
			}
		}
		if records.Err() != nil {
			break
		}
	}
	return c.end()
}

// cutter collects the records of a piece.
type cutter struct {
	set    *MessageSet
	most   int
	pieces []*MessageSet

	first int64          // the piece's
	batch int            // where its first record is; -1: it has none
	from  record.Records // before that record
	to    int            // the batch of its last record
	last  int64          // its offset
	count int
	total int // records in the pieces before
}

// add takes a record, of a batch, that stands behind before.
func (c *cutter) add(batch int, before record.Records, offset int64) {
	if c.count == c.most {
		c.cut(c.last, c.to, c.count)
	}
	if c.count == 0 {
		c.batch, c.from = batch, before
	}
	c.count++
	c.to, c.last = batch, offset
}

// cut ends the piece at an offset.
func (c *cutter) cut(last int64, to, count int) {
	batches := append([]record.Records{c.from}, c.set.batches[c.batch+1:to+1]...)
	piece := SetOf(c.set.Topic, c.set.Partition, c.first, last, count, batches)
	piece.HighWatermark, piece.LastStableOffset = c.set.HighWatermark, c.set.LastStableOffset
	c.pieces = append(c.pieces, piece)
	c.first, c.total, c.count = last+1, c.total+count, 0
}

// end has the last piece reach to the set's end.
func (c *cutter) end() []*MessageSet {
	if c.count == 0 {
		return []*MessageSet{c.set} // not even one can be decoded
	}
	c.cut(c.set.last, len(c.set.batches)-1, c.set.count-c.total)
	return c.pieces
}

// From is the set from an offset on: a view of the rest of it. Its count is that of
// the records which it has.
func (s *MessageSet) From(offset int64) *MessageSet {
	if offset <= s.first {
		return s
	}
	rest := *s
	rest.first, rest.err, rest.count = offset, nil, 0
	for range rest.Records() {
		rest.count++
	}
	rest.err = nil
	return &rest
}
