package handle

import (
	"context"
	"testing"

	"github.com/moldau-go/moldau/wire/record"
)

// BenchmarkAppend is what a caller pays for a record, with a producer that acks
// everything at once.
func BenchmarkAppend(b *testing.B) {
	h, err := New(Config{Brokers: "localhost"})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Stop(ErrStopped)
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
	r := record.Record{Value: make([]byte, 100)}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		topic.Append(ctx, &r, nil, Lingers, nil)
	}
}
