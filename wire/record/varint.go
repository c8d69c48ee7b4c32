package record

import (
	"encoding/binary"
	"math"
)

// Varints are protobuf's zig-zag ones: KIP-98.

// noIndex is the index that a failed read returns. Every read at it fails too, so
// that a chain of reads needs one check at its end. It leaves room for additions.
const noIndex = math.MaxInt / 2

func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }

// varintSize is the length of v's encoding: one byte for every seven bits. Lengths and
// deltas are small, so counting them beats arithmetic on the position of the top bit.
func varintSize(v int64) int {
	n := 1
	for u := zigzag(v); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}

func appendVarint(dst []byte, v int64) []byte { return binary.AppendUvarint(dst, zigzag(v)) }

// uvarintNull is the zig-zag form of -1, the length of null.
const uvarintNull = 1

// readVarint reads the varint at b[i] and returns the index behind it, noIndex if
// there is none.
func readVarint(b []byte, i int) (int64, int) {
	u, i := readUvarint(b, i)
	return int64(u>>1) ^ -int64(u&1), i
}

// readUvarint is readVarint before the zig-zag is undone.
func readUvarint(b []byte, i int) (uint64, int) {
	if i >= len(b) {
		return 0, noIndex
	}
	if b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	if i+1 < len(b) && b[i+1] < 0x80 {
		return uint64(b[i]&0x7f) | uint64(b[i+1])<<7, i + 2
	}
	u, n := binary.Uvarint(b[i:])
	if n <= 0 {
		return 0, noIndex
	}
	return u, i + n
}

// putVarint writes v at b[i] and returns the index behind it. The caller has made
// room.
func putVarint(b []byte, i int, v int64) int {
	u := zigzag(v)
	for u >= 0x80 {
		b[i] = byte(u) | 0x80
		u >>= 7
		i++
	}
	b[i] = byte(u)
	return i + 1
}
