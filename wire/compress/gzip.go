package compress

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"sync"

	"github.com/klauspost/compress/gzip"
)

const gzipMaxLevel = gzip.BestCompression

// gzipCodec is RFC 1952. Writers are pooled by level (0 is the default level).
type gzipCodec struct {
	readers sync.Pool
	writers [gzipMaxLevel + 1]sync.Pool
}

type gzipReader struct {
	src bytes.Reader
	gz  gzip.Reader
}

type gzipWriter struct {
	out appendWriter
	gz  *gzip.Writer
}

func newGzipCodec() *gzipCodec { return new(gzipCodec) }

func (c *gzipCodec) Compress(dst, src []byte, level int) ([]byte, error) {
	level = min(max(level, 0), gzipMaxLevel)
	w, err := c.writer(level)
	if err != nil {
		return dst, err
	}
	w.out.buf = dst
	w.gz.Reset(&w.out)
	if err = w.write(src); err == nil {
		err = w.gz.Close()
	}
	out := w.out.buf
	w.out.buf = nil
	c.writers[level].Put(w)
	return out, err
}

// gzipStep takes about a millisecond at the highest level.
const gzipStep = 16 << 10

// write compresses step by step. Between two, other goroutines may run: a large
// batch takes a tenth of a second, and on few processors answers of brokers would
// wait for it.
func (w *gzipWriter) write(src []byte) error {
	for len(src) > 0 {
		n := min(len(src), gzipStep)
		if _, err := w.gz.Write(src[:n]); err != nil {
			return err
		}
		src = src[n:]
		runtime.Gosched()
	}
	return nil
}

func (c *gzipCodec) writer(level int) (*gzipWriter, error) {
	if w, ok := c.writers[level].Get().(*gzipWriter); ok {
		return w, nil
	}
	gzLevel := level
	if level == 0 {
		gzLevel = gzip.DefaultCompression
	}
	gz, err := gzip.NewWriterLevel(nil, gzLevel)
	return &gzipWriter{gz: gz}, err
}

func (c *gzipCodec) Decompress(dst, src []byte, max int) ([]byte, error) {
	r, ok := c.readers.Get().(*gzipReader)
	if !ok {
		r = new(gzipReader)
	}
	r.src.Reset(src)
	out, err := dst, r.gz.Reset(&r.src)
	if err != nil {
		err = corrupt(Gzip, err)
	} else {
		out, err = limitedAppend(Gzip, dst, &r.gz, gzipGuess(src), max)
	}
	r.src.Reset(nil)
	c.readers.Put(r)
	return out, err
}

// gzipGuess is the size that the trailer claims, as far as it is believable
// without having seen the data.
func gzipGuess(src []byte) int {
	const plausible = 16
	if len(src) < 4 {
		return 0
	}
	claimed := binary.LittleEndian.Uint32(src[len(src)-4:])
	return int(min(uint64(claimed), uint64(len(src))*plausible))
}
