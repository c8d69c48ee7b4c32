package behaviors

import "encoding/binary"

// The hashes that Erlang gives what is no binary with bytes in it.
const (
	phash2Undefined = 45914356   // the atom undefined: brod's record without key
	phash2Init      = 0x08d12e65 // a binary begins with it, so an empty one is its low bits
	phash2Golden    = 0x9e3779b9 // the golden ratio, as ever in Bob Jenkins' hashes
	phash2Mask      = 1<<27 - 1  // erlang:phash2/1 keeps 27 bits
)

// phash2 is what Erlang's erlang:phash2/1 gives a binary: Bob Jenkins' hash of
// 1996 (https://burtleburtle.net/bob/hash/evahash.html), 27 bits of it.
func phash2(data []byte) uint32 {
	if len(data) == 0 {
		return phash2Init & phash2Mask
	}
	a, b, c, length := uint32(phash2Golden), uint32(phash2Golden), uint32(phash2Init), uint32(len(data))
	for ; len(data) >= 12; data = data[12:] {
		a += binary.LittleEndian.Uint32(data)
		b += binary.LittleEndian.Uint32(data[4:])
		c += binary.LittleEndian.Uint32(data[8:])
		a, b, c = jenkins(a, b, c)
	}
	var tail [12]byte // the length has the lowest byte of c to itself
	copy(tail[:8], data)
	if len(data) > 8 {
		copy(tail[9:], data[8:])
	}
	a += binary.LittleEndian.Uint32(tail[:])
	b += binary.LittleEndian.Uint32(tail[4:])
	c += binary.LittleEndian.Uint32(tail[8:]) + length
	_, _, c = jenkins(a, b, c)
	return c & phash2Mask
}

// jenkins mixes 96 bits.
func jenkins(a, b, c uint32) (uint32, uint32, uint32) {
	a = (a - b - c) ^ c>>13
	b = (b - c - a) ^ a<<8
	c = (c - a - b) ^ b>>13
	a = (a - b - c) ^ c>>12
	b = (b - c - a) ^ a<<16
	c = (c - a - b) ^ b>>5
	a = (a - b - c) ^ c>>3
	b = (b - c - a) ^ a<<10
	c = (c - a - b) ^ b>>15
	return a, b, c
}
