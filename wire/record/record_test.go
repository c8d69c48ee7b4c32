package record

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire/compress"
)

// Reading and writing records allocates nothing per record.
func TestNoAllocationPerRecord(t *testing.T) {
	data := benchBatch(true)
	require.Zero(t, testing.AllocsPerRun(20, func() { sink += decodeAll(t, data) }))
	require.Zero(t, testing.AllocsPerRun(20, func() { sink += rangeAll(t, data) }))
	require.Zero(t, testing.AllocsPerRun(20, func() { sink += sumHeaders(t, data) }))

	records := []Record{benchRecord(1, true), benchRecord(2, false)}
	buf := make([]byte, 0, 1<<12)
	require.Zero(t, testing.AllocsPerRun(20, func() {
		for i := range records {
			buf = Append(buf[:0], 5, int32(i), &records[i])
		}
	}))

	var old []byte
	for i := range int64(100) {
		old = appendKmsg(old, 1, i, 0, t0, nil, []byte("value"))
	}
	require.Zero(t, testing.AllocsPerRun(20, func() { sink += decodeAll(t, old) }))
}

func sumHeaders(t *testing.T, data []byte) (n int) {
	records := openBench(t, data)
	var r Record
	for records.Next(&r) {
		for k, v := range r.Headers.All() {
			n += len(k) + len(v)
		}
	}
	return n
}

func TestOpenIntoReusesTheBuffer(t *testing.T) {
	codecs := compress.NewRegistry()
	b := oneBatch(t, golden(t, "v2-lz4"))
	_, buf, err := b.OpenInto(nil, codecs, 0)
	require.NoError(t, err)
	records, again, err := b.OpenInto(buf, codecs, 0)
	require.NoError(t, err)
	require.Same(t, &buf[0], &again[0])
	var r Record
	n := 0
	for records.Next(&r) {
		n++
	}
	require.NoError(t, records.Err())
	require.Equal(t, 5, n)
}

func TestAllFillsInWhereFrom(t *testing.T) {
	b := oneBatch(t, golden(t, "v2-none"))
	records, err := b.Open(nil, 0)
	require.NoError(t, err)
	records.Topic, records.Partition = "orders", 3
	copied := records
	var offsets []int64
	for r := range records.All() {
		require.Equal(t, "orders", r.Topic)
		require.Equal(t, int32(3), r.Partition)
		offsets = append(offsets, r.Offset)
		if len(offsets) == 3 {
			break
		}
	}
	for r := range records.All() {
		offsets = append(offsets, r.Offset)
	}
	require.Equal(t, []int64{1000, 1001, 1002, 1005, 1006}, offsets, "a second loop goes on where the first ended")
	require.NoError(t, records.Err())
	n := 0
	for range copied.All() {
		n++
	}
	require.Equal(t, 5, n, "a copy walks by itself")
}

// Appending to what a record hands out does not write into its neighbours.
func TestFieldsAreClipped(t *testing.T) {
	data := golden(t, "v2-none")
	before := bytes.Clone(data)
	b := oneBatch(t, data)
	records, err := b.Open(nil, 0)
	require.NoError(t, err)
	for r := range records.All() {
		_ = append(r.Key, "overwritten"...)
		_ = append(r.Value, "overwritten"...)
		for _, v := range r.Headers.All() {
			_ = append(v, "overwritten"...)
		}
		r.Headers.Add("more", []byte("overwritten"))
	}
	_ = append(b.Bytes(), 1)
	require.Equal(t, before, data)
}

func TestClone(t *testing.T) {
	data := golden(t, "v2-none")
	b := oneBatch(t, data)
	records, err := b.Open(nil, 0)
	require.NoError(t, err)
	var clones []Record
	for r := range records.All() {
		clones = append(clones, r.Clone())
	}
	clear(data)
	require.Equal(t, goldenRecords("v2-none"), plainAll(clones))
	_ = append(clones[0].Key, "xx"...)
	require.Equal(t, "value-0", string(clones[0].Value))
}

func TestTime(t *testing.T) {
	require.Equal(t, time.UnixMilli(t0), (&Record{Timestamp: t0}).Time())
	require.True(t, (&Record{Timestamp: NoTimestamp}).Time().IsZero())
}

func TestHeaders(t *testing.T) {
	var none Headers
	require.Zero(t, none.Len())
	_, ok := none.Get("a")
	require.False(t, ok)

	h := HeadersOf(Header{"a", []byte("1")}, Header{"b", nil}, Header{"", []byte{}})
	shared := h
	h.Add("a", []byte("2"))
	require.Equal(t, 4, h.Len())
	require.Equal(t, 3, shared.Len())
	v, ok := h.Get("a")
	require.True(t, ok)
	require.Equal(t, "2", string(v), "the last one counts")
	v, ok = shared.Get("a")
	require.True(t, ok)
	require.Equal(t, "1", string(v))
	v, ok = h.Get("b")
	require.True(t, ok)
	require.Nil(t, v)
	v, ok = h.Get("")
	require.True(t, ok)
	require.NotNil(t, v)
	require.Empty(t, v)
	for k := range h.All() {
		require.Equal(t, "a", k)
		break
	}
	none.Add("x", nil)
	require.Equal(t, HeadersOf(Header{Key: "x"}), none)
}

func TestVarints(t *testing.T) {
	for _, v := range []int64{0, -1, 1, 63, -64, 64, -65, 8191, 8192, 1 << 20, -1 << 31, 1<<63 - 1, -1 << 63} {
		b := appendVarint([]byte{9}, v)
		require.Len(t, b[1:], varintSize(v))
		got, i := readVarint(b, 1)
		require.Equal(t, v, got)
		require.Equal(t, len(b), i)
		put := make([]byte, len(b))
		require.Equal(t, len(b), putVarint(put, 1, v))
		require.Equal(t, b[1:], put[1:])
		for cut := 1; cut < len(b); cut++ {
			_, i := readVarint(b[:cut], 1)
			require.Equal(t, noIndex, i)
		}
	}
	_, i := readVarint(bytes.Repeat([]byte{0x80}, 11), 0)
	require.Equal(t, noIndex, i)
}

func TestEmptyBatchWithACodec(t *testing.T) {
	h := NewBatchHeader()
	h.Attributes = Attributes(compress.Zstd)
	h.LastOffsetDelta = 4
	var head [HeaderSize]byte
	PutHeader(&head, &h)
	got, err := readAll(nil, head[:])
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestPutHeaderOverChunks(t *testing.T) {
	h := NewBatchHeader()
	body := []byte("0123456789")
	var one, many [HeaderSize]byte
	PutHeader(&one, &h, body)
	PutHeader(&many, &h, body[:3], nil, body[3:9], body[9:])
	require.Equal(t, one, many)
}

func TestDeleteHorizon(t *testing.T) {
	h := BatchHeader{BaseTimestamp: 5}
	_, ok := h.DeleteHorizon()
	require.False(t, ok)
	h.Attributes |= AttrDeleteHorizon
	ms, ok := h.DeleteHorizon()
	require.True(t, ok)
	require.Equal(t, int64(5), ms)
}
