package record

import (
	"encoding/binary"
	"hash/crc32"
)

// The loops that the codec is measured against: what one writes for exactly this
// data, in one function, with no cursor, no errors and the fewest checks. They do the
// checksum, as the codec does.

func handVarint(b []byte, i int) (int64, int) {
	u, shift := uint64(0), 0
	for ; b[i] >= 0x80; i++ {
		u |= uint64(b[i]&0x7f) << shift
		shift += 7
	}
	u |= uint64(b[i]) << shift
	return int64(u>>1) ^ -int64(u&1), i + 1
}

func decodeByHand(data []byte) (sum int) {
	if crc32.Checksum(data[21:], castagnoli) != binary.BigEndian.Uint32(data[17:]) {
		return 0
	}
	base := int64(binary.BigEndian.Uint64(data))
	baseTime := int64(binary.BigEndian.Uint64(data[27:]))
	count := int(binary.BigEndian.Uint32(data[57:]))
	b := data[61:]
	for i := 0; count > 0; count-- {
		var r Record
		var size, delta int64
		_, i = handVarint(b, i)
		delta, i = handVarint(b, i+1)
		r.Timestamp = baseTime + delta
		delta, i = handVarint(b, i)
		r.Offset = base + delta
		size, i = handVarint(b, i)
		if size >= 0 {
			r.Key = b[i : i+int(size)]
			i += int(size)
		}
		size, i = handVarint(b, i)
		if size >= 0 {
			r.Value = b[i : i+int(size)]
			i += int(size)
		}
		size, i = handVarint(b, i)
		r.Headers.n = int(size)
		start := i
		for range r.Headers.n {
			size, i = handVarint(b, i)
			i += int(size)
			size, i = handVarint(b, i)
			i += int(max(size, 0))
		}
		r.Headers.raw = b[start:i]
		sum += weigh(&r)
	}
	return sum
}

func encodeByHand(buf []byte, records []Record) []byte {
	for n := range records {
		r := &records[n]
		size := 1 + varintSize(int64(n/10)) + varintSize(int64(n)) + bytesSize(r.Key) + bytesSize(r.Value) +
			varintSize(int64(r.Headers.n)) + len(r.Headers.raw)
		buf = binary.AppendVarint(buf, int64(size))
		buf = append(buf, 0)
		buf = binary.AppendVarint(buf, int64(n/10))
		buf = binary.AppendVarint(buf, int64(n))
		if r.Key == nil {
			buf = append(buf, 1)
		} else {
			buf = binary.AppendVarint(buf, int64(len(r.Key)))
			buf = append(buf, r.Key...)
		}
		buf = binary.AppendVarint(buf, int64(len(r.Value)))
		buf = append(buf, r.Value...)
		buf = binary.AppendVarint(buf, int64(r.Headers.n))
		buf = append(buf, r.Headers.raw...)
	}
	h := NewBatchHeader()
	var head [HeaderSize]byte
	PutHeader(&head, &h, buf)
	return buf
}
