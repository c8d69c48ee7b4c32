package record

import "slices"

// Size is the number of bytes that Append will append for the same arguments.
func Size(tsDelta int64, offsetDelta int32, r *Record) int {
	n := bodySize(tsDelta, offsetDelta, r)
	return varintSize(int64(n)) + n
}

// Append appends the record in format v2: what follows the header in a batch.
// tsDelta is its timestamp in ms less the batch's BaseTimestamp, offsetDelta its place
// in the batch from 0. Nothing is allocated but what dst needs to grow.
func Append(dst []byte, tsDelta int64, offsetDelta int32, r *Record) []byte {
	n := bodySize(tsDelta, offsetDelta, r)
	total := varintSize(int64(n)) + n
	at := len(dst)
	dst = slices.Grow(dst, total)[:at+total]
	put(dst[at:], n, tsDelta, offsetDelta, r)
	return dst
}

// AppendWithin is Append into what dst has room for; false, and nothing is written,
// if that is not enough.
func AppendWithin(dst []byte, tsDelta int64, offsetDelta int32, r *Record) ([]byte, bool) {
	n := bodySize(tsDelta, offsetDelta, r)
	at, end := len(dst), len(dst)+varintSize(int64(n))+n
	if end > cap(dst) {
		return dst, false
	}
	dst = dst[:end]
	put(dst[at:], n, tsDelta, offsetDelta, r)
	return dst, true
}

// put writes a record whose body has n bytes.
func put(b []byte, n int, tsDelta int64, offsetDelta int32, r *Record) {
	i := putVarint(b, 0, int64(n))
	b[i] = 0 // the record's attributes: none are defined
	i = putVarint(b, i+1, tsDelta)
	i = putVarint(b, i, int64(offsetDelta))
	i = putBytes(b, i, r.Key)
	i = putBytes(b, i, r.Value)
	i = putVarint(b, i, int64(r.Headers.n))
	copy(b[i:], r.Headers.raw)
}

// bodySize is a record's size without its length in front.
func bodySize(tsDelta int64, offsetDelta int32, r *Record) int {
	return 1 + varintSize(tsDelta) + varintSize(int64(offsetDelta)) +
		bytesSize(r.Key) + bytesSize(r.Value) +
		varintSize(int64(r.Headers.n)) + len(r.Headers.raw)
}

func bytesSize(b []byte) int {
	if b == nil {
		return 1
	}
	return varintSize(int64(len(b))) + len(b)
}

// putBytes writes a length and the bytes, -1 for nil.
func putBytes(b []byte, i int, p []byte) int {
	if p == nil {
		b[i] = 1
		return i + 1
	}
	i = putVarint(b, i, int64(len(p)))
	return i + copy(b[i:], p)
}
