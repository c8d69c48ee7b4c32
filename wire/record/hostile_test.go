package record

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire/compress"
)

// rawRecord is a v2 record of varints, written by the field so that each can lie.
type rawRecord struct {
	length, timeDelta, offsetDelta, keyLength int64
	key                                       string
	valueLength                               int64
	value                                     string
	headerCount                               int64
	headers                                   string
}

func (r rawRecord) encode() []byte {
	b := []byte{0}
	b = appendVarint(b, r.timeDelta)
	b = appendVarint(b, r.offsetDelta)
	b = append(appendVarint(b, r.keyLength), r.key...)
	b = append(appendVarint(b, r.valueLength), r.value...)
	b = append(appendVarint(b, r.headerCount), r.headers...)
	if r.length == 0 {
		r.length = int64(len(b))
	}
	return append(appendVarint(nil, r.length), b...)
}

// goodRecord is one that can be read; hostile tests change one thing in it.
func goodRecord() rawRecord {
	return rawRecord{keyLength: 1, key: "k", valueLength: 2, value: "vv", headerCount: 1, headers: "\x02h\x02v"}
}

func batchAround(body []byte, count, last int32) []byte {
	h := NewBatchHeader()
	h.BaseOffset, h.Count, h.LastOffsetDelta = 70, count, last
	var head [HeaderSize]byte
	PutHeader(&head, &h, body)
	return append(head[:], body...)
}

// A broken record under a valid checksum ends the iteration with a typed error; what
// was before it is delivered.
func TestBrokenRecords(t *testing.T) {
	cases := map[string]func(*rawRecord){
		"length too long":        func(r *rawRecord) { r.length = 100 },
		"length huge":            func(r *rawRecord) { r.length = math.MaxInt64 },
		"length negative":        func(r *rawRecord) { r.length = -1 },
		"length too short":       func(r *rawRecord) { r.length = 6 },
		"offset negative":        func(r *rawRecord) { r.offsetDelta = -1 },
		"offset past the batch":  func(r *rawRecord) { r.offsetDelta = 2 },
		"offset huge":            func(r *rawRecord) { r.offsetDelta = math.MaxInt64 },
		"key too long":           func(r *rawRecord) { r.keyLength = 50 },
		"key huge":               func(r *rawRecord) { r.keyLength = math.MaxInt64 },
		"key below null":         func(r *rawRecord) { r.keyLength = -2 },
		"key lowest":             func(r *rawRecord) { r.keyLength = math.MinInt64 },
		"value too long":         func(r *rawRecord) { r.valueLength = 8 },
		"value huge":             func(r *rawRecord) { r.valueLength = math.MaxInt64 },
		"value below null":       func(r *rawRecord) { r.valueLength = -2 },
		"value too short":        func(r *rawRecord) { r.valueLength = 1 },
		"headers negative":       func(r *rawRecord) { r.headerCount = -1 },
		"headers too many":       func(r *rawRecord) { r.headerCount = 2 },
		"headers too few":        func(r *rawRecord) { r.headerCount = 0 },
		"headers huge":           func(r *rawRecord) { r.headerCount = math.MaxInt64 },
		"header key null":        func(r *rawRecord) { r.headers = "\x01\x02v\x00" },
		"header key too long":    func(r *rawRecord) { r.headers = "\x20h\x02v" },
		"header value too long":  func(r *rawRecord) { r.headers = "\x02h\x20v" },
		"header value negative":  func(r *rawRecord) { r.headers = "\x02h\x03v" },
		"header varint unending": func(r *rawRecord) { r.headers = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" },
		"bytes behind":           func(r *rawRecord) { r.headers += "?" },
		"headers missing":        func(r *rawRecord) { r.headers = "" },
	}
	good := goodRecord().encode()
	for name, breakIt := range cases {
		t.Run(name, func(t *testing.T) {
			r := goodRecord()
			r.offsetDelta = 1
			breakIt(&r)
			data := batchAround(append(bytes.Clone(good), r.encode()...), 2, 1)
			got, err := readAll(nil, data)
			require.ErrorIs(t, err, ErrCorrupt)
			require.ErrorContains(t, err, "malformed records at offset 70: ")
			require.Len(t, got, 1)
			require.Equal(t, "vv", string(got[0].Value))
		})
	}
}

// The iteration stays ended after an error.
func TestRecordsStayEnded(t *testing.T) {
	b := oneBatch(t, batchAround([]byte{1, 2, 3, 4, 5, 6, 7}, 1, 0))
	records, err := b.Open(nil, 0)
	require.NoError(t, err)
	var r Record
	for range 3 {
		require.False(t, records.Next(&r))
		require.ErrorIs(t, records.Err(), ErrCorrupt)
	}
}

func TestBatchCounts(t *testing.T) {
	good := goodRecord().encode()
	cases := []struct {
		name        string
		body        []byte
		count, last int32
		delivered   int
	}{
		{"more than there are", good, 2, 1, 1},
		{"two billion", good, math.MaxInt32, math.MaxInt32, 0},
		{"negative", good, -1, 0, 0},
		{"fewer than there are", append(bytes.Clone(good), good...), 1, 1, 1},
		{"none, but bytes", good, 0, 0, 0},
		{"last offset negative", good, 1, -1, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAll(nil, batchAround(c.body, c.count, c.last))
			require.ErrorIs(t, err, ErrCorrupt)
			require.Len(t, got, c.delivered)
		})
	}
}

