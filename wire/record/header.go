package record

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/moldau-go/moldau/wire/compress"
)

// HeaderSize is the length of a v2 batch's header in bytes.
const HeaderSize = 61

// Where a v2 header's fields are. Offset, length and magic are at the same place in
// a message of v0 and v1.
const (
	posLength      = 8
	posLeaderEpoch = 12
	posMagic       = 16
	posCRC         = 17
	posAttributes  = 21
	posLastDelta   = 23
	posBaseTime    = 27
	posMaxTime     = 35
	posProducerID  = 43
	posEpoch       = 51
	posSequence    = 53
	posCount       = 57

	lengthEnd = posLeaderEpoch // what the length field counts begins here
	magicEnd  = posMagic + 1
)

// None of a producer's identity: a batch that is not idempotent carries these.
const (
	NoProducerID    int64 = -1
	NoProducerEpoch int16 = -1
	NoSequence      int32 = -1
	NoLeaderEpoch   int32 = -1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Attributes are a batch's attribute bits. The lowest three are the codec's id, so
// Attributes(codec) | AttrTransactional is how a producer makes them.
type Attributes int16

// Attribute bits.
const (
	attrCodec Attributes = 7
	// AttrLogAppendTime: the broker set MaxTimestamp, and all records have it.
	AttrLogAppendTime Attributes = 1 << 3
	// AttrTransactional: the batch is part of a transaction.
	AttrTransactional Attributes = 1 << 4
	// AttrControl: the batch is a marker that a broker wrote, not user data.
	AttrControl Attributes = 1 << 5
	// AttrDeleteHorizon: BaseTimestamp is a delete horizon (KIP-534).
	AttrDeleteHorizon Attributes = 1 << 6
)

// Codec is the codec that the records are compressed with.
func (a Attributes) Codec() compress.Type { return compress.Type(a & attrCodec) }

// LogAppendTime tells that timestamps are the broker's, not the producer's.
func (a Attributes) LogAppendTime() bool { return a&AttrLogAppendTime != 0 }

// Transactional tells that the batch is part of a transaction.
func (a Attributes) Transactional() bool { return a&AttrTransactional != 0 }

// Control tells that the batch is a marker (Batch.Marker), which users never see.
func (a Attributes) Control() bool { return a&AttrControl != 0 }

// BatchHeader is what a batch says of itself. Timestamps are in milliseconds since
// the Unix epoch. NewBatchHeader gives the values of a batch without a producer id.
type BatchHeader struct {
	BaseOffset           int64
	PartitionLeaderEpoch int32
	Magic                int8 // 0, 1 or 2; PutHeader always writes 2
	Attributes           Attributes
	LastOffsetDelta      int32 // the last offset less BaseOffset, holes included
	BaseTimestamp        int64
	MaxTimestamp         int64
	ProducerID           int64
	ProducerEpoch        int16
	BaseSequence         int32
	Count                int32 // records; fewer than LastOffsetDelta+1 after compaction
}

// NewBatchHeader returns the header of a batch to be produced without idempotence.
func NewBatchHeader() BatchHeader {
	return BatchHeader{
		PartitionLeaderEpoch: NoLeaderEpoch,
		Magic:                2,
		ProducerID:           NoProducerID,
		ProducerEpoch:        NoProducerEpoch,
		BaseSequence:         NoSequence,
	}
}

// LastOffset is the highest offset that the batch takes up.
func (h *BatchHeader) LastOffset() int64 { return h.BaseOffset + int64(h.LastOffsetDelta) }

// NextOffset is where reading goes on behind this batch. Compaction leaves holes, so
// it is not the last record's offset plus one.
func (h *BatchHeader) NextOffset() int64 { return h.LastOffset() + 1 }

// DeleteHorizon is the time in ms from which compaction may drop the batch's
// tombstones, and whether the batch carries one (KIP-534).
func (h *BatchHeader) DeleteHorizon() (ms int64, ok bool) {
	return h.BaseTimestamp, h.Attributes&AttrDeleteHorizon != 0
}

// PutHeader writes the header of a v2 batch whose records (as Append made them,
// compressed if the attributes say so) are the chunks, one behind the other. It fills
// in the length and the CRC32C, which covers the header from the attributes on and
// the chunks. The leader epoch is outside of it. Nothing is kept.
func PutHeader(dst *[HeaderSize]byte, h *BatchHeader, chunks ...[]byte) {
	size := 0
	for _, c := range chunks {
		size += len(c)
	}
	putFields(dst, h, size)
	crc := crc32.Update(0, castagnoli, dst[posAttributes:])
	for _, c := range chunks {
		crc = crc32.Update(crc, castagnoli, c)
	}
	binary.BigEndian.PutUint32(dst[posCRC:], crc)
}

// putFields writes all of a header but the checksum, for records of a size.
func putFields(dst *[HeaderSize]byte, h *BatchHeader, size int) {
	b := binary.BigEndian
	b.PutUint64(dst[0:], uint64(h.BaseOffset))
	b.PutUint32(dst[posLength:], uint32(HeaderSize-lengthEnd+size))
	b.PutUint32(dst[posLeaderEpoch:], uint32(h.PartitionLeaderEpoch))
	dst[posMagic] = 2
	b.PutUint16(dst[posAttributes:], uint16(h.Attributes))
	b.PutUint32(dst[posLastDelta:], uint32(h.LastOffsetDelta))
	b.PutUint64(dst[posBaseTime:], uint64(h.BaseTimestamp))
	b.PutUint64(dst[posMaxTime:], uint64(h.MaxTimestamp))
	b.PutUint64(dst[posProducerID:], uint64(h.ProducerID))
	b.PutUint16(dst[posEpoch:], uint16(h.ProducerEpoch))
	b.PutUint32(dst[posSequence:], uint32(h.BaseSequence))
	b.PutUint32(dst[posCount:], uint32(h.Count))
}

// parseHeader reads a v2 header; there are at least HeaderSize bytes.
func parseHeader(src []byte, h *BatchHeader) {
	b := binary.BigEndian
	src = src[:HeaderSize]
	h.BaseOffset = int64(b.Uint64(src))
	h.PartitionLeaderEpoch = int32(b.Uint32(src[posLeaderEpoch:]))
	h.Magic = int8(src[posMagic])
	h.Attributes = Attributes(b.Uint16(src[posAttributes:]))
	h.LastOffsetDelta = int32(b.Uint32(src[posLastDelta:]))
	h.BaseTimestamp = int64(b.Uint64(src[posBaseTime:]))
	h.MaxTimestamp = int64(b.Uint64(src[posMaxTime:]))
	h.ProducerID = int64(b.Uint64(src[posProducerID:]))
	h.ProducerEpoch = int16(b.Uint16(src[posEpoch:]))
	h.BaseSequence = int32(b.Uint32(src[posSequence:]))
	h.Count = int32(b.Uint32(src[posCount:]))
}
