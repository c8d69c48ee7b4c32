package compress

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// Registry maps codec ids to codecs. It owns the pools of its codecs: they end
// with it. It is safe for concurrent use, registration included. The zero value
// knows None only; NewRegistry makes one with all of Kafka's codecs.
type Registry struct {
	codecs [maxType + 1]atomic.Pointer[Codec]
}

// NewRegistry returns a registry with gzip, snappy, lz4 and zstd.
func NewRegistry() *Registry {
	r := new(Registry)
	r.put(Gzip, newGzipCodec())
	r.put(Snappy, newSnappyCodec())
	r.put(LZ4, newLZ4Codec())
	r.put(Zstd, newZstdCodec())
	return r
}

// Register makes c the codec for t, in place of the one before; a nil c removes
// it. None cannot be replaced, and t must fit the three bits that a batch has for
// it (1 to 7): anything else is an error. Calls in progress finish with the codec
// that they began with.
func (r *Registry) Register(t Type, c Codec) error {
	if t <= None || t > maxType {
		return fmt.Errorf("compress: codec id %d cannot be registered: a batch carries the ids 1 to %d", t, maxType)
	}
	r.put(t, c)
	return nil
}

func (r *Registry) put(t Type, c Codec) {
	if c == nil {
		r.codecs[t].Store(nil)
		return
	}
	r.codecs[t].Store(&c)
}

// Codec returns the codec for t, so that a program can wrap it, and whether there
// is one. There is none for None: its bytes are the data.
func (r *Registry) Codec(t Type) (Codec, bool) {
	if r == nil || t <= None || t > maxType {
		return nil, false
	}
	p := r.codecs[t].Load()
	if p == nil {
		return nil, false
	}
	return *p, true
}

// Compress appends src, compressed with t, to dst and returns the extended slice;
// on an error it returns dst as it was. The level 0 is the codec's default:
// gzip 1 to 9 (6), lz4 1 to 9 (0: the fast method), zstd 1 to 22 (3); snappy has
// none. Levels outside are moved to the nearest.
func (r *Registry) Compress(t Type, dst, src []byte, level int) ([]byte, error) {
	if t == None {
		return append(dst, src...), nil
	}
	c, ok := r.Codec(t)
	if !ok {
		return dst, &Error{Codec: t, Reason: ErrUnknownCodec}
	}
	out, err := c.Compress(dst, src, level)
	return compressed(t, dst, out, err)
}

// CompressLegacy is Compress for wrapper messages of format v0, whose readers
// expect other bytes of some codecs (LegacyCodec).
func (r *Registry) CompressLegacy(t Type, dst, src []byte, level int) ([]byte, error) {
	c, _ := r.Codec(t)
	legacy, ok := c.(LegacyCodec)
	if !ok {
		return r.Compress(t, dst, src, level)
	}
	out, err := legacy.CompressLegacy(dst, src, level)
	return compressed(t, dst, out, err)
}

func compressed(t Type, dst, out []byte, err error) ([]byte, error) {
	if err != nil {
		return dst, &Error{Codec: t, Reason: ErrFailed, Cause: err}
	}
	return out, nil
}

// Decompress appends src, decompressed with t, to dst and returns the extended
// slice; on an error it returns dst as it was. At most max bytes are appended (0:
// DefaultMax; never more than 1 GiB); more is an Error that is ErrTooLarge. Damaged data
// is ErrCorrupt.
// With None the bytes are copied.
func (r *Registry) Decompress(t Type, dst, src []byte, max int) ([]byte, error) {
	if max <= 0 {
		max = DefaultMax
	}
	max = min(max, maxMax)
	if t == None {
		if len(src) > max {
			return dst, tooLarge(t, max)
		}
		return append(dst, src...), nil
	}
	c, ok := r.Codec(t)
	if !ok {
		return dst, &Error{Codec: t, Reason: ErrUnknownCodec}
	}
	out, err := c.Decompress(dst, src, max)
	if err == nil && len(out)-len(dst) > max {
		err = tooLarge(t, max)
	}
	if err != nil {
		return dst, typed(t, err)
	}
	return out, nil
}

// typed wraps what a codec of the user's own returned; ours are typed already.
func typed(t Type, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return corrupt(t, err)
}