// Every cut of every good file is a partial tail: no error, no record of the cut one.
func TestPartialTail(t *testing.T) {
	for _, name := range []string{"v0-none", "v1-gzip", "v2-none"} {
		whole := golden(t, name)
		first, _, _ := entrySize(whole)
		for cut := range first {
			data := append(bytes.Clone(whole), whole[:cut]...)
			batches := NewBatches(data)
			var b Batch
			total := 0
			for batches.Next(&b) {
				total += len(b.Bytes())
			}
			require.NoError(t, batches.Err())
			require.Equal(t, len(whole), total)
			have, need := batches.Partial()
			require.Equal(t, cut, have)
			if cut >= 12 {
				require.Equal(t, first, need)
			} else {
				require.Zero(t, need)
			}
			require.False(t, batches.Next(&b), "it stays at its end")
		}
	}
}

func TestBrokenFraming(t *testing.T) {
	head := func(length int32, magic byte) []byte {
		b := binary.BigEndian.AppendUint64(nil, 5)
		b = binary.BigEndian.AppendUint32(b, uint32(length))
		b = append(b, 0, 0, 0, 0, magic)
		return append(b, make([]byte, 100)...)
	}
	cases := []struct {
		name   string
		data   []byte
		reason error
	}{
		{"length -1", head(-1, 2), ErrCorrupt},
		{"length 0", head(0, 2), ErrCorrupt},
		{"v2 too short", head(48, 2), ErrCorrupt},
		{"v1 too short", head(21, 1), ErrCorrupt},
		{"v0 too short", head(13, 0), ErrCorrupt},
		{"magic 3", head(60, 3), ErrUnsupportedFormat},
		{"magic -1", head(60, 255), ErrUnsupportedFormat},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			batches := NewBatches(c.data)
			var b Batch
			require.False(t, batches.Next(&b))
			require.ErrorIs(t, batches.Err(), c.reason)
			require.ErrorContains(t, batches.Err(), "offset 5")
			have, need := batches.Partial()
			require.Zero(t, have+need)
		})
	}
	batches := NewBatches(head(math.MaxInt32, 2))
	require.False(t, batches.Next(new(Batch)), "2 GB are not there yet")
	require.NoError(t, batches.Err())
	_, need := batches.Partial()
	require.EqualValues(t, int64(math.MaxInt32)+12, need)
}

// Any changed byte behind the checksum is found, in each format.
func TestChecksums(t *testing.T) {
	codecs := compress.NewRegistry()
	for _, name := range []string{"v0-none", "v0-gzip", "v1-lz4", "v1-none", "v2-none", "v2-zstd", "v2-commit"} {
		data := golden(t, name)
		from := posMessageMagic + 1
		if name[:2] == "v2" {
			from = posAttributes
		}
		first, _, _ := entrySize(data)
		for i := from; i < first; i += 1 + first/300 {
			broken := bytes.Clone(data)
			broken[i] ^= 0x10
			got, err := readAll(codecs, broken)
			require.Error(t, err, "%s byte %d", name, i)
			require.Empty(t, got, "%s byte %d", name, i)
		}
		broken := bytes.Clone(data)
		broken[first-1] ^= 0x10
		_, err := readAll(codecs, broken)
		require.ErrorIs(t, err, ErrChecksum)
	}
}

