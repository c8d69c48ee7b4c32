package record

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/moldau-go/moldau/wire/compress"
)

// Batch is one batch of v2, or for the old formats a run of messages or a compressed
// wrapper with its message set. It is a view of the bytes that Batches was given.
//
// For the old formats the header says what is known: Count is -1 and BaseOffset is
// the last offset for a wrapper, since only the decompressed set knows better.
type Batch struct {
	BatchHeader
	raw     []byte
	payload []byte // the records, or the wrapper's value, as they are on the wire
}

// Bytes are the batch's bytes, header included.
func (b *Batch) Bytes() []byte { return b.raw }

// wrapper tells whether this is a compressed message of the old formats.
func (b *Batch) wrapper() bool {
	return b.Magic < 2 && b.Attributes.Codec() != compress.None
}

// Verify checks the checksum: CRC32C for v2, CRC32 for a wrapper of v0 and v1. In a
// run of uncompressed old messages each has its own, which Records checks as it gets
// there, so that the good ones before a bad one are not lost; Verify returns nil.
func (b *Batch) Verify() error {
	if b.Magic == 2 {
		stored := binary.BigEndian.Uint32(b.raw[posCRC:])
		if computed := crc32.Checksum(b.raw[posAttributes:], castagnoli); computed != stored {
			return checksumError(b.BaseOffset, stored, computed)
		}
		return nil
	}
	if b.wrapper() {
		return verifyMessage(b.raw)
	}
	return nil
}

// Open returns the cursor over the records, decompressing them into a new buffer if
// need be; at most max bytes of it (0: compress.DefaultMax). codecs may be nil when
// nothing is compressed. What the records point to is never reused, so they may be
// kept as long as one likes. Open does not check the checksum: Verify does.
func (b *Batch) Open(codecs *compress.Registry, max int) (Records, error) {
	records, _, err := b.OpenInto(nil, codecs, max)
	return records, err
}

// OpenInto is Open for a caller that recycles its buffers: compressed records are
// decompressed into buf[:0], grown if need be and returned. Records are valid until
// buf is used again. buf comes back as it was if nothing is compressed.
func (b *Batch) OpenInto(buf []byte, codecs *compress.Registry, max int) (Records, []byte, error) {
	data := b.payload
	if b.Magic == 2 && b.Count == 0 && len(data) == 0 {
		return Records{magic: 2}, buf, nil // compaction emptied it, whatever its codec was
	}
	if codec := b.Attributes.Codec(); codec != compress.None {
		var err error
		if buf, err = codecs.Decompress(codec, buf[:0], b.payload, max); err != nil {
			return Records{}, buf, &Error{Reason: ErrDecompress, Offset: b.BaseOffset, Cause: err}
		}
		data = buf
	}
	var records Records
	var err error
	if b.Magic == 2 {
		records, err = b.openRecords(data)
	} else {
		records, err = b.openMessages(data)
	}
	return records, buf, err
}

// leastRecord is the smallest record of v2: seven varints and bytes.
const leastRecord = 7

func (b *Batch) openRecords(data []byte) (Records, error) {
	if b.Count < 0 || int64(b.Count)*leastRecord > int64(len(data)) {
		return Records{}, corruptf(b.BaseOffset, "a batch of %d bytes claims %d records", len(data), b.Count)
	}
	if b.LastOffsetDelta < 0 {
		return Records{}, corruptf(b.BaseOffset, "a last offset delta of %d", b.LastOffsetDelta)
	}
	return Records{
		data:       data,
		left:       b.Count,
		magic:      2,
		appendTime: b.Attributes.LogAppendTime(),
		base:       b.BaseOffset,
		lastDelta:  b.LastOffsetDelta,
		baseTime:   b.BaseTimestamp,
		maxTime:    b.MaxTimestamp,
	}, nil
}
