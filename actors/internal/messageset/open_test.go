package messageset

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

type aborted = kmsg.FetchResponseTopicPartitionAbortedTransaction

// line is a record as tests compare it.
type line struct {
	Offset    int64
	Timestamp int64
	Key       string
	Value     string
}

// batch is one batch as a broker may store it.
type batch struct {
	base     int64
	offsets  []int64 // of the records that compaction left
	last     int64   // the last offset that it takes up
	codec    compress.Type
	attrs    record.Attributes
	producer int64
	abort    bool // of a control batch: the transaction is aborted
	magic    int8
}

func (b *batch) lines() []line {
	var out []line
	for _, o := range b.offsets {
		l := line{Offset: o, Timestamp: 1000 + o, Key: fmt.Sprint("k", o), Value: fmt.Sprint("value ", o)}
		if b.magic == 0 {
			l.Timestamp = record.NoTimestamp
		}
		out = append(out, l)
	}
	return out
}

func (b *batch) bytes(t require.TestingT, codecs *compress.Registry) []byte {
	h := record.NewBatchHeader()
	h.BaseOffset, h.LastOffsetDelta = b.base, int32(b.last-b.base)
	h.Attributes, h.ProducerID = record.Attributes(b.codec)|b.attrs, b.producer
	h.BaseTimestamp, h.MaxTimestamp, h.Count = 1000+b.base, 1000+b.last, int32(len(b.offsets))
	var body []byte
	if b.attrs.Control() {
		kind := byte(1)
		if b.abort {
			kind = 0
		}
		body = record.Append(nil, 0, 0, &record.Record{Key: []byte{0, 0, 0, kind}, Value: []byte{0, 0, 0, 0, 0, 1}})
		h.Count = 1
	}
	for _, l := range b.lines() {
		body = record.Append(body, l.Timestamp-h.BaseTimestamp, int32(l.Offset-b.base), &record.Record{Key: []byte(l.Key), Value: []byte(l.Value)})
	}
	if b.magic < 2 {
		return b.legacy(t, codecs, &h)
	}
	packed, err := codecs.Compress(b.codec, nil, body, 0)
	require.NoError(t, err)
	var head [record.HeaderSize]byte
	record.PutHeader(&head, &h, packed)
	return append(head[:], packed...)
}

// legacy is a message set of the old formats, numbered as a broker does.
func (b *batch) legacy(t require.TestingT, codecs *compress.Registry, h *record.BatchHeader) []byte {
	var body []byte
	for i, l := range b.lines() {
		body = record.Append(body, max(l.Timestamp, 0)-h.BaseTimestamp, int32(i), &record.Record{Key: []byte(l.Key), Value: []byte(l.Value)})
	}
	h.LastOffsetDelta = int32(len(b.offsets) - 1)
	set, err := record.DownConvert(nil, h, record.Legacy{Magic: b.magic, Codec: b.codec, Codecs: codecs, DropTimestamps: true}, body)
	require.NoError(t, err)
	if b.codec != compress.None {
		putOffset(set, b.last) // a wrapper of v1 has the last one's; what is inside counts from it
		return set
	}
	at := 0
	for _, o := range b.offsets {
		putOffset(set[at:], o)
		at += 12 + int(uint32(set[at+8])<<24|uint32(set[at+9])<<16|uint32(set[at+10])<<8|uint32(set[at+11]))
	}
	require.Equal(t, len(set), at)
	return set
}

func putOffset(m []byte, offset int64) {
	for i := range 8 {
		m[i] = byte(offset >> (56 - 8*i))
	}
}

func drawBatch(t *rapid.T, base int64) *batch {
	b := &batch{base: base, magic: 2, producer: -1, codec: rapid.SampledFrom([]compress.Type{compress.None, compress.None, compress.Gzip, compress.Snappy, compress.LZ4, compress.Zstd}).Draw(t, "codec")}
	n := rapid.Int64Range(1, 8).Draw(t, "offsets")
	b.last = base + n - 1
	switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); kind {
	case 0:
		b.magic = int8(rapid.IntRange(0, 1).Draw(t, "magic"))
		if b.codec == compress.Zstd || b.codec == compress.LZ4 || b.magic == 0 {
			b.codec = compress.None // relative offsets are v1's; the codecs came later
		}
	case 1, 2, 3, 4:
		b.attrs, b.producer = record.AttrTransactional, int64(rapid.IntRange(1, 3).Draw(t, "producer"))
	case 5, 6:
		b.attrs, b.producer = record.AttrTransactional|record.AttrControl, int64(rapid.IntRange(1, 3).Draw(t, "producer"))
		b.abort, b.codec, b.last = rapid.Bool().Draw(t, "abort"), compress.None, base
		return b
	}
	for o := base; o <= b.last; o++ {
		if b.magic < 2 || rapid.IntRange(0, 4).Draw(t, "kept") > 0 {
			b.offsets = append(b.offsets, o)
		}
	}
	return b
}