// In a run of old messages those before a damaged one are delivered.
func TestOldRunWithDamage(t *testing.T) {
	data := golden(t, "v1-none")
	batches := NewBatches(data)
	var b Batch
	require.True(t, batches.Next(&b))
	require.Equal(t, int32(5), b.Count)
	require.Equal(t, int64(t0+20), b.MaxTimestamp)
	data[len(data)-1] ^= 1
	got, err := readAll(nil, data)
	require.ErrorIs(t, err, ErrChecksum)
	require.ErrorContains(t, err, "offset 1006")
	require.Len(t, got, 4)
}

func wrapped(t *testing.T, codecs *compress.Registry, magic int8, offset int64, set []byte) []byte {
	t.Helper()
	packed, err := codecs.Compress(compress.Gzip, nil, set, 0)
	require.NoError(t, err)
	return appendKmsg(nil, magic, offset, int8(compress.Gzip), t0, nil, packed)
}

func TestBrokenWrappers(t *testing.T) {
	codecs := compress.NewRegistry()
	v0 := appendKmsg(nil, 0, 3, 0, 0, nil, []byte("a"))
	v1 := appendKmsg(nil, 1, 3, 0, t0, nil, []byte("a"))
	damaged := bytes.Clone(v1)
	damaged[len(damaged)-1] ^= 1
	badLengths := appendKmsg(nil, 1, 3, 0, t0, nil, []byte("a"))
	binary.BigEndian.PutUint32(badLengths[26:], 99)
	binary.BigEndian.PutUint32(badLengths[12:], crc32.ChecksumIEEE(badLengths[16:]))
	cases := []struct {
		name   string
		data   []byte
		reason error
	}{
		{"empty set", wrapped(t, codecs, 1, 9, nil), ErrCorrupt},
		{"cut set", wrapped(t, codecs, 1, 9, v1[:len(v1)-1]), ErrCorrupt},
		{"v0 in v1", wrapped(t, codecs, 1, 9, v0), ErrCorrupt},
		{"v1 in v0", wrapped(t, codecs, 0, 9, v1), ErrCorrupt},
		{"compressed twice", wrapped(t, codecs, 1, 9, wrapped(t, codecs, 1, 3, v1)), ErrCorrupt},
		{"damaged inside", wrapped(t, codecs, 1, 9, damaged), ErrChecksum},
		{"bad lengths inside", wrapped(t, codecs, 1, 9, badLengths), ErrCorrupt},
		{"magic 3 inside", wrapped(t, codecs, 1, 9, append(append([]byte{}, v1[:16]...), append([]byte{3}, v1[17:]...)...)), ErrUnsupportedFormat},
		{"not gzip", appendKmsg(nil, 1, 9, 1, t0, nil, []byte("plain")), compress.ErrCorrupt},
		{"null value", appendKmsg(nil, 1, 9, 1, t0, nil, nil), compress.ErrCorrupt},
		{"unknown codec", appendKmsg(nil, 1, 9, 7, t0, nil, []byte("x")), compress.ErrUnknownCodec},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAll(codecs, c.data)
			require.ErrorIs(t, err, c.reason)
			require.Empty(t, got)
		})
	}
}

// Wrappers that no broker has numbered, as a producer sends them.
func TestWrapperWithoutOffset(t *testing.T) {
	codecs := compress.NewRegistry()
	set := appendKmsg(nil, 1, 0, 0, t0, nil, []byte("a"))
	set = appendKmsg(set, 1, 1, 0, t0, nil, []byte("b"))
	got, err := readAll(codecs, wrapped(t, codecs, 1, 0, set))
	require.NoError(t, err)
	require.Equal(t, []int64{0, 1}, []int64{got[0].Offset, got[1].Offset})
}

// A batch that decompresses to more than the cap, or whose codec is not there, tells so.
func TestDecompressionFails(t *testing.T) {
	codecs := compress.NewRegistry()
	b := oneBatch(t, golden(t, "v2-zstd"))
	_, err := b.Open(codecs, 1000)
	require.ErrorIs(t, err, ErrDecompress)
	require.ErrorIs(t, err, compress.ErrTooLarge)
	require.ErrorContains(t, err, "offset 1000")
	_, err = b.Open(nil, 0)
	require.ErrorIs(t, err, compress.ErrUnknownCodec)
}

// Hostile counts take no memory: reading allocates in proportion to what is there.
func TestHostileCountsTakeNoMemory(t *testing.T) {
	r := goodRecord()
	r.headerCount = math.MaxInt64
	data := batchAround(r.encode(), 1, math.MaxInt32)
	for _, data := range [][]byte{data, batchAround(nil, math.MaxInt32, math.MaxInt32)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readAll(nil, data)
		runtime.ReadMemStats(&after)
		require.Error(t, err)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<10))
	}
}
