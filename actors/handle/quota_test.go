package handle

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

// Whatever is produced and settled, limits of bytes and records hold, of the
// client and of each partition, and at the end nothing is out.
func TestLimitsHold(t *testing.T) {
	codecs := compress.NewRegistry()
	rapid.Check(t, func(r *rapid.T) {
		var c ProduceConfig
		c.BatchBytes = rapid.IntRange(100, 3*chunkSize).Draw(r, "batch")
		c.BufferBytes = rapid.IntRange(1, 20).Draw(r, "buffer") * chunkSize
		c.PartitionBytes = rapid.IntRange(0, 5).Draw(r, "partition") * chunkSize
		c.BufferRecords, c.PartitionRecords = rapid.IntRange(0, 30).Draw(r, "records"), rapid.IntRange(0, 10).Draw(r, "of a partition")
		c.OnFull = rapid.SampledFrom([]Full{FullFails, FullDrops}).Draw(r, "full")
		c.Codec = rapid.SampledFrom([]compress.Type{compress.None, compress.LZ4}).Draw(r, "codec")
		h, topic := newHandle(t, 3, func(config *Config) { config.Produce = c })
		records := func() (n int) {
			for p := range topic.Count() {
				s := topic.Slot(p)
				of := 0
				for _, b := range append(append([]*Batch{}, s.sealed...), s.taken...) {
					of += int(b.count)
				}
				if s.open != nil {
					of += int(s.open.count)
				}
				if c.PartitionRecords > 0 {
					require.LessOrEqual(r, of, c.PartitionRecords)
				}
				require.True(r, !s.room.counted || int(s.room.records.Load()) == of, "%d are counted, %d are there", s.room.records.Load(), of)
				n += of
			}
			return n
		}
		lost := uint64(0)
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			on := behaviors.On(rapid.Int32Range(0, 2).Draw(r, "on"))
			list := make([]record.Record, rapid.IntRange(1, 5).Draw(r, "list"))
			for i := range list {
				list[i].Value = make([]byte, rapid.IntRange(0, min(c.BatchBytes-40, chunkSize)).Draw(r, "size"))
			}
			switch rapid.IntRange(0, 4).Draw(r, "step") {
			case 0:
				if topic.Append(context.Background(), &list[0], on, Lingers, nil).NotAccepted() == ErrDropped {
					lost++
				}
			case 1:
				all := topic.AppendAll(context.Background(), list, on, Lingers)
				for i := range list {
					if all.At(i).NotAccepted() == ErrDropped {
						lost++
					}
				}
			case 2:
				all := topic.AppendTogether(context.Background(), nil, list, on, Lingers)
				if all.At(0).NotAccepted() == ErrDropped {
					lost += uint64(len(list))
				}
			default:
				slot := topic.Slot(rapid.Int32Range(0, 2).Draw(r, "of"))
				lease, _ := slot.Attach(nil, func(bool) {})
				if b := slot.Take(lease); b != nil {
					require.NoError(r, b.Compress(codecs))
					if parts := slot.Split(lease, b, false); rapid.Bool().Draw(r, "split") && len(parts) > 0 {
						for _, p := range parts {
							p.Release()
							slot.Settle(lease, p, 0, nil)
						}
					}
					for _, left := range append([]*Batch{}, slot.taken...) {
						slot.Settle(lease, left, 0, nil)
					}
					b.Release()
				}
			}
			n := records()
			if c.BufferRecords > 0 {
				require.LessOrEqual(r, n, c.BufferRecords)
			}
			require.Equal(r, lost, h.Dropped())
		}
		h.Stop(errRefused)
		require.Zero(r, records())
	})
}

// A partition leaves room for others.
func TestAPartitionHasAShare(t *testing.T) {
	_, topic := newHandle(t, 2, func(c *Config) {
		c.Produce = ProduceConfig{BatchBytes: chunkSize, BufferBytes: 16 * chunkSize, OnFull: FullFails}
	})
	value := &record.Record{Value: make([]byte, chunkSize-100)}
	n := 0
	for topic.Append(context.Background(), value, behaviors.On(0), Lingers, nil).NotAccepted() == nil {
		n++
	}
	require.Equal(t, 4, n, "a quarter")
	require.NoError(t, topic.Append(context.Background(), value, behaviors.On(1), Lingers, nil).NotAccepted())
}
