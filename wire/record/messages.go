package record

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/moldau-go/moldau/wire/compress"
)

// Where the fields of a message of v0 and v1 are, behind its offset and length. In v1
// a timestamp stands between the attributes and the key.
const (
	posMessageCRC        = 12
	posMessageMagic      = 16
	posMessageAttributes = 17
	posMessageTime       = 18

	messageSizeV0 = 26
	messageSizeV1 = 34
)

// parseLegacy describes the message at the front of data, size bytes long, and the
// run that it begins; it returns the length of that.
func (b *Batch) parseLegacy(data []byte, size int) int {
	m := messageView(data[:size])
	offset := m.offset()
	b.BatchHeader = BatchHeader{
		BaseOffset:           offset,
		PartitionLeaderEpoch: NoLeaderEpoch,
		Magic:                m.magic(),
		Attributes:           m.attributes(),
		BaseTimestamp:        m.timestamp(),
		MaxTimestamp:         m.timestamp(),
		ProducerID:           NoProducerID,
		ProducerEpoch:        NoProducerEpoch,
		BaseSequence:         NoSequence,
		Count:                1,
	}
	if b.wrapper() {
		b.Count = -1
		_, b.payload, _ = m.keyValue() // a malformed one has no value, which Open refuses
		return size
	}
	for {
		n, _, err := entrySize(data[size:])
		if n == 0 || err != nil {
			break
		}
		next := messageView(data[size : size+n])
		delta := next.offset() - offset
		if next.magic() != b.Magic || next.attributes() != b.Attributes || delta <= int64(b.LastOffsetDelta) || delta >= 1<<31 {
			break
		}
		b.LastOffsetDelta = int32(delta)
		b.MaxTimestamp = max(b.MaxTimestamp, next.timestamp())
		b.Count++
		size += n
	}
	b.payload = data[:size:size]
	return size
}

// openMessages returns the cursor over a run, or over a wrapper's decompressed set.
func (b *Batch) openMessages(data []byte) (Records, error) {
	c := Records{data: data, magic: b.Magic}
	if !b.wrapper() {
		return c, nil
	}
	last, err := lastMessage(data, b.BaseOffset)
	if err != nil {
		return Records{}, err
	}
	if b.Magic == 1 {
		// KIP-31: offsets in the set are relative, the wrapper has the last one's
		// absolute offset. A wrapper that no broker has numbered yet has none.
		c.base = max(b.BaseOffset-last, 0)
		c.appendTime = b.Attributes.LogAppendTime()
		c.maxTime = b.MaxTimestamp
	}
	return c, nil
}

// lastMessage walks a decompressed message set and returns its last offset.
func lastMessage(data []byte, wrapper int64) (int64, error) {
	if len(data) == 0 {
		return 0, corruptf(wrapper, "a compressed message holds no message")
	}
	for {
		size, _, err := entrySize(data)
		if err != nil {
			return 0, err
		}
		if size == 0 {
			return 0, corruptf(wrapper, "the last message of a compressed set is cut short")
		}
		if size == len(data) {
			return messageView(data).offset(), nil
		}
		data = data[size:]
	}
}

// nextMessage is Next for the old formats.
func (c *Records) nextMessage(r *Record) bool {
	if c.pos >= len(c.data) {
		return false
	}
	size, _, err := entrySize(c.data[c.pos:])
	if err != nil {
		return c.stop(err)
	}
	m := messageView(c.data[c.pos : c.pos+size : c.pos+size])
	if size == 0 || m.magic() != c.magic || m.attributes().Codec() != compress.None {
		return c.fail("a message set that is cut short, of mixed formats or compressed twice")
	}
	if err := verifyMessage(m); err != nil {
		return c.stop(err)
	}
	key, value, ok := m.keyValue()
	if !ok {
		return c.fail("the key and the value do not fill the message")
	}
	c.pos += size
	r.Key, r.Value, r.Headers = key, value, Headers{}
	r.Offset = c.base + m.offset()
	r.Timestamp = m.timestamp()
	if c.appendTime {
		r.Timestamp = c.maxTime
	}
	return true
}

// stop ends the iteration with an error.
func (c *Records) stop(err error) bool {
	c.err = err
	c.pos = len(c.data)
	return false
}

// verifyMessage checks a message's CRC32, which covers all that follows it.
func verifyMessage(m messageView) error {
	stored := binary.BigEndian.Uint32(m[posMessageCRC:])
	if computed := crc32.ChecksumIEEE(m[posMessageMagic:]); computed != stored {
		return checksumError(m.offset(), stored, computed)
	}
	return nil
}

// messageView is one message of v0 or v1, offset and length included, whose size
// entrySize has checked.
type messageView []byte

func (m messageView) offset() int64          { return int64(binary.BigEndian.Uint64(m)) }
func (m messageView) magic() int8            { return int8(m[posMessageMagic]) }
func (m messageView) attributes() Attributes { return Attributes(m[posMessageAttributes]) & 0xf }

func (m messageView) timestamp() int64 {
	if m.magic() == 0 {
		return NoTimestamp
	}
	return int64(binary.BigEndian.Uint64(m[posMessageTime:]))
}

// keyValue returns key and value; ok is false when they do not fill the message.
func (m messageView) keyValue() (key, value []byte, ok bool) {
	rest := []byte(m[posMessageTime:])
	if m.magic() == 1 {
		rest = rest[8:]
	}
	if key, rest, ok = cutBytes(rest); !ok {
		return nil, nil, false
	}
	if value, rest, ok = cutBytes(rest); !ok || len(rest) != 0 {
		return nil, nil, false
	}
	return key, value, true
}

// cutBytes splits a length (4 bytes, -1 for null) and its bytes off b.
func cutBytes(b []byte) (part, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := int64(int32(binary.BigEndian.Uint32(b)))
	b = b[4:]
	if n == -1 {
		return nil, b, true
	}
	if n < 0 || n > int64(len(b)) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}
