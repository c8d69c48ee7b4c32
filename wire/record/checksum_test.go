package record

import (
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCombineIsTheSumOfBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "first")
		b := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "second")
		whole := crc32.Checksum(append(append([]byte{}, a...), b...), castagnoli)
		require.Equal(t, whole, combine(crc32.Checksum(a, castagnoli), crc32.Checksum(b, castagnoli), len(b)))
	})
}

func TestCombineOverManyBytes(t *testing.T) {
	a, b := []byte("header"), make([]byte, 40<<20)
	for i := range b {
		b[i] = byte(i * 7)
	}
	whole := crc32.Update(crc32.Checksum(a, castagnoli), castagnoli, b)
	require.Equal(t, whole, combine(crc32.Checksum(a, castagnoli), crc32.Checksum(b, castagnoli), len(b)))
}

func TestPutHeaderSumIsPutHeader(t *testing.T) {
	h := NewBatchHeader()
	h.Count, h.LastOffsetDelta, h.BaseTimestamp, h.MaxTimestamp = 3, 2, 1, 5
	chunks := [][]byte{[]byte("some"), {}, []byte("record bytes")}
	var want, got [HeaderSize]byte
	PutHeader(&want, &h, chunks...)
	var sum Sum
	for _, c := range chunks {
		sum.Add(c)
	}
	PutHeaderSum(&got, &h, sum)
	require.Equal(t, want, got)
}
