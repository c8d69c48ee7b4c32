package wire

import (
	"encoding/binary"
	"io"
)

// Sizes of reading. Small answers are cut out of a shared slab, which is never
// written again once cut and so is garbage collected with the last answer that
// refers to it; larger ones get a buffer of their own.
const (
	slabSize  = 16 << 10
	slabFrame = slabSize / 4
	// firstTrust is how much is allocated for a frame on its word alone. A
	// connection that has delivered larger ones is trusted with twice the largest.
	firstTrust = 1 << 20
)

// frameReader cuts a byte stream into frames: four bytes of length, then the
// body. It reads ahead, but never into a body that has a buffer of its own.
// Memory is allocated as bytes arrive, so that a lying length costs nothing.
type frameReader struct {
	src     io.Reader
	max     int
	slab    []byte
	r, w    int // slab[r:w] has arrived and is not used
	trusted int
	reads   uint64 // calls of src.Read so far
	total   uint64 // bytes that arrived so far
}

func newFrameReader(src io.Reader, max int) *frameReader {
	return &frameReader{src: src, max: max, trusted: firstTrust}
}

// fill makes n bytes available in the slab, n being at most slabFrame.
func (f *frameReader) fill(n int) error {
	for f.w-f.r < n {
		if len(f.slab)-f.r < n || f.w == f.r && len(f.slab)-f.w < slabFrame {
			fresh := make([]byte, slabSize)
			f.w = copy(fresh, f.slab[f.r:f.w])
			f.r, f.slab = 0, fresh
		}
		got, err := f.read(f.slab[f.w:])
		f.w += got
		if err != nil && f.w-f.r < n {
			return cutShort(err, f.w-f.r > 0)
		}
	}
	return nil
}

// read is src.Read that counts, and refuses an endless run of empty reads.
func (f *frameReader) read(p []byte) (int, error) {
	const patience = 100
	for range patience {
		n, err := f.src.Read(p)
		f.reads++
		f.total += uint64(n)
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// cutShort tells an end within a frame from one between frames.
func cutShort(err error, within bool) error {
	if err == io.EOF && within {
		return io.ErrUnexpectedEOF
	}
	return err
}

// size reads the next frame's length. least is the smallest that makes sense.
func (f *frameReader) size(least int) (int, error) {
	if err := f.fill(4); err != nil {
		return 0, err
	}
	head := f.slab[f.r : f.r+4]
	n := int32(binary.BigEndian.Uint32(head))
	if err := checkSize(n, least, f.max, head); err != nil {
		return 0, err
	}
	f.r += 4
	return int(n), nil
}

func checkSize(n int32, least, max int, head []byte) error {
	reason := ""
	switch {
	case foreign(head) != "" && int64(n) > int64(max):
		reason = foreign(head)
	case n < 0:
		reason = "the length is negative; the peer does not speak Kafka's protocol"
	case int64(n) > int64(max):
		reason = "above the limit; raise MaxFrame if the broker is right"
	case int(n) < least:
		reason = "too short for its header"
	default:
		return nil
	}
	return &FrameError{Size: n, Max: max, Reason: reason}
}

// correlation reads the four bytes that every answer begins with.
func (f *frameReader) correlation() (int32, error) {
	if err := f.fill(4); err != nil {
		return 0, cutShort(err, true)
	}
	id := int32(binary.BigEndian.Uint32(f.slab[f.r:]))
	f.r += 4
	return id, nil
}

// body reads n bytes of the frame, into memory if that has room for them. Else
// small frames share a buffer, and large ones have one of their own; either way
// it is never written again.
func (f *frameReader) body(n int, memory []byte) ([]byte, error) {
	if len(memory) >= n && n > 0 {
		return f.into(memory[:n:n])
	}
	if n > slabFrame {
		return f.large(n)
	}
	if err := f.fill(n); err != nil {
		return nil, cutShort(err, true)
	}
	b := f.slab[f.r : f.r+n : f.r+n]
	f.r += n
	return b, nil
}

// into fills b.
func (f *frameReader) into(b []byte) ([]byte, error) {
	have := copy(b, f.slab[f.r:f.w])
	f.r += have
	for have < len(b) {
		got, err := f.read(b[have:])
		have += got
		if err != nil && have < len(b) {
			return nil, cutShort(err, true)
		}
	}
	return b, nil
}

// large reads n bytes into a buffer of their own, which grows from what is
// trusted to what has arrived.
func (f *frameReader) large(n int) ([]byte, error) {
	b := make([]byte, min(n, f.trusted))
	have := copy(b, f.slab[f.r:f.w])
	f.r += have
	for {
		for have < len(b) {
			got, err := f.read(b[have:])
			have += got
			if err != nil && have < n {
				return nil, cutShort(err, true)
			}
		}
		if have == n {
			f.trusted = max(f.trusted, min(2*n, f.max))
			return b, nil
		}
		grown := make([]byte, min(n, 2*len(b)))
		copy(grown, b)
		b = grown
	}
}
