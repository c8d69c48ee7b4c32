package compress

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstdCodec is RFC 8878. Encoders are pooled by the library's own levels, of which
// it has fewer than zstd's 22.
type zstdCodec struct {
	decoders sync.Pool
	encoders [int(zstd.SpeedBestCompression) + 1]sync.Pool
}

// zstdMaxWindow is the widest window that is read: what zstd's own highest level
// uses. The output is the window here, so it costs no memory of its own.
const zstdMaxWindow = 128 << 20

// zstdSlack is room behind the output that lets the decoder copy in wide steps.
const zstdSlack = 32

func newZstdCodec() *zstdCodec { return new(zstdCodec) }

func (c *zstdCodec) Compress(dst, src []byte, level int) ([]byte, error) {
	speed := zstd.SpeedDefault
	if level != 0 {
		speed = zstd.EncoderLevelFromZstd(level)
	}
	enc, ok := c.encoders[speed].Get().(*zstd.Encoder)
	if !ok {
		var err error
		enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(speed), zstd.WithEncoderConcurrency(1),
			zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false)) // the batch has a checksum
		if err != nil {
			return dst, err
		}
	}
	dst = enc.EncodeAll(src, dst)
	c.encoders[speed].Put(enc)
	return dst, nil
}

// Decompress decodes into dst's spare room, which is all that the decoder may use.
// The first try reserves a likely size, the second the most that the frames can hold.
func (c *zstdCodec) Decompress(dst, src []byte, max int) ([]byte, error) {
	least, bound, err := zstdSize(src)
	if err != nil {
		return dst, err
	}
	if least > uint64(max) {
		return dst, tooLarge(Zstd, max)
	}
	limit := int(min(bound, uint64(max)))
	const plausible = 12
	guess := limit
	if least != bound {
		guess = min(limit, len(src)*plausible+minGrow)
	}
	out, err := c.decode(dst, src, guess)
	if err != nil && guess < limit {
		out, err = c.decode(dst, src, limit)
	}
	if err == nil && len(out)-len(dst) > max || err != nil && bound > uint64(max) {
		// The decoder has several errors for a full buffer, some of which it has
		// for damage too; where the cap was in its way, the cap is named.
		return dst, tooLarge(Zstd, max)
	}
	if err != nil {
		return dst, corrupt(Zstd, err)
	}
	return out, nil
}

func (c *zstdCodec) decode(dst, src []byte, room int) ([]byte, error) {
	dec, ok := c.decoders.Get().(*zstd.Decoder)
	if !ok {
		var err error
		dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderMaxWindow(zstdMaxWindow))
		if err != nil {
			return dst, err
		}
	}
	dst = slices.Grow(dst, room+zstdSlack)
	out, err := dec.DecodeAll(src, dst[:len(dst):len(dst)+room+zstdSlack])
	c.decoders.Put(dec)
	return out, err
}

const (
	zstdMaxBlock   = 128 << 10
	zstdBlockRaw   = 0
	zstdBlockRLE   = 1
	zstdBlockZstd  = 2
	zstdChecksum   = 4
	zstdBlockBytes = 3
)

// zstdSize walks the frames' and blocks' headers. All frames together decompress to at
// least and at most so many bytes, or are corrupt; the two are equal when every frame
// declares its size.
func zstdSize(src []byte) (least, most uint64, err error) {
	for len(src) > 0 {
		var h zstd.Header
		if err := h.Decode(src); err != nil {
			return 0, 0, corrupt(Zstd, err)
		}
		if h.Skippable {
			skip := uint64(h.HeaderSize) + uint64(h.SkippableSize)
			if skip > uint64(len(src)) {
				return 0, 0, corruptf(Zstd, "a skippable frame is cut short")
			}
			src = src[skip:]
			continue
		}
		low, high, size, err := zstdBlocks(src[h.HeaderSize:])
		if err != nil {
			return 0, 0, err
		}
		src = src[h.HeaderSize+size:]
		if h.HasCheckSum {
			src = src[min(zstdChecksum, len(src)):]
		}
		if h.HasFCS {
			if h.FrameContentSize < low || h.FrameContentSize > high {
				return 0, 0, corruptf(Zstd, "a frame claims %d bytes, its blocks hold %d to %d", h.FrameContentSize, low, high)
			}
			low, high = h.FrameContentSize, h.FrameContentSize
		}
		least += low
		most += high
	}
	return least, most, nil
}

// zstdBlocks returns what a frame's blocks decompress to, between low and high, and
// their length.
func zstdBlocks(src []byte) (low, high uint64, size int, err error) {
	for {
		if len(src)-size < zstdBlockBytes {
			return 0, 0, 0, corruptf(Zstd, "a frame ends without its last block")
		}
		head := uint32(src[size]) | uint32(binary.LittleEndian.Uint16(src[size+1:]))<<8
		size += zstdBlockBytes
		length, kind := int(head>>3), head>>1&3
		switch kind {
		case zstdBlockRaw, zstdBlockRLE:
			low += uint64(length)
			high += uint64(length)
			if kind == zstdBlockRLE {
				length = 1
			}
		case zstdBlockZstd:
			high += zstdMaxBlock
		default:
			return 0, 0, 0, corruptf(Zstd, "a block of the reserved type")
		}
		if length > len(src)-size {
			return 0, 0, 0, corruptf(Zstd, "a block is cut short")
		}
		size += length
		if head&1 != 0 {
			return low, high, size, nil
		}
	}
}
