package compress

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
)

// What other implementations write, we read, and the reverse.

func TestSnappyFramings(t *testing.T) {
	r := NewRegistry()
	for name, data := range samples() {
		got, err := r.Decompress(Snappy, nil, s2.EncodeSnappy(nil, data), 2<<20)
		require.NoError(t, err, "bare block, %s", name)
		require.True(t, bytes.Equal(data, got))

		framed, err := r.Compress(Snappy, nil, data, 0)
		require.NoError(t, err)
		require.Equal(t, xerialMagic, string(framed[:8]))
		twice, err := r.Decompress(Snappy, nil, append(framed, framed...), 3<<20)
		require.NoError(t, err, "two streams joined, %s", name)
		require.True(t, bytes.Equal(append(data[:len(data):len(data)], data...), twice))
	}
}

func TestLZ4FramesOfOthers(t *testing.T) {
	r := NewRegistry()
	options := map[string][]lz4.Option{
		"plain":          nil,
		"checksums":      {lz4.BlockChecksumOption(true), lz4.ChecksumOption(true)},
		"small blocks":   {lz4.BlockSizeOption(lz4.Block64Kb)},
		"big blocks":     {lz4.BlockSizeOption(lz4.Block4Mb), lz4.ChecksumOption(false)},
		"high":           {lz4.CompressionLevelOption(lz4.Level9)},
		"block checksum": {lz4.BlockChecksumOption(true), lz4.ChecksumOption(false)},
	}
	for name, opts := range options {
		for sample, data := range samples() {
			var buf bytes.Buffer
			w := lz4.NewWriter(&buf)
			require.NoError(t, w.Apply(append(opts, lz4.SizeOption(uint64(len(data))))...))
			_, err := w.Write(data)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			if buf.Len() == 0 {
				continue
			}
			got, err := r.Decompress(LZ4, nil, buf.Bytes(), 2<<20)
			require.NoError(t, err, "%s, %s", name, sample)
			require.True(t, bytes.Equal(data, got), "%s, %s", name, sample)
		}
	}
}

func TestLZ4OthersReadOurs(t *testing.T) {
	r := NewRegistry()
	for name, data := range samples() {
		packed, err := r.Compress(LZ4, nil, data, 0)
		require.NoError(t, err)
		got, err := io.ReadAll(lz4.NewReader(bytes.NewReader(packed)))
		require.NoError(t, err, name)
		require.True(t, bytes.Equal(data, got), name)
	}
}

// KIP-57: in format v0 the header's checksum is over the magic number too.
func TestLZ4HeaderChecksums(t *testing.T) {
	r := NewRegistry()
	right, err := r.Compress(LZ4, nil, []byte("data"), 0)
	require.NoError(t, err)
	broken, err := r.CompressLegacy(LZ4, nil, []byte("data"), 0)
	require.NoError(t, err)
	require.Equal(t, byte(0x82), right[6], "as the lz4 tool has it for these flags")
	require.Equal(t, byte(xxhash32(broken[:6])>>8), broken[6])
	require.NotEqual(t, right[6], broken[6])
	require.Equal(t, right[7:], broken[7:])
	for _, packed := range [][]byte{right, broken} {
		got, err := r.Decompress(LZ4, nil, packed, 0)
		require.NoError(t, err)
		require.Equal(t, "data", string(got))
	}
	right[6]++
	_, err = r.Decompress(LZ4, nil, right, 0)
	require.ErrorIs(t, err, ErrCorrupt)
}

// Blocks that refer to the block before, as the lz4 tool makes them with -BD.
func TestLZ4LinkedBlocks(t *testing.T) {
	b := binary.LittleEndian.AppendUint32(nil, lz4Magic)
	b = append(b, lz4FlagVersion, lz4Block64K)
	b = append(b, lz4HeaderChecksum(b[4:]))
	first := append([]byte{0xd0}, "thirteen byte"...)
	second := []byte{0x0f, 13, 0, 3, 0x50, 'm', 'o', 'l', 'd', 'a'} // 22 bytes from 13 back
	for _, block := range [][]byte{first, second} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(block)))
		b = append(b, block...)
	}
	b = binary.LittleEndian.AppendUint32(b, 0)
	got, err := NewRegistry().Decompress(LZ4, []byte("not part of the frame"), b, 100)
	require.NoError(t, err)
	require.Equal(t, "not part of the frame"+"thirteen byte"+"thirteen bytethirteen "+"molda", string(got))
}

func TestLZ4ChecksumsAreChecked(t *testing.T) {
	for _, option := range []lz4.Option{lz4.ChecksumOption(true), lz4.BlockChecksumOption(true)} {
		var buf bytes.Buffer
		w := lz4.NewWriter(&buf)
		require.NoError(t, w.Apply(lz4.ChecksumOption(false), option))
		_, err := w.Write([]byte("some bytes that are stored as they are"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		data := buf.Bytes()
		data[15] ^= 1
		_, err = NewRegistry().Decompress(LZ4, nil, data, 0)
		require.ErrorIs(t, err, ErrCorrupt)
		require.ErrorContains(t, err, "checksum")
	}
}

func TestXXHash32(t *testing.T) {
	require.Equal(t, uint32(0x02cc5d05), xxhash32(nil))
	require.Equal(t, uint32(0x550d7456), xxhash32([]byte("a")))
	require.Equal(t, uint32(0x32d153ff), xxhash32([]byte("abc")))
}

func TestZstdFramesOfOthers(t *testing.T) {
	r := NewRegistry()
	for name, data := range samples() {
		var stream bytes.Buffer // no content size, with checksum: as Java writes
		w, err := zstd.NewWriter(&stream, zstd.WithEncoderConcurrency(1))
		require.NoError(t, err)
		for part := data; len(part) > 0; {
			n := min(len(part), 5000)
			_, err = w.Write(part[:n])
			require.NoError(t, err)
			part = part[n:]
		}
		require.NoError(t, w.Close())
		whole, err := r.Compress(Zstd, nil, data, 0) // with content size
		require.NoError(t, err)
		skippable := []byte{0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3}

		frames := append(append(append([]byte{}, stream.Bytes()...), skippable...), whole...)
		got, err := r.Decompress(Zstd, nil, frames, 3<<20)
		require.NoError(t, err, name)
		require.True(t, bytes.Equal(append(data[:len(data):len(data)], data...), got), name)
	}
}

func TestGzipMembers(t *testing.T) {
	var buf bytes.Buffer
	for _, s := range []string{"one ", "two"} {
		w := gzip.NewWriter(&buf)
		_, err := w.Write([]byte(s))
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	got, err := NewRegistry().Decompress(Gzip, nil, buf.Bytes(), 7)
	require.NoError(t, err)
	require.Equal(t, "one two", string(got))
}
