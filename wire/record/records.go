package record

import "iter"

// Records is a cursor over one batch's records, in order. It is a value: a copy walks
// on by itself. Use one per goroutine.
//
//	var r record.Record
//	for records.Next(&r) { ... }
//	err := records.Err()
type Records struct {
	// Topic and Partition are what All puts into the records; Next leaves those
	// fields of the caller's record alone.
	Topic     string
	Partition int32

	data       []byte
	pos        int
	left       int32 // records still to come, by the header's count (v2)
	lastDelta  int32
	magic      int8
	appendTime bool // all timestamps are maxTime
	base       int64
	baseTime   int64
	maxTime    int64
	err        error
}

// Size is how many bytes the cursor walks: the decompressed ones of a batch that
// was compressed.
func (c Records) Size() int { return len(c.data) }

// Next reads the next record into r: Key, Value, Headers, Timestamp and Offset. It
// returns false at the end and at a malformed record, which Err tells apart. Nothing
// is allocated; the fields point into the batch's bytes (or the decompressed ones).
//
// This is the hot path of consuming. Varints of one byte are read in place, the two
// lengths of up to two as well; the rest is a call. A failed read returns an index so
// large that the checks behind it fail too.
func (c *Records) Next(r *Record) bool {
	if c.left <= 0 || c.magic != 2 {
		return c.nextSlow(r)
	}
	data, i := c.data, c.pos
	var u uint64
	if i+1 >= len(data) {
		return c.fail(badLength)
	} else if u = uint64(data[i]); u < 0x80 {
		i++
	} else if h := uint64(data[i+1]); h < 0x80 {
		u, i = u&0x7f|h<<7, i+2
	} else {
		u, i = readUvarint(data, i)
	}
	if u&1 != 0 || u>>1 < leastRecord-1 || u>>1 > uint64(len(data)) || i+int(u>>1) > len(data) {
		return c.fail(badLength)
	}
	b := data[i : i+int(u>>1)]
	c.pos = i + int(u>>1)
	c.left--

	// b[0] are the record's attributes: none are defined. A record has 6 bytes.
	if u, i = uint64(b[1]), 2; u >= 0x80 {
		u, i = readUvarint(b, 1)
	}
	if c.appendTime {
		r.Timestamp = c.maxTime
	} else {
		r.Timestamp = c.baseTime + (int64(u>>1) ^ -int64(u&1))
	}
	if i+1 >= len(b) {
		return c.fail(badLength)
	} else if u = uint64(b[i]); u < 0x80 {
		i++
	} else if h := uint64(b[i+1]); h < 0x80 {
		u, i = u&0x7f|h<<7, i+2
	} else {
		u, i = readUvarint(b, i)
	}
	if u&1 != 0 || u>>1 > uint64(c.lastDelta) {
		return c.fail(badOffset)
	}
	r.Offset = c.base + int64(u>>1)

	if uint(i) >= uint(len(b)) {
		return c.fail(badKey)
	} else if u, i = uint64(b[i]), i+1; u >= 0x80 {
		u, i = readUvarint(b, i-1)
	}
	if u == uvarintNull {
		r.Key = nil
	} else if n := u >> 1; u&1 != 0 || i > len(b) || n > uint64(len(b)-i) {
		return c.fail(badKey)
	} else {
		end := i + int(n)
		r.Key = b[i:end:end]
		i = end
	}

	if i+1 >= len(b) {
		return c.fail(badValue)
	} else if u = uint64(b[i]); u < 0x80 {
		i++
	} else if h := uint64(b[i+1]); h < 0x80 {
		u, i = u&0x7f|h<<7, i+2
	} else {
		u, i = readUvarint(b, i)
	}
	if u == uvarintNull {
		r.Value = nil
	} else if n := u >> 1; u&1 != 0 || i > len(b) || n > uint64(len(b)-i) {
		return c.fail(badValue)
	} else {
		end := i + int(n)
		r.Value = b[i:end:end]
		i = end
	}

	if i == len(b)-1 && b[i] == 0 {
		r.Headers = Headers{}
		return true
	}
	n, i := readVarint(b, i)
	if n == 0 || i > len(b) || !checkHeaders(b[i:], n) {
		return c.fail(badHeaders)
	}
	r.Headers = Headers{raw: b[i:len(b):len(b)], n: int(n)}
	return true
}

// nextSlow is Next where it is not the hot path.
func (c *Records) nextSlow(r *Record) bool {
	if c.magic == 2 {
		return c.finish()
	}
	return c.nextMessage(r)
}

// What can be wrong with a record.
const (
	badLength  = "its length is wrong"
	badOffset  = "its offset is outside of the batch"
	badKey     = "its key is longer than the record"
	badValue   = "its value is longer than the record"
	badHeaders = "its headers do not end where the record ends"
)

// Err is nil if Next returned false because all records had been read, else what is
// wrong with the one that it stopped at. The records before it are good.
func (c *Records) Err() error { return c.err }

// All yields the records that are left, with Topic and Partition filled in. Check Err
// behind the loop.
func (c *Records) All() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		r := Record{Topic: c.Topic, Partition: c.Partition}
		for c.Next(&r) {
			if !yield(r) {
				return
			}
		}
	}
}

// finish ends the iteration: nothing may follow the last record.
func (c *Records) finish() bool {
	if c.err == nil && c.pos != len(c.data) {
		c.err = corruptf(c.base, "%d bytes follow the last record of a batch", len(c.data)-c.pos)
	}
	return false
}

// fail ends the iteration at a malformed record.
func (c *Records) fail(what string) bool {
	c.err = corruptf(c.base, "a record at byte %d of a batch: %s", c.pos, what)
	c.left, c.pos = 0, len(c.data)
	return false
}
