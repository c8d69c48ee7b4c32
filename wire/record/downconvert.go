package record

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/moldau-go/moldau/wire/compress"
)

// Legacy says how records are written for brokers that do not know format v2: v1 for
// 0.10, v0 for those before. The zero value is v0, not compressed, nothing dropped.
type Legacy struct {
	Magic  int8 // 0 or 1
	Codec  compress.Type
	Level  int
	Codecs *compress.Registry // needed with a Codec

	// Records lose what the format has no place for only if that is asked for; else
	// the conversion fails with ErrNoHeaders or ErrNoTimestamps.
	DropHeaders    bool
	DropTimestamps bool // with v0; the timestamp NoTimestamp is none to lose
}

// DownConvert appends the message set for the records of a v2 batch and returns the
// extended slice; on an error, dst as it was. chunks are the records as Append made
// them, not compressed, one chunk behind the other; h is their header, of which
// BaseTimestamp, LastOffsetDelta and Count are used. With a codec the set is one wrapper
// message. Offsets count from 0, relative as KIP-31 has them; the broker assigns the
// real ones.
func DownConvert(dst []byte, h *BatchHeader, to Legacy, chunks ...[]byte) ([]byte, error) {
	if to.Magic != 0 && to.Magic != 1 {
		return dst, formatError(-1, to.Magic)
	}
	if to.Codec > compress.LZ4 {
		return dst, &Error{Reason: ErrNoCodec, Offset: -1, Detail: to.Codec.String()}
	}
	if to.Codec == compress.None {
		out, _, err := to.appendMessages(dst, h, chunks)
		if err != nil {
			return dst, err
		}
		return out, nil
	}
	set, newest, err := to.appendMessages(nil, h, chunks)
	if err != nil || len(set) == 0 {
		return dst, err
	}
	return to.appendWrapper(dst, set, int64(h.LastOffsetDelta), newest)
}

// appendMessages writes a message for each record and returns the newest timestamp.
func (to *Legacy) appendMessages(dst []byte, h *BatchHeader, chunks [][]byte) (out []byte, newest int64, err error) {
	records, err := OpenRecords(h, chunks...)
	if err != nil {
		return dst, 0, err
	}
	newest = NoTimestamp
	var r Record
	for records.Next(&r) {
		if err := to.check(&r); err != nil {
			return dst, 0, err
		}
		at := len(dst)
		dst = to.appendPrefix(dst, r.Offset, compress.None, r.Timestamp)
		dst = appendBytes(dst, r.Key)
		dst = appendBytes(dst, r.Value)
		finishMessage(dst[at:])
		newest = max(newest, r.Timestamp)
	}
	return dst, newest, records.Err()
}

// check refuses what the format would lose.
func (to *Legacy) check(r *Record) error {
	if r.Headers.Len() > 0 && !to.DropHeaders {
		return &Error{Reason: ErrNoHeaders, Offset: r.Offset, Detail: "they need Kafka 0.11; send none or have them dropped"}
	}
	if to.Magic == 0 && r.Timestamp != NoTimestamp && !to.DropTimestamps {
		return &Error{Reason: ErrNoTimestamps, Offset: r.Offset, Detail: "they need Kafka 0.10; have them dropped"}
	}
	return nil
}

// appendWrapper writes the one message whose value is the compressed set.
func (to *Legacy) appendWrapper(dst, set []byte, lastOffset, newest int64) ([]byte, error) {
	at := len(dst)
	out := to.appendPrefix(dst, lastOffset, to.Codec, newest)
	out = appendBytes(out, nil)
	valueAt := len(out)
	out = append(out, 0, 0, 0, 0)
	compressor := to.Codecs.Compress
	if to.Magic == 0 {
		compressor = to.Codecs.CompressLegacy
	}
	out, err := compressor(to.Codec, out, set, to.Level)
	if err != nil {
		return dst, err
	}
	binary.BigEndian.PutUint32(out[valueAt:], uint32(len(out)-valueAt-4))
	finishMessage(out[at:])
	return out, nil
}

// appendPrefix writes a message up to its key; finishMessage fills in the rest.
func (to *Legacy) appendPrefix(dst []byte, offset int64, codec compress.Type, timestamp int64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(offset))
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0) // size and checksum
	dst = append(dst, byte(to.Magic), byte(codec))
	if to.Magic == 1 {
		dst = binary.BigEndian.AppendUint64(dst, uint64(timestamp))
	}
	return dst
}

// finishMessage fills in the size and the checksum of a message.
func finishMessage(m []byte) {
	binary.BigEndian.PutUint32(m[posLength:], uint32(len(m)-lengthEnd))
	binary.BigEndian.PutUint32(m[posMessageCRC:], crc32.ChecksumIEEE(m[posMessageMagic:]))
}

// appendBytes writes a length of 4 bytes and the bytes, -1 for nil.
func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return binary.BigEndian.AppendUint32(dst, 1<<32-1)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b)))
	return append(dst, b...)
}
