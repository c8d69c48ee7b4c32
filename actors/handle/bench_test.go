package handle

import (
	"context"
	"testing"

	"github.com/moldau-go/moldau/wire/record"
)

// ackingTopic is a topic whose producers ack everything at once.
func ackingTopic(b *testing.B) *Topic {
	h, err := New(Config{Brokers: "localhost"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { h.Stop(ErrStopped) })
	topic, _ := h.Topic("t")
	topic.Grow(6)
	for p := range int32(6) {
		slot := topic.Slot(p)
		var lease uint64
		lease, _ = slot.Attach(nil, func(bool) {
			for slot.Look(lease).Ready > 0 {
				batch := slot.Take(lease)
				batch.Release()
				slot.Settle(lease, batch, 0, nil)
			}
		})
	}
	return topic
}

// BenchmarkAppend is what a caller pays for a record.
func BenchmarkAppend(b *testing.B) {
	topic := ackingTopic(b)
	r := record.Record{Value: make([]byte, 100)}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		topic.Append(ctx, &r, nil, Lingers, nil)
	}
}

// BenchmarkAppendAll is what a record costs in a list of a hundred.
func BenchmarkAppendAll(b *testing.B) {
	topic := ackingTopic(b)
	records := make([]record.Record, 100)
	for i := range records {
		records[i].Value = make([]byte, 100)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		topic.AppendAll(ctx, records, nil, Lingers)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
