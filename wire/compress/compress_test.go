package compress

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var kafkaCodecs = []Type{None, Gzip, Snappy, LZ4, Zstd}

// samples are inputs of every size class, easy and hard to compress.
func samples() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	return map[string][]byte{
		"empty":   {},
		"byte":    {42},
		"text":    []byte("the quick brown fox jumps over the lazy dog"),
		"repeats": []byte(strings.Repeat("moldau ", 50_000)),
		"zeros":   make([]byte, 1<<20),
		"noise":   noise,
		"mixed":   append(bytes.Repeat([]byte("abc"), 40_000), noise[:100_000]...),
		"block":   noise[:64<<10],
		"block+1": noise[:64<<10+1],
	}
}

func TestRoundTripsWithEveryLevel(t *testing.T) {
	r := NewRegistry()
	for _, codec := range kafkaCodecs {
		for name, data := range samples() {
			for _, level := range []int{-5, 0, 1, 3, 6, 9, 12, 22, 100} {
				packed, err := r.Compress(codec, []byte("before"), data, level)
				require.NoError(t, err)
				require.Equal(t, "before", string(packed[:6]))
				got, err := r.Decompress(codec, []byte("ahead"), packed[6:], len(data)+1)
				require.NoError(t, err, "%v %s level %d", codec, name, level)
				require.Equal(t, "ahead", string(got[:5]))
				require.True(t, bytes.Equal(data, got[5:]), "%v %s level %d", codec, name, level)
				if len(data) < 100_000 || testing.Short() {
					continue
				}
				break // one level is enough for what is big
			}
		}
	}
}

func TestLevelsMakeADifference(t *testing.T) {
	r := NewRegistry()
	random := rand.New(rand.NewPCG(3, 4))
	words := strings.Fields("order customer amount paid shipped returned Praha Brno Plzen river bridge stone and the of in to with from")
	var b strings.Builder
	for range 60_000 {
		b.WriteString(words[min(random.IntN(len(words)), random.IntN(len(words)))])
		b.WriteByte(' ')
	}
	for _, codec := range []Type{Gzip, LZ4, Zstd} {
		low, err := r.Compress(codec, nil, []byte(b.String()), 1)
		require.NoError(t, err)
		high, err := r.Compress(codec, nil, []byte(b.String()), 19)
		require.NoError(t, err)
		require.Less(t, len(high), len(low), codec)
	}
}

func TestRoundTripProperty(t *testing.T) {
	r := NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		codec := rapid.SampledFrom(kafkaCodecs).Draw(t, "codec")
		unit := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "unit")
		data := bytes.Repeat(unit, rapid.IntRange(0, 5000).Draw(t, "times"))
		level := rapid.IntRange(-1, 12).Draw(t, "level")
		compressed := r.Compress
		if rapid.Bool().Draw(t, "legacy") {
			compressed = r.CompressLegacy
		}
		packed, err := compressed(codec, nil, data, level)
		require.NoError(t, err)
		got, err := r.Decompress(codec, nil, packed, max(len(data), 1))
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
	})
}

// The cap is exact: what fits passes, one byte more does not.
func TestCapIsExact(t *testing.T) {
	r := NewRegistry()
	for _, codec := range kafkaCodecs {
		for name, data := range samples() {
			if len(data) < 2 {
				continue
			}
			packed, err := r.Compress(codec, nil, data, 0)
			require.NoError(t, err)
			got, err := r.Decompress(codec, nil, packed, len(data))
			require.NoError(t, err, "%v %s", codec, name)
			require.Len(t, got, len(data))
			got, err = r.Decompress(codec, []byte("x"), packed, len(data)-1)
			require.ErrorIs(t, err, ErrTooLarge, "%v %s", codec, name)
			require.Equal(t, "x", string(got), "dst comes back as it was")
		}
	}
}

// Damage is found, or at least stays inside the cap; it never panics.
func TestDamagedDataProperty(t *testing.T) {
	r := NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		codec := rapid.SampledFrom(kafkaCodecs[1:]).Draw(t, "codec")
		data := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "unit"), rapid.IntRange(1, 3000).Draw(t, "times"))
		packed, err := r.Compress(codec, nil, data, 0)
		require.NoError(t, err)
		for range rapid.IntRange(1, 4).Draw(t, "flips") {
			packed[rapid.IntRange(0, len(packed)-1).Draw(t, "at")] ^= rapid.ByteRange(1, 255).Draw(t, "bits")
		}
		packed = packed[:rapid.IntRange(0, len(packed)).Draw(t, "length")]
		const limit = 1 << 18
		got, err := r.Decompress(codec, nil, packed, limit)
		require.LessOrEqual(t, len(got), limit)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, codec, e.Codec)
			require.Empty(t, got)
		}
	})
}

func TestGarbageIsCorrupt(t *testing.T) {
	r := NewRegistry()
	for _, codec := range kafkaCodecs[1:] {
		_, err := r.Decompress(codec, nil, bytes.Repeat([]byte{0xff}, 100), 0)
		require.ErrorIs(t, err, ErrCorrupt, codec)
		require.ErrorContains(t, err, codec.String())
	}
}
