package compress

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/s2"
)

// snappyCodec writes the framing of snappy-java (xerial), which Java brokers and
// clients of every version read, and reads it and the bare block format that other
// clients write. It holds no state.
type snappyCodec struct{}

const (
	xerialMagic     = "\x82SNAPPY\x00"
	xerialVersion   = 1
	xerialHeader    = len(xerialMagic) + 8 // magic, version, lowest compatible version
	xerialBlockSize = 32 << 10             // what snappy-java uses
)

func newSnappyCodec() snappyCodec { return snappyCodec{} }

func (snappyCodec) Compress(dst, src []byte, _ int) ([]byte, error) {
	dst = append(dst, xerialMagic...)
	dst = binary.BigEndian.AppendUint32(dst, xerialVersion)
	dst = binary.BigEndian.AppendUint32(dst, xerialVersion)
	for len(src) > 0 {
		block := src[:min(len(src), xerialBlockSize)]
		src = src[len(block):]
		dst = slices.Grow(dst, 4+s2.MaxEncodedLen(len(block)))
		at := len(dst)
		packed := s2.EncodeSnappy(dst[at+4:cap(dst)], block)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(packed)))
		dst = dst[:at+4+len(packed)]
	}
	return dst, nil
}

func (snappyCodec) Decompress(dst, src []byte, max int) ([]byte, error) {
	if len(src) < xerialHeader || string(src[:len(xerialMagic)]) != xerialMagic {
		return appendSnappyBlock(dst, src, max)
	}
	start := len(dst)
	dst = slices.Grow(dst, int(min(xerialGuess(src[xerialHeader:]), uint64(max))))
	for src = src[xerialHeader:]; len(src) > 0; {
		// Streams may be joined: a header can stand where a block is expected.
		if len(src) >= xerialHeader && bytes.HasPrefix(src, []byte(xerialMagic)) {
			src = src[xerialHeader:]
			continue
		}
		if len(src) < 4 {
			return dst, corruptf(Snappy, "%d bytes left where a block's size is expected", len(src))
		}
		size := binary.BigEndian.Uint32(src)
		if uint64(size) > uint64(len(src)-4) {
			return dst, corruptf(Snappy, "a block claims %d of %d bytes", size, len(src)-4)
		}
		var err error
		if dst, err = appendSnappyBlock(dst, src[4:4+size], max-(len(dst)-start)); err != nil {
			return dst, err
		}
		src = src[4+size:]
	}
	return dst, nil
}

// xerialGuess adds up what the blocks claim, as far as that can be true.
func xerialGuess(src []byte) uint64 {
	total := uint64(0)
	for len(src) > 4 {
		size := int64(binary.BigEndian.Uint32(src))
		src = src[4:]
		claim, _ := binary.Uvarint(src)
		size = min(size, int64(len(src)))
		total += min(claim, uint64(size)*snappyMaxRatio)
		src = src[size:]
	}
	return total
}

// snappyMaxRatio bounds what a block can expand to: its densest element makes 64
// bytes of 3. A claim above that is a lie, and refused before memory is taken.
const snappyMaxRatio = 22

func appendSnappyBlock(dst, src []byte, max int) ([]byte, error) {
	size, n := binary.Uvarint(src)
	if n <= 0 {
		return dst, corruptf(Snappy, "no size at the start of a block")
	}
	if size > uint64(max) {
		return dst, tooLarge(Snappy, max)
	}
	if size > uint64(len(src))*snappyMaxRatio {
		return dst, corruptf(Snappy, "a block of %d bytes claims %d", len(src), size)
	}
	dst = slices.Grow(dst, int(size))
	at := len(dst)
	if _, err := s2.Decode(dst[at:at+int(size):at+int(size)], src); err != nil {
		return dst, corrupt(Snappy, err)
	}
	return dst[:at+int(size)], nil
}
