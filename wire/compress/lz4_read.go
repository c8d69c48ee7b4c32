package compress

import (
	"encoding/binary"
	"slices"

	"github.com/pierrec/lz4/v4"
)

// Decompress reads any number of frames, with linked or independent blocks.
func (c *lz4Codec) Decompress(dst, src []byte, max int) ([]byte, error) {
	if len(src) == 0 {
		return dst, corruptf(LZ4, "no frame")
	}
	start := len(dst)
	for len(src) > 0 {
		var err error
		if dst, src, err = lz4AppendFrame(dst, src, max-(len(dst)-start)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// lz4Frame is a frame's header.
type lz4Frame struct {
	flags     byte
	blockSize int
	size      uint64 // with lz4FlagContentSize
}

// lz4AppendFrame decompresses one frame and returns what follows it.
func lz4AppendFrame(dst, src []byte, max int) (out, rest []byte, err error) {
	if len(src) < 8 {
		return dst, nil, corruptf(LZ4, "%d bytes left where a frame is expected", len(src))
	}
	magic := binary.LittleEndian.Uint32(src)
	if magic&^0xf == lz4Skippable {
		size := uint64(binary.LittleEndian.Uint32(src[4:]))
		if size > uint64(len(src)-8) {
			return dst, nil, corruptf(LZ4, "a skippable frame is cut short")
		}
		return dst, src[8+size:], nil
	}
	if magic != lz4Magic {
		return dst, nil, corruptf(LZ4, "a frame cannot begin with %08x", magic)
	}
	frame, src, err := lz4Header(src)
	if err != nil {
		return dst, nil, err
	}
	if frame.flags&lz4FlagContentSize != 0 && frame.size > uint64(max) {
		return dst, nil, tooLarge(LZ4, max)
	}
	start := len(dst)
	dst = slices.Grow(dst, min(frame.guess(src, max), max))
	for done := false; !done; {
		dst, src, done, err = frame.appendBlock(dst, src, start, max)
		if err != nil {
			return dst, nil, err
		}
	}
	return frame.finish(dst, src, start)
}

// lz4Header reads the header of the frame at src; there are at least 8 bytes.
func lz4Header(src []byte) (f lz4Frame, rest []byte, err error) {
	f.flags = src[4]
	if f.flags>>6 != 1 || f.flags&(lz4FlagReserved|lz4FlagDictionary) != 0 {
		return f, nil, corruptf(LZ4, "frame flags %08b are not supported", f.flags)
	}
	shift := src[5] >> 4
	if shift < 4 || shift > 7 || src[5]&0x8f != 0 {
		return f, nil, corruptf(LZ4, "no such block size: %08b", src[5])
	}
	f.blockSize = 1 << (8 + 2*shift)
	end := 6
	if f.flags&lz4FlagContentSize != 0 {
		end += 8
	}
	if len(src) <= end {
		return f, nil, corruptf(LZ4, "a frame's header is cut short")
	}
	if end > 6 {
		f.size = binary.LittleEndian.Uint64(src[6:])
	}
	if sum := src[end]; sum != lz4HeaderChecksum(src[4:end]) && sum != lz4HeaderChecksum(src[:end]) {
		return f, nil, corruptf(LZ4, "the checksum of a frame's header is wrong")
	}
	return f, src[end+1:], nil
}

// appendBlock decompresses the next block, or tells that the end mark was there.
// The frame's output began at start.
func (f *lz4Frame) appendBlock(dst, src []byte, start, max int) (out, rest []byte, done bool, err error) {
	if len(src) < 4 {
		return dst, nil, false, corruptf(LZ4, "a frame ends without its end mark")
	}
	head := binary.LittleEndian.Uint32(src)
	src = src[4:]
	if head == 0 {
		return dst, src, true, nil
	}
	size := int(head &^ lz4BlockRaw)
	trailer := 0
	if f.flags&lz4FlagBlockChecksum != 0 {
		trailer = 4
	}
	if size > f.blockSize || size+trailer > len(src) {
		return dst, nil, false, corruptf(LZ4, "a block claims %d of %d bytes", size, len(src))
	}
	block := src[:size]
	if trailer > 0 && binary.LittleEndian.Uint32(src[size:]) != xxhash32(block) {
		return dst, nil, false, corruptf(LZ4, "the checksum of a block is wrong")
	}
	room := max - (len(dst) - start)
	if head&lz4BlockRaw == 0 {
		dst, err = f.uncompress(dst, block, start, room)
	} else if size > room {
		err = tooLarge(LZ4, max)
	} else {
		dst = append(dst, block...)
	}
	return dst, src[size+trailer:], false, err
}

// guess is the likely size of the frame's content: all of its blocks are full but
// the last. What src holds bounds it, not what it claims. It stops counting past max.
func (f *lz4Frame) guess(src []byte, max int) int {
	total, last := 0, 0
	for len(src) >= 4 && total <= max {
		head := binary.LittleEndian.Uint32(src)
		size := int(head &^ lz4BlockRaw)
		src = src[4:]
		if size == 0 || size > len(src) {
			break
		}
		total += last
		last = min(f.blockSize, size*lz4MaxRatio)
		if f.flags&lz4FlagBlockChecksum != 0 {
			size = min(size+4, len(src))
		}
		src = src[size:]
		if len(src) >= 4 && binary.LittleEndian.Uint32(src) == 0 {
			last = min(last, size*lz4LikelyRatio+minGrow)
		}
	}
	return total + last
}

// uncompress appends a compressed block of at most room bytes. It tries with a
// likely size before it takes memory for a whole block.
func (f *lz4Frame) uncompress(dst, block []byte, start, room int) ([]byte, error) {
	full := min(f.blockSize, len(block)*lz4MaxRatio)
	limit := min(full, room)
	at := len(dst)
	var window []byte
	if f.flags&lz4FlagIndependent == 0 {
		window = dst[max(start, at-lz4WindowLen):at]
	}
	want := min(limit, max(cap(dst)-at, len(block)*lz4LikelyRatio+minGrow))
	for {
		dst = slices.Grow(dst, want)
		n, err := lz4.UncompressBlockWithDict(block, dst[at:at+want], window)
		switch {
		case err == nil:
			return dst[:at+n], nil
		case want < limit:
			want = limit
		case limit < full:
			// The decoder does not tell a full buffer from a damaged block.
			return dst, tooLarge(LZ4, at-start+room)
		default:
			return dst, corrupt(LZ4, err)
		}
	}
}

// finish checks what a frame says about its whole content.
func (f *lz4Frame) finish(dst, src []byte, start int) (out, rest []byte, err error) {
	content := dst[start:]
	if f.flags&lz4FlagContentSize != 0 && f.size != uint64(len(content)) {
		return dst, nil, corruptf(LZ4, "a frame of %d bytes claims %d", len(content), f.size)
	}
	if f.flags&lz4FlagChecksum == 0 {
		return dst, src, nil
	}
	if len(src) < 4 || binary.LittleEndian.Uint32(src) != xxhash32(content) {
		return dst, nil, corruptf(LZ4, "the checksum of a frame's content is wrong")
	}
	return dst, src[4:], nil
}