// transactions says which batches belong to aborted transactions, and what the
// broker would tell of them: told with full knowledge of the log.
func transactions(log []*batch) (dead map[*batch]bool, list []aborted) {
	dead = map[*batch]bool{}
	open := map[int64][]*batch{}
	for _, b := range log {
		if !b.attrs.Transactional() {
			continue
		}
		if !b.attrs.Control() {
			open[b.producer] = append(open[b.producer], b)
			continue
		}
		if parts := open[b.producer]; b.abort && len(parts) > 0 {
			list = append(list, aborted{ProducerID: b.producer, FirstOffset: parts[0].base})
			for _, p := range parts {
				dead[p] = true
			}
		}
		delete(open, b.producer)
	}
	return dead, list
}

func drawLog(t *rapid.T) []*batch {
	var log []*batch
	next := rapid.Int64Range(0, 1000).Draw(t, "first")
	for range rapid.IntRange(1, 8).Draw(t, "batches") {
		b := drawBatch(t, next)
		log = append(log, b)
		next = b.last + 1 + rapid.SampledFrom([]int64{0, 0, 0, 5}).Draw(t, "hole")
	}
	return log
}

// What is opened is, record for record, what a reader with full knowledge of
// the log would hand out, wherever it begins.
func TestOpenGivesWhatIsInTheLog(t *testing.T) {
	codecs := compress.NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		dead, list := transactions(log)
		begin := rapid.IntRange(0, len(log)-1).Draw(t, "begin")
		from := log[begin].base + rapid.Int64Range(0, log[begin].last-log[begin].base).Draw(t, "into")
		var data []byte
		var expect []line
		for _, b := range log[begin:] {
			data = append(data, b.bytes(t, codecs)...)
			for _, l := range b.lines() {
				if !dead[b] && l.Offset >= from {
					expect = append(expect, l)
				}
			}
		}
		list = slices.DeleteFunc(list, func(a aborted) bool { return over(log, a) < from })
		answer := Answer{Topic: "t", Partition: 3, From: from, Data: data, HighWatermark: 5000, LastStable: 4000, Aborted: shuffled(t, list)}
		if rapid.Bool().Draw(t, "scratch") {
			answer.Scratch = func() []byte { return make([]byte, 0, rapid.IntRange(0, 500).Draw(t, "room")) }
		}
		opened, err := Open(answer, codecs, 0)
		require.NoError(t, err)
		end := log[len(log)-1].last + 1
		require.Equal(t, end, opened.Next)
		if len(expect) == 0 {
			require.Nil(t, opened.Set)
			return
		}
		set := opened.Set
		require.Equal(t, expect, linesOf(t, opened))
		require.Equal(t, expect, linesOf(t, opened), "a second time")
		require.Equal(t, []int64{from, end - 1, int64(len(expect)), 5000, 4000}, []int64{set.First(), set.Last(), int64(set.Count()), set.HighWatermark, set.LastStableOffset})
		require.Positive(t, opened.Size)
		if !opened.Aliases {
			clear(data)
			require.Equal(t, expect, linesOf(t, opened), "the data may be written again")
		}
		require.True(t, answer.Scratch != nil || opened.Scratch == nil)
	})
}

// over is the offset of the marker that ends an aborted transaction.
func over(log []*batch, a aborted) int64 {
	for _, b := range log {
		if b.attrs.Control() && b.producer == a.ProducerID && b.base > a.FirstOffset {
			return b.base
		}
	}
	return -1
}

func shuffled(t *rapid.T, list []aborted) []aborted {
	if len(list) < 2 {
		return list
	}
	return rapid.Permutation(list).Draw(t, "order")
}

func linesOf(t require.TestingT, opened Opened) []line {
	var out []line
	for r := range opened.Set.Records() {
		require.Equal(t, "t", r.Topic)
		require.Equal(t, int32(3), r.Partition)
		out = append(out, line{r.Offset, r.Timestamp, string(r.Key), string(r.Value)})
	}
	require.NoError(t, opened.Set.Err())
	return out
}

