// Package decode compares how fast clients turn the bytes of a fetch into records.
package decode

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

const (
	recordsPerBatch = 1000
	batchesPerFetch = 10
	recordsPerFetch = recordsPerBatch * batchesPerFetch
)

// shape is what the records of a fetch look like.
type shape struct {
	name    string
	value   int
	key     bool
	headers bool
	codec   compress.Type
}

var shapes = []shape{
	{name: "100B", value: 100},
	{name: "1KB", value: 1000},
	{name: "100B+key", value: 100, key: true},
	{name: "100B+key+header", value: 100, key: true, headers: true},
	{name: "100B/lz4", value: 100, key: true, codec: compress.LZ4},
	{name: "100B/zstd", value: 100, key: true, codec: compress.Zstd},
}

// fetched makes the record bytes of one partition's answer.
func fetched(tb testing.TB, codecs *compress.Registry, s shape) []byte {
	var data []byte
	for batch := range batchesPerFetch {
		var body []byte
		for i := range recordsPerBatch {
			r := record.Record{Value: make([]byte, s.value)}
			copy(r.Value, fmt.Sprintf("value %d of batch %d", i, batch))
			if s.key {
				r.Key = fmt.Appendf(nil, "key-%012d", i*7919)
			}
			if s.headers {
				r.Headers = record.HeadersOf(record.Header{Key: "trace", Value: []byte("0123456789abcdef")})
			}
			body = record.Append(body, int64(i/10), int32(i), &r)
		}
		packed, err := codecs.Compress(s.codec, nil, body, 0)
		if err != nil {
			tb.Fatal(err)
		}
		h := record.NewBatchHeader()
		h.BaseOffset = int64(batch * recordsPerBatch)
		h.Attributes = record.Attributes(s.codec)
		h.BaseTimestamp, h.MaxTimestamp = 1700000000000, 1700000000099
		h.Count, h.LastOffsetDelta = recordsPerBatch, recordsPerBatch-1
		var head [record.HeaderSize]byte
		record.PutHeader(&head, &h, packed)
		data = append(append(data, head[:]...), packed...)
	}
	return data
}

// total is what both loops compute: it uses each field that a handler would.
type total struct {
	records, bytes int
	offsets, times int64
}

func (t *total) add(key, value []byte, headers int, offset, ms int64) {
	t.records++
	t.bytes += len(key) + len(value) + headers
	t.offsets += offset
	t.times += ms
}

// moldauDecode decompresses each batch into memory of its own.
func moldauDecode(tb testing.TB, codecs *compress.Registry, data []byte) total {
	var none []byte
	return decode(tb, codecs, data, &none, false)
}

// moldauPooled decompresses all batches into one buffer.
func moldauPooled(tb testing.TB, codecs *compress.Registry, data []byte, buf *[]byte) total {
	return decode(tb, codecs, data, buf, true)
}

func decode(tb testing.TB, codecs *compress.Registry, data []byte, buf *[]byte, reuse bool) (sum total) {
	batches := record.NewBatches(data)
	var b record.Batch
	r := record.Record{Topic: "orders", Partition: 3}
	for batches.Next(&b) {
		if err := b.Verify(); err != nil {
			tb.Fatal(err)
		}
		records, grown, err := b.OpenInto(*buf, codecs, 0)
		if err != nil {
			tb.Fatal(err)
		}
		if reuse {
			*buf = grown
		}
		for records.Next(&r) {
			sum.add(r.Key, r.Value, r.Headers.Len(), r.Offset, r.Timestamp)
		}
		if records.Err() != nil {
			tb.Fatal(records.Err())
		}
	}
	if batches.Err() != nil {
		tb.Fatal(batches.Err())
	}
	return sum
}

// moldauRange is moldauDecode with a range loop, which copies each record.
func moldauRange(tb testing.TB, codecs *compress.Registry, data []byte) (sum total) {
	batches := record.NewBatches(data)
	var b record.Batch
	for batches.Next(&b) {
		if err := b.Verify(); err != nil {
			tb.Fatal(err)
		}
		records, err := b.Open(codecs, 0)
		if err != nil {
			tb.Fatal(err)
		}
		for r := range records.All() {
			sum.add(r.Key, r.Value, r.Headers.Len(), r.Offset, r.Timestamp)
		}
		if records.Err() != nil {
			tb.Fatal(records.Err())
		}
	}
	return sum
}

func franzDecode(tb testing.TB, decompressor kgo.Decompressor, opts kgo.ProcessFetchPartitionOpts, data []byte) (sum total) {
	part := kmsg.NewFetchResponseTopicPartition()
	part.HighWatermark = recordsPerFetch
	part.RecordBatches = data
	fp, _ := kgo.ProcessFetchPartition(opts, &part, decompressor, nil)
	if fp.Err != nil {
		tb.Fatal(fp.Err)
	}
	for _, r := range fp.Records {
		sum.add(r.Key, r.Value, len(r.Headers), r.Offset, r.Timestamp.UnixMilli())
		r.Recycle()
	}
	return sum
}

