package compress

import (
	"io"
	"slices"
)

// limitedAppend reads r to its end into dst, growing it step by step, so that the
// memory used follows what was really there. One byte more than max is asked for:
// it tells a full buffer from an overfull one.
func limitedAppend(t Type, dst []byte, r io.Reader, guess, max int) ([]byte, error) {
	start := len(dst)
	dst = slices.Grow(dst, min(guess, max)+1)
	for {
		room := min(cap(dst), start+max+1)
		n, err := r.Read(dst[len(dst):room])
		dst = dst[:len(dst)+n]
		if len(dst)-start > max {
			return dst, tooLarge(t, max)
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, corrupt(t, err)
		}
		if len(dst) == cap(dst) {
			have := len(dst) - start
			dst = slices.Grow(dst, min(have+minGrow, max+1-have))
		}
	}
}

// minGrow is the smallest step by which an output buffer grows.
const minGrow = 512

// appendWriter is the io.Writer that appends.
type appendWriter struct{ buf []byte }

func (w *appendWriter) Write(p []byte) (int, error) {
	w.buf = append(w.buf, p...)
	return len(p), nil
}
