package record

import "encoding/binary"

// Batches is a cursor over the record bytes that a fetch returned for a partition:
// batches and message sets of any format, mixed. It is a value; use one per goroutine.
//
//	batches := record.NewBatches(data)
//	var batch record.Batch
//	for batches.Next(&batch) { ... }
//	err := batches.Err()
type Batches struct {
	data []byte
	need int
	err  error
}

// NewBatches returns a cursor over data, which must not change while the cursor, its
// batches and their records are in use.
func NewBatches(data []byte) Batches { return Batches{data: data} }

// Next moves to the next whole batch and describes it in b; it returns false at the
// end and at bytes that are none. It checks no checksum: Batch.Verify does.
//
// A run of uncompressed messages of v0 or v1 is one batch, a compressed wrapper
// message another.
func (c *Batches) Next(b *Batch) bool {
	size := c.peek()
	if size == 0 {
		return false
	}
	*b = Batch{}
	if magic := c.data[posMagic]; magic == 2 {
		parseHeader(c.data, &b.BatchHeader)
		b.payload = c.data[HeaderSize:size:size]
	} else {
		size = b.parseLegacy(c.data, size)
	}
	b.raw = c.data[:size:size]
	c.data = c.data[size:]
	return true
}

// Err is what was wrong with the bytes at which Next returned false; nil at their
// end and at a partial tail, which brokers send when a limit cuts the last batch.
func (c *Batches) Err() error { return c.err }

// Partial tells about the cut batch at the end, once Next returned false: how many
// bytes of it are there and how many it has in all (0 if even that was cut off). Both
// are 0 when the bytes ended with a whole batch. need is what the sender claims.
func (c *Batches) Partial() (have, need int) {
	if c.err != nil {
		return 0, 0
	}
	return len(c.data), c.need
}

// peek returns the size of the entry at the front; 0 if there is no whole one.
func (c *Batches) peek() int {
	size, partial, err := entrySize(c.data)
	c.need, c.err = partial, err
	return size
}

// entrySize reads how long the batch or message at the front of data is. size is 0
// when it is not whole; partial is its full length then, if that can be read.
func entrySize(data []byte) (size, partial int, err error) {
	if len(data) < lengthEnd {
		return 0, 0, nil
	}
	offset := int64(binary.BigEndian.Uint64(data))
	length := int32(binary.BigEndian.Uint32(data[posLength:]))
	if length < 0 {
		return 0, 0, corruptf(offset, "a batch of %d bytes", length)
	}
	total := lengthEnd + int(length)
	if len(data) < magicEnd {
		return 0, total, nil
	}
	magic := int8(data[posMagic])
	if magic < 0 || magic > 2 {
		return 0, 0, formatError(offset, magic)
	}
	if least := leastSize(magic); total < least {
		return 0, 0, corruptf(offset, "%d bytes cannot hold a batch of format v%d, which takes %d", total, magic, least)
	}
	if total > len(data) {
		return 0, total, nil
	}
	return total, 0, nil
}

// leastSize is the smallest batch or message of a format.
func leastSize(magic int8) int {
	switch magic {
	case 0:
		return messageSizeV0
	case 1:
		return messageSizeV1
	}
	return HeaderSize
}
