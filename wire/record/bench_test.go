package record

import (
	"fmt"
	"testing"
	"time"
)

// benchBatch is 1,000 records of 100-byte values, null keys or 16-byte ones with a
// header.
func benchBatch(full bool) []byte {
	var body []byte
	for i := range 1000 {
		r := benchRecord(i, full)
		body = Append(body, int64(i/10), int32(i), &r)
	}
	h := NewBatchHeader()
	h.BaseOffset, h.BaseTimestamp, h.MaxTimestamp = 1000, 1700000000000, 1700000000099
	h.Count, h.LastOffsetDelta = 1000, 999
	var head [HeaderSize]byte
	PutHeader(&head, &h, body)
	return append(head[:], body...)
}

func benchRecord(i int, full bool) Record {
	value := make([]byte, 100)
	copy(value, fmt.Sprint(i))
	r := Record{Value: value}
	if full {
		r.Key = fmt.Appendf(nil, "%016d", i)
		r.Headers = HeadersOf(Header{Key: "trace", Value: []byte("0123456789abcdef")})
	}
	return r
}

var benchShapes = []struct {
	name string
	full bool
}{{"value", false}, {"keyValueHeader", true}}

// sink keeps what the loops compute alive.
var sink int

func BenchmarkDecode(b *testing.B) {
	for _, shape := range benchShapes {
		data := benchBatch(shape.full)
		b.Run(shape.name+"/moldau", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink += decodeAll(b, data)
			}
			perRecord(b)
		})
		b.Run(shape.name+"/all", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink += rangeAll(b, data)
			}
			perRecord(b)
		})
		b.Run(shape.name+"/byhand", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink += decodeByHand(data)
			}
			perRecord(b)
		})
	}
}

func perRecord(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
}

// weigh uses every field of a record.
func weigh(r *Record) int {
	return len(r.Key) + len(r.Value) + r.Headers.Len() + int(r.Offset) + int(r.Timestamp)
}

func openBench(tb testing.TB, data []byte) Records {
	batches := NewBatches(data)
	var batch Batch
	if !batches.Next(&batch) {
		tb.Fatal(batches.Err())
	}
	if err := batch.Verify(); err != nil {
		tb.Fatal(err)
	}
	records, err := batch.Open(nil, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return records
}

func decodeAll(tb testing.TB, data []byte) (n int) {
	records := openBench(tb, data)
	var r Record
	for records.Next(&r) {
		n += weigh(&r)
	}
	if records.Err() != nil {
		tb.Fatal(records.Err())
	}
	return n
}

func rangeAll(tb testing.TB, data []byte) (n int) {
	records := openBench(tb, data)
	for r := range records.All() {
		n += weigh(&r)
	}
	if records.Err() != nil {
		tb.Fatal(records.Err())
	}
	return n
}

func BenchmarkEncode(b *testing.B) {
	for _, shape := range benchShapes {
		records := make([]Record, 1000)
		for i := range records {
			records[i] = benchRecord(i, shape.full)
		}
		buf := make([]byte, 0, 1<<20)
		b.Run(shape.name+"/moldau", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = encodeAll(buf[:0], records)
			}
			perRecord(b)
		})
		b.Run(shape.name+"/byhand", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = encodeByHand(buf[:0], records)
			}
			perRecord(b)
		})
	}
}

func encodeAll(buf []byte, records []Record) []byte {
	for i := range records {
		buf = Append(buf, int64(i/10), int32(i), &records[i])
	}
	h := NewBatchHeader()
	var head [HeaderSize]byte
	PutHeader(&head, &h, buf)
	return buf
}

// BenchmarkAgainstByHand runs codec and hand-written loop in turns and reports the best
// round of each and their ratio, which other load on the machine disturbs little.
func BenchmarkAgainstByHand(b *testing.B) {
	for _, shape := range benchShapes {
		data := benchBatch(shape.full)
		records := make([]Record, 1000)
		for i := range records {
			records[i] = benchRecord(i, shape.full)
		}
		buf := make([]byte, 0, 1<<20)
		b.Run("decode/"+shape.name, func(b *testing.B) {
			inTurns(b, func() { sink += decodeAll(b, data) }, func() { sink += decodeByHand(data) })
		})
		b.Run("encode/"+shape.name, func(b *testing.B) {
			inTurns(b, func() { buf = encodeAll(buf[:0], records) }, func() { buf = encodeByHand(buf[:0], records) })
		})
	}
}

func inTurns(b *testing.B, ours, byHand func()) {
	best := [2]time.Duration{time.Hour, time.Hour}
	for b.Loop() {
		for i, f := range []func(){ours, byHand} {
			start := time.Now()
			for range 10 {
				f()
			}
			best[i] = min(best[i], time.Since(start)/10)
		}
	}
	b.ReportMetric(float64(best[0].Nanoseconds())/1000, "ns/record")
	b.ReportMetric(float64(best[1].Nanoseconds())/1000, "byhand-ns/record")
	b.ReportMetric(float64(best[0])/float64(best[1]), "x-byhand")
	b.ReportMetric(0, "ns/op")
}