// One changed or missing byte never changes a record: all that is handed out
// is right, and reading goes on where it ends, or there is an error.
func TestDamageIsNoticed(t *testing.T) {
	codecs := compress.NewRegistry()
	rapid.Check(t, func(t *rapid.T) {
		var log []*batch
		for _, b := range drawLog(t) {
			if !b.attrs.Transactional() {
				log = append(log, b)
			}
		}
		if len(log) == 0 {
			return
		}
		var data []byte
		intact := map[int64]line{}
		for _, b := range log {
			data = append(data, b.bytes(t, codecs)...)
			for _, l := range b.lines() {
				intact[l.Offset] = l
			}
		}
		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		if rapid.Bool().Draw(t, "cut") {
			data = data[:at]
		} else if at = crcCovered(data, at); at >= 0 {
			data[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		}
		from := log[0].base
		opened, err := Open(Answer{Topic: "t", Partition: 3, From: from, Data: data}, codecs, 1<<20)
		if err != nil {
			require.Nil(t, opened.Set)
			require.Zero(t, opened.Next)
			return
		}
		require.GreaterOrEqual(t, opened.Next, from)
		if opened.Set == nil {
			return
		}
		seen := int64(-1)
		for r := range opened.Set.Records() {
			l, there := intact[r.Offset]
			require.True(t, there, "offset %d was never written", r.Offset)
			require.Equal(t, l, line{r.Offset, r.Timestamp, string(r.Key), string(r.Value)})
			require.Greater(t, r.Offset, seen)
			require.Less(t, r.Offset, opened.Next)
			seen = r.Offset
		}
	})
}

// crcCovered moves a place of damage out of what no checksum covers: a batch's
// base offset, length and leader epoch, and a message's offset.
func crcCovered(data []byte, at int) int {
	batches := record.NewBatches(data)
	var b record.Batch
	begin := 0
	for batches.Next(&b) {
		for rest := b.Bytes(); len(rest) > 0; {
			size := len(rest)
			if b.Magic < 2 {
				size = 12 + int(uint32(rest[8])<<24|uint32(rest[9])<<16|uint32(rest[10])<<8|uint32(rest[11]))
			}
			if at < begin+size {
				return max(at, begin+16)
			}
			begin += size
			rest = rest[size:]
		}
	}
	return -1
}

func simple(base int64, n int) *batch {
	b := &batch{base: base, last: base + int64(n) - 1, magic: 2, producer: -1}
	for i := range n {
		b.offsets = append(b.offsets, base+int64(i))
	}
	return b
}

func TestGoodBatchesBeforeABadOne(t *testing.T) {
	good, bad := simple(10, 3).bytes(t, nil), simple(13, 3).bytes(t, nil)
	bad[len(bad)-1]++
	opened, err := Open(Answer{From: 10, Data: append(slices.Clone(good), bad...)}, nil, 0)
	require.NoError(t, err)
	require.Equal(t, 3, opened.Set.Count())
	require.Equal(t, int64(13), opened.Next)
	_, err = Open(Answer{From: 13, Data: bad}, nil, 0)
	require.ErrorIs(t, err, record.ErrChecksum)
}

func TestABatchThatIsCut(t *testing.T) {
	data := simple(10, 3).bytes(t, nil)
	_, err := Open(Answer{From: 10, Data: data[:len(data)-5]}, nil, 0)
	var partial *PartialError
	require.ErrorAs(t, err, &partial)
	require.Equal(t, PartialError{Have: len(data) - 5, Need: len(data)}, *partial)
	require.True(t, partial.Retriable())
	require.ErrorContains(t, err, "MaxPartitionBytes")

	opened, err := Open(Answer{From: 10, Data: append(slices.Clone(data), data[:20]...)}, nil, 0)
	require.NoError(t, err, "a tail that is cut is no error")
	require.Equal(t, int64(13), opened.Next)
}

func TestNothing(t *testing.T) {
	opened, err := Open(Answer{From: 10}, nil, 0)
	require.NoError(t, err)
	require.Equal(t, Opened{Next: 10, Epoch: -1}, opened)

	opened, err = Open(Answer{From: 10, Data: simple(5, 5).bytes(t, nil)}, nil, 0)
	require.NoError(t, err)
	require.Equal(t, Opened{Next: 10, Epoch: -1}, opened, "all of it is before what was asked for")
}

func TestCompactedToNothing(t *testing.T) {
	b := simple(10, 0)
	b.last = 19
	opened, err := Open(Answer{From: 12, Data: b.bytes(t, nil)}, nil, 0)
	require.NoError(t, err)
	require.Nil(t, opened.Set)
	require.Equal(t, int64(20), opened.Next)
}

func TestBombsAreRefused(t *testing.T) {
	codecs := compress.NewRegistry()
	b := simple(0, 500)
	b.codec = compress.Zstd
	_, err := Open(Answer{Data: b.bytes(t, codecs)}, codecs, 64)
	require.Error(t, err)
	var typed *record.Error
	require.True(t, errors.As(err, &typed))
}

func FuzzOpen(f *testing.F) {
	codecs := compress.NewRegistry()
	for _, b := range []*batch{simple(0, 3), {base: 0, last: 1, offsets: []int64{0, 1}, magic: 1, producer: -1, codec: compress.Gzip}, {base: 5, last: 6, offsets: []int64{5, 6}, producer: -1}} {
		f.Add(b.bytes(f, codecs), int64(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, from int64) {
		opened, err := Open(Answer{From: max(from, 0), Data: data}, codecs, 1<<16)
		if err != nil {
			return
		}
		if opened.Next < max(from, 0) {
			t.Fatalf("goes back from %d to %d", from, opened.Next)
		}
		if opened.Set != nil {
			for range opened.Set.Records() {
			}
		}
	})
}
