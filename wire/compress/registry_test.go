package compress

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// flipCodec inverts bits.
type flipCodec struct{ broken error }

func (c flipCodec) Compress(dst, src []byte, _ int) ([]byte, error) {
	for _, b := range src {
		dst = append(dst, ^b)
	}
	return dst, c.broken
}

func (c flipCodec) Decompress(dst, src []byte, _ int) ([]byte, error) {
	return c.Compress(dst, src, 0)
}

func TestRegisterReplacesAndAdds(t *testing.T) {
	r := NewRegistry()
	for _, id := range []Type{Gzip, 5, 7} {
		require.NoError(t, r.Register(id, flipCodec{}))
		packed, err := r.Compress(id, nil, []byte{0x0f}, 0)
		require.NoError(t, err)
		require.Equal(t, []byte{0xf0}, packed)
		got, err := r.Decompress(id, nil, packed, 0)
		require.NoError(t, err)
		require.Equal(t, []byte{0x0f}, got)
	}
	c, ok := r.Codec(5)
	require.True(t, ok)
	require.Equal(t, flipCodec{}, c)
	other := NewRegistry()
	_, ok = other.Codec(5)
	require.False(t, ok, "registries share nothing")
}

func TestRegisterRefusesOtherIDs(t *testing.T) {
	r := NewRegistry()
	for _, id := range []Type{-1, None, 8, 127} {
		require.Error(t, r.Register(id, flipCodec{}))
	}
}

func TestUnknownCodec(t *testing.T) {
	r := NewRegistry()
	require.NoError(t, r.Register(Zstd, nil))
	for _, r := range []*Registry{r, {}, nil} {
		_, err := r.Decompress(Zstd, nil, []byte("x"), 0)
		require.ErrorIs(t, err, ErrUnknownCodec)
		require.ErrorContains(t, err, "zstd: no codec is registered; register one")
		_, err = r.Compress(Zstd, nil, []byte("x"), 0)
		require.ErrorIs(t, err, ErrUnknownCodec)
		_, err = r.CompressLegacy(Zstd, nil, []byte("x"), 0)
		require.ErrorIs(t, err, ErrUnknownCodec)
		got, err := r.Decompress(None, nil, []byte("x"), 0)
		require.NoError(t, err, "None always works")
		require.Equal(t, "x", string(got))
	}
}

// A user's codec is held to the cap and its errors are typed.
func TestForeignCodecs(t *testing.T) {
	r := NewRegistry()
	require.NoError(t, r.Register(6, flipCodec{}))
	_, err := r.Decompress(6, nil, make([]byte, 11), 10)
	require.ErrorIs(t, err, ErrTooLarge)

	cause := errors.New("no luck")
	require.NoError(t, r.Register(6, flipCodec{broken: cause}))
	got, err := r.Decompress(6, []byte("dst"), []byte("x"), 10)
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, err, ErrCorrupt)
	require.Equal(t, "dst", string(got))
	got, err = r.Compress(6, []byte("dst"), []byte("x"), 0)
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, err, ErrFailed)
	require.Equal(t, "dst", string(got))
}

func TestConcurrentUse(t *testing.T) {
	r := NewRegistry()
	data := bytes.Repeat([]byte("concurrent "), 2000)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 40 {
				codec := kafkaCodecs[(worker+i)%len(kafkaCodecs)]
				packed, err := r.Compress(codec, nil, data, i%4)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := r.Decompress(codec, nil, packed, 1<<20)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%v: %d bytes, %v", codec, len(got), err)
				}
				if err := r.Register(5, flipCodec{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestTypeNames(t *testing.T) {
	require.Equal(t, "none gzip snappy lz4 zstd codec 6", None.String()+" "+Gzip.String()+" "+Snappy.String()+" "+LZ4.String()+" "+Zstd.String()+" "+Type(6).String())
}
