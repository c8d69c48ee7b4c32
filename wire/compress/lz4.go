package compress

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/pierrec/lz4/v4"
)

// lz4Codec is the lz4 frame format as Kafka's Java client writes it: independent
// blocks of 64 KiB, no block and no content checksum, no content size.
//
// Message format v0 has a mistake frozen into it (KIP-57): 0.8 and 0.9 compute the
// header checksum over the magic number too, and refuse the right one.
// CompressLegacy writes theirs; Decompress takes both.
type lz4Codec struct {
	fast sync.Pool
	high [lz4MaxLevel + 1]sync.Pool
}

const (
	lz4Magic     uint32 = 0x184D2204
	lz4Skippable uint32 = 0x184D2A50 // the last four bits are free
	lz4MaxLevel         = 9
	lz4BlockSize        = 64 << 10

	// The frame descriptor's flag byte.
	lz4FlagVersion       = 1 << 6
	lz4FlagIndependent   = 1 << 5
	lz4FlagBlockChecksum = 1 << 4
	lz4FlagContentSize   = 1 << 3
	lz4FlagChecksum      = 1 << 2
	lz4FlagReserved      = 1 << 1
	lz4FlagDictionary    = 1 << 0

	lz4Block64K  = 4 << 4 // the block size byte for 64 KiB
	lz4BlockRaw  = 1 << 31
	lz4WindowLen = 64 << 10

	lz4MaxRatio    = 255 // bytes that one compressed byte can stand for
	lz4LikelyRatio = 8   // what text seldom passes
)

func newLZ4Codec() *lz4Codec { return new(lz4Codec) }

func (c *lz4Codec) Compress(dst, src []byte, level int) ([]byte, error) {
	return c.compress(dst, src, level, 4)
}

func (c *lz4Codec) CompressLegacy(dst, src []byte, level int) ([]byte, error) {
	return c.compress(dst, src, level, 0)
}

// compress writes a frame whose header checksum begins hashFrom bytes into it.
func (c *lz4Codec) compress(dst, src []byte, level, hashFrom int) ([]byte, error) {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, lz4Magic)
	dst = append(dst, lz4FlagVersion|lz4FlagIndependent, lz4Block64K)
	dst = append(dst, lz4HeaderChecksum(dst[start+hashFrom:]))
	compressBlock, release := c.compressor(level)
	defer release()
	for len(src) > 0 {
		block := src[:min(len(src), lz4BlockSize)]
		src = src[len(block):]
		dst = slices.Grow(dst, 4+lz4.CompressBlockBound(len(block)))
		at := len(dst)
		n, err := compressBlock(block, dst[at+4:cap(dst)])
		if err != nil {
			return dst, err
		}
		if n == 0 || n >= len(block) {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(block))|lz4BlockRaw)
			dst = append(dst, block...)
			continue
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n))[:at+4+n]
	}
	return binary.LittleEndian.AppendUint32(dst, 0), nil
}

func lz4HeaderChecksum(descriptor []byte) byte { return byte(xxhash32(descriptor) >> 8) }

// compressor takes the block compressor for a level out of its pool.
func (c *lz4Codec) compressor(level int) (compress func(src, dst []byte) (int, error), release func()) {
	if level <= 0 {
		fast, ok := c.fast.Get().(*lz4.Compressor)
		if !ok {
			fast = new(lz4.Compressor)
		}
		return fast.CompressBlock, func() { c.fast.Put(fast) }
	}
	level = min(level, lz4MaxLevel)
	high, ok := c.high[level].Get().(*lz4.CompressorHC)
	if !ok {
		high = &lz4.CompressorHC{Level: lz4.CompressionLevel(1 << (8 + level))}
	}
	return high.CompressBlock, func() { c.high[level].Put(high) }
}
