package compress

import (
	"bytes"
	"testing"
)

// FuzzDecompress feeds any bytes to each codec: no panic, the cap holds, and what
// comes out can be compressed and decompressed again.
func FuzzDecompress(f *testing.F) {
	r := NewRegistry()
	for _, codec := range kafkaCodecs[1:] {
		for _, data := range [][]byte{nil, []byte("a few bytes"), bytes.Repeat([]byte("repeats "), 100)} {
			packed, err := r.Compress(codec, nil, data, 0)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(int8(codec), packed)
		}
	}
	f.Add(int8(Zstd), zstdBomb(3))
	f.Add(int8(LZ4), lz4ClaimsSize(1<<40))
	f.Add(int8(Snappy), snappyBlocks(1<<20, 3))
	f.Fuzz(func(t *testing.T, codec int8, data []byte) {
		const limit = 1 << 18
		got, err := r.Decompress(Type(codec), nil, data, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes past a cap of %d", len(got), limit)
		}
		if err != nil {
			return
		}
		packed, err := r.Compress(Type(codec), nil, got, 0)
		if err != nil {
			t.Fatal(err)
		}
		again, err := r.Decompress(Type(codec), nil, packed, limit)
		if err != nil || !bytes.Equal(got, again) {
			t.Fatalf("%d bytes became %d: %v", len(got), len(again), err)
		}
	})
}
