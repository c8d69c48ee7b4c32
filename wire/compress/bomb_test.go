package compress

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// zstdBomb is n blocks of one byte each that stand for 128 KiB.
func zstdBomb(n int) []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58} // no content size, a window of 2 MiB
	for i := range n {
		head := uint32(zstdMaxBlock)<<3 | zstdBlockRLE<<1
		if i == n-1 {
			head |= 1
		}
		b = append(b, byte(head), byte(head>>8), byte(head>>16), 0)
	}
	return b
}

// zstdCompressedBomb is zeros as an encoder packs them, without a content size.
func zstdCompressedBomb(t *testing.T, size int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := zstd.NewWriter(&buf, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	pattern := bytes.Repeat([]byte("ab"), 1<<16)
	for range size / len(pattern) {
		_, err = w.Write(pattern)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// lz4Bomb is a frame of n blocks of 4 MiB of zeros.
func lz4Bomb(n int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, lz4Magic)
	b = append(b, lz4FlagVersion|lz4FlagIndependent, 7<<4)
	b = append(b, lz4HeaderChecksum(b[4:]))
	const extra = (4<<20 - 1 - 4 - 15 - 5) / 255
	block := append([]byte{0x1f, 0, 1, 0}, bytes.Repeat([]byte{0xff}, extra)...)
	block = append(block, 0, 0x50, 0, 0, 0, 0, 0)
	for range n {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(block)))
		b = append(b, block...)
	}
	return binary.LittleEndian.AppendUint32(b, 0)
}

func gzipBomb(t *testing.T, size int) []byte {
	t.Helper()
	packed, err := NewRegistry().Compress(Gzip, nil, make([]byte, size), 9)
	require.NoError(t, err)
	return packed
}

func snappyBlocks(claims ...uint64) []byte {
	b := []byte(xerialMagic + "\x00\x00\x00\x01\x00\x00\x00\x01")
	for _, claim := range claims {
		block := binary.AppendUvarint(nil, claim)
		b = binary.BigEndian.AppendUint32(b, uint32(len(block)))
		b = append(b, block...)
	}
	return b
}

func TestBombsAreRefusedInBoundedMemory(t *testing.T) {
	const limit = 1 << 20
	cases := []struct {
		name   string
		codec  Type
		data   []byte
		max    int
		memory uint64
		reason error
	}{
		{"6 bytes of snappy claim 2 GB", Snappy, unhex(t, "ffffffff0700"), limit, 64 << 10, ErrTooLarge},
		{"6 bytes of snappy claim 2 GB, highest cap", Snappy, unhex(t, "ffffffff0700"), math.MaxInt32, 64 << 10, ErrTooLarge},
		{"snappy claims 100 MB below the default cap", Snappy, append(binary.AppendUvarint(nil, 100<<20), 0, 0), 0, 64 << 10, ErrCorrupt},
		{"framed snappy claims 2 GB", Snappy, snappyBlocks(1<<31 - 1), limit, 64 << 10, ErrTooLarge},
		{"framed snappy claims 2 GB in many blocks", Snappy, snappyBlocks(1<<20, 1<<20, 1<<31), limit, 64 << 10, ErrCorrupt},
		{"snappy block size beyond the data", Snappy, unhex(t, "82534e4150505900000000010000000180000000"), limit, 64 << 10, ErrCorrupt},
		{"8 KB of zstd for 256 MB", Zstd, zstdBomb(2047), limit, 64 << 10, ErrTooLarge},
		{"8 KB of zstd, default cap", Zstd, zstdBomb(2047), 0, 64 << 10, ErrTooLarge},
		{"zstd claims 2 GB", Zstd, unhex(t, "28b52ffda000000080010000"), limit, 64 << 10, ErrCorrupt},
		{"zstd of 16 MB of two letters in compressed blocks", Zstd, zstdCompressedBomb(t, 16<<20), limit, 24 * limit, ErrTooLarge},
		{"zstd claims 100 MB below the default cap", Zstd, unhex(t, "28b52ffda000004006010000"), 0, 8 << 20, ErrCorrupt},
		{"zstd window of 2 TB", Zstd, unhex(t, "28b52ffd00f8010000"), limit, 8 << 20, ErrCorrupt},
		{"gzip of 16 MB of zeros", Gzip, gzipBomb(t, 16<<20), limit, 8 * limit, ErrTooLarge},
		{"lz4 of 16 MB of zeros", LZ4, lz4Bomb(4), limit, 4 * limit, ErrTooLarge},
		{"lz4 claims 2 EB", LZ4, lz4ClaimsSize(1 << 61), limit, 64 << 10, ErrTooLarge},
		{"lz4 block of 2 GB", LZ4, append(lz4Bomb(0)[:7], 0xff, 0xff, 0xff, 0x7f), limit, 64 << 10, ErrCorrupt},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := NewRegistry()
			var got []byte
			var err error
			used := allocated(func() { got, err = r.Decompress(c.codec, nil, c.data, c.max) })
			require.ErrorIs(t, err, c.reason)
			require.Empty(t, got)
			require.LessOrEqual(t, used, c.memory, "bytes allocated")
		})
	}
}

func lz4ClaimsSize(size uint64) []byte {
	b := binary.LittleEndian.AppendUint32(nil, lz4Magic)
	b = append(b, lz4FlagVersion|lz4FlagIndependent|lz4FlagContentSize, lz4Block64K)
	b = binary.LittleEndian.AppendUint64(b, size)
	b = append(b, lz4HeaderChecksum(b[4:]))
	return binary.LittleEndian.AppendUint32(b, 0)
}

// The highest cap there is does not upset the arithmetic.
func TestHugeCap(t *testing.T) {
	r := NewRegistry()
	for _, codec := range kafkaCodecs {
		packed, err := r.Compress(codec, nil, []byte("small"), 0)
		require.NoError(t, err)
		got, err := r.Decompress(codec, []byte("a "), packed, math.MaxInt)
		require.NoError(t, err)
		require.Equal(t, "a small", string(got))
		require.Less(t, cap(got), 1<<20)
	}
}

// The bombs are real: with room they go off.
func TestBombsAreWellFormed(t *testing.T) {
	r := NewRegistry()
	got, err := r.Decompress(Zstd, nil, zstdBomb(64), 1<<23)
	require.NoError(t, err)
	require.Len(t, got, 64*zstdMaxBlock)
	got, err = r.Decompress(LZ4, nil, lz4Bomb(2), 8<<20)
	require.NoError(t, err)
	require.Greater(t, len(got), 7<<20)
}
