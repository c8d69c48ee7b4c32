package record

import (
	"encoding/binary"
	"hash/crc32"
)

// Sum is the CRC32C of record bytes, added up piece by piece while they are still
// in the processor's cache. The zero value is that of none. It is not safe for
// concurrent use.
type Sum struct {
	crc  uint32
	size int
}

// Add adds the bytes that come next.
func (s *Sum) Add(p []byte) {
	s.crc = crc32.Update(s.crc, castagnoli, p)
	s.size += len(p)
}

// PutHeaderSum is PutHeader for records whose sum is known: they are not read.
func PutHeaderSum(dst *[HeaderSize]byte, h *BatchHeader, records Sum) {
	putFields(dst, h, records.size)
	crc := crc32.Update(0, castagnoli, dst[posAttributes:])
	binary.BigEndian.PutUint32(dst[posCRC:], combine(crc, records.crc, records.size))
}

// castagnoliPoly is the polynomial of CRC32C, lowest bit first.
const castagnoliPoly = 0x82f63b78

// powers[k] is x to the power of 2^k modulo the polynomial.
var powers = func() (t [32]uint32) {
	p := uint32(1) << 30
	for k := range t {
		t[k] = p
		p = multiply(p, p)
	}
	return t
}()

// combine is the CRC of two runs of bytes, one behind the other, of the CRC of
// each and the length of the second: the first is moved on by that many bytes of
// zero, which is a multiplication by a power of x (as in zlib's crc32_combine).
func combine(first, second uint32, size int) uint32 {
	shift := uint32(1) << 31
	for k := 3; size > 0; size, k = size>>1, k+1 { // 2^3 bits are a byte
		if size&1 != 0 {
			shift = multiply(powers[k&31], shift)
		}
	}
	return multiply(shift, first) ^ second
}

// multiply multiplies two polynomials modulo the CRC's.
func multiply(a, b uint32) uint32 {
	var p uint32
	for ; a != 0; a <<= 1 {
		if a&(1<<31) != 0 {
			p ^= b
		}
		if b&1 != 0 {
			b = b>>1 ^ castagnoliPoly
		} else {
			b >>= 1
		}
	}
	return p
}