// BenchmarkDecode turns 10 batches of 1,000 records into records, checksums checked, and
// visits each, with this library and with franz-go: with its defaults, and as
// "franz-go-pooled" with memory pools that its records are given back to.
func BenchmarkDecode(b *testing.B) {
	codecs := compress.NewRegistry()
	for _, s := range shapes {
		data := fetched(b, codecs, s)
		run := func(name string, f func() total) {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
				n := float64(b.N) * recordsPerFetch
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/record")
				b.ReportMetric(0, "ns/op")
			})
		}
		decompressor := kgo.DefaultDecompressor()
		plain := kgo.ProcessFetchPartitionOpts{Topic: "orders", Partition: 3}
		var buf []byte
		run("moldau", func() total { return moldauDecode(b, codecs, data) })
		run("moldau-range", func() total { return moldauRange(b, codecs, data) })
		run("moldau-pooled", func() total { return moldauPooled(b, codecs, data, &buf) })
		pools := []kgo.Pool{new(slabs)}
		pooling := kgo.DefaultDecompressor(pools...)
		pooled := plain
		pooled.Pools = pools
		run("franz-go", func() total { return franzDecode(b, decompressor, plain, data) })
		run("franz-go-pooled", func() total { return franzDecode(b, pooling, pooled, data) })
	}
}

// BenchmarkAgainstFranz takes turns of 50 fetches each with this library and franz-go,
// and reports the best turn of each and how many times faster this library is. A turn
// pays for its own garbage, as it begins with none; other load on the machine disturbs
// the best turn little. The fetched bytes are the same; "pooled" is with memory pools on
// both sides.
func BenchmarkAgainstFranz(b *testing.B) {
	codecs := compress.NewRegistry()
	plain := kgo.ProcessFetchPartitionOpts{Topic: "orders", Partition: 3}
	pools := []kgo.Pool{new(slabs)}
	pooled := plain
	pooled.Pools = pools
	decompressor, pooling := kgo.DefaultDecompressor(), kgo.DefaultDecompressor(pools...)
	for _, s := range shapes {
		data := fetched(b, codecs, s)
		var buf []byte
		b.Run(s.name+"/defaults", func(b *testing.B) {
			inTurns(b, func() { moldauDecode(b, codecs, data) }, func() { franzDecode(b, decompressor, plain, data) })
		})
		b.Run(s.name+"/pooled", func(b *testing.B) {
			inTurns(b, func() { moldauPooled(b, codecs, data, &buf) }, func() { franzDecode(b, pooling, pooled, data) })
		})
	}
}

func inTurns(b *testing.B, ours, theirs func()) {
	const fetches = 50
	best := [2]float64{math.Inf(1), math.Inf(1)}
	for b.Loop() {
		for i, f := range []func(){ours, theirs} {
			runtime.GC()
			start := time.Now()
			for range fetches {
				f()
			}
			best[i] = min(best[i], float64(time.Since(start).Nanoseconds())/fetches/recordsPerFetch)
		}
	}
	b.ReportMetric(best[0], "ns/record")
	b.ReportMetric(best[1], "franz-ns/record")
	b.ReportMetric(best[1]/best[0], "x-faster")
	b.ReportMetric(0, "ns/op")
}

// slabs is a pool for franz-go, of the simplest kind: one goroutine, free lists.
type slabs struct {
	records [][]kgo.Record
	bytes   [][]byte
}

func (p *slabs) GetRecords(n int) []kgo.Record {
	if last := len(p.records) - 1; last >= 0 && cap(p.records[last]) >= n {
		slab := p.records[last]
		p.records = p.records[:last]
		return slab
	}
	return make([]kgo.Record, 0, n)
}

func (p *slabs) PutRecords(slab []kgo.Record) { p.records = append(p.records, slab[:0]) }

func (p *slabs) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	if last := len(p.bytes) - 1; last >= 0 {
		b := p.bytes[last]
		p.bytes = p.bytes[:last]
		return b
	}
	return make([]byte, 0, 4*len(compressed))
}

func (p *slabs) PutDecompressBytes(b []byte) { p.bytes = append(p.bytes, b[:0]) }

// All of them read the same.
func TestSameRecords(t *testing.T) {
	codecs := compress.NewRegistry()
	for _, s := range shapes {
		data := fetched(t, codecs, s)
		var buf []byte
		want := franzDecode(t, kgo.DefaultDecompressor(), kgo.ProcessFetchPartitionOpts{Topic: "orders"}, data)
		if want.records != recordsPerFetch {
			t.Fatalf("%s: franz-go reads %d records", s.name, want.records)
		}
		if got := moldauDecode(t, codecs, data); got != want {
			t.Fatalf("%s: %+v, franz-go %+v", s.name, got, want)
		}
		if got := moldauRange(t, codecs, data); got != want {
			t.Fatalf("%s range: %+v, franz-go %+v", s.name, got, want)
		}
		if got := moldauPooled(t, codecs, data, &buf); got != want {
			t.Fatalf("%s pooled: %+v, franz-go %+v", s.name, got, want)
		}
	}
}
