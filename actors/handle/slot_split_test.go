package handle

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire/record"
)

// cutting is a slot with one batch, and what became of its records.
type cutting struct {
	handle *Handle
	slot   *Slot
	lease  uint64
	values []string
	claims []Pending
	called []int32
	want   []string // outcome of each record, as told
}

func newCutting(t *rapid.T) *cutting {
	config := Config{Brokers: "localhost:9092", Telemetry: telemetry.Discard}
	h, err := New(config)
	require.NoError(t, err)
	topic, err := h.Topic("t")
	require.NoError(t, err)
	topic.Grow(1)
	c := &cutting{handle: h, slot: topic.Slot(0)}
	c.lease, _ = c.slot.Attach(nil, func(bool) {})
	for i := range rapid.IntRange(1, 40).Draw(t, "records") {
		size := rapid.SampledFrom([]int{0, 1, 100, 5000, 20_000}).Draw(t, "size")
		r := &record.Record{Value: []byte(fmt.Sprint(i, strings.Repeat("x", size))), Timestamp: rapid.SampledFrom([]int64{1, 5000, 1 << 40}).Draw(t, "time")}
		c.values = append(c.values, string(r.Value))
		c.claims = append(c.claims, topic.Append(context.Background(), r, behaviors.On(0), Lingers, func(int64, error) { c.called = append(c.called, int32(i)) }))
	}
	c.want = make([]string, len(c.values))
	return c
}

// piece is a batch with the indices that its records must have.
type piece struct {
	batch   *Batch
	indices []int
}

func (c *cutting) check(t *rapid.T, p piece) {
	var want []string
	for _, i := range p.indices {
		want = append(want, c.values[i])
	}
	require.Equal(t, want, valuesOf(t, p.batch))
	sum, known := p.batch.Sum()
	require.True(t, known)
	var whole record.Sum
	for _, chunk := range p.batch.Records(nil) {
		whole.Add(chunk)
	}
	require.Equal(t, whole, sum)
}

func outcomeText(offset int64, err error) string { return fmt.Sprint(offset, " ", err) }

// However a batch is cut, its pieces hold its records in order, with sequences
// that follow each other, every record has its own outcome, which is told when
// all are known, callbacks come in order, and no memory is left behind.
func TestHoweverABatchIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCutting(t)
		first := c.slot.Take(c.lease)
		if rapid.Bool().Draw(t, "numbered") {
			c.slot.Number(c.lease, first, Identity{ID: 7})
		}
		first.Release()
		all := make([]int, len(c.values))
		for i := range all {
			all[i] = i
		}
		pieces, base := []piece{{first, all}}, int64(1000)
		for len(pieces) > 0 {
			p := pieces[0]
			c.check(t, p)
			switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
			case what == 0 && len(p.indices) > 1:
				pieces = append(c.split(t, p), pieces[1:]...)
			case what == 1:
				pieces = append(c.reject(t, p), pieces[1:]...)
			default:
				pieces = pieces[1:]
				base = c.settle(t, p, base)
			}
			if len(pieces) > 0 {
				for i, claim := range c.claims {
					require.NoError(t, claim.Err(), i)
				}
			}
		}
		for i, claim := range c.claims {
			offset, err := claim.Wait(context.Background())
			require.Equal(t, c.want[i], outcomeText(offset, err), i)
			require.Equal(t, err, claim.Err())
		}
		c.slot.mu.Lock()
		calling := c.slot.calling
		c.slot.mu.Unlock()
		for calling {
			c.slot.mu.Lock()
			calling = c.slot.calling
			c.slot.mu.Unlock()
		}
		require.Len(t, c.called, len(c.values))
		require.IsIncreasing(t, append([]int32{-1}, c.called...))
		require.Zero(t, c.handle.Buffered())
		require.Nil(t, c.slot.last())
	})
}

func (c *cutting) split(t *rapid.T, p piece) []piece {
	before, size := p.batch.Header(), p.batch.Size()
	held := rapid.Bool().Draw(t, "held")
	if held {
		require.True(t, p.batch.Hold(c.lease)) // a connection reads it
	}
	halves := c.slot.Split(c.lease, p.batch, true)
	require.Len(t, halves, 2)
	require.LessOrEqual(t, c.handle.Buffered(), 3*size+2*chunkSize*len(c.values))
	if held {
		p.batch.Release()
	}
	n := halves[0].Count()
	require.Equal(t, before.Count, int32(n+halves[1].Count()))
	require.Equal(t, before.ProducerEpoch, halves[1].Header().ProducerEpoch)
	if before.BaseSequence >= 0 {
		require.Equal(t, before.BaseSequence, halves[0].Header().BaseSequence)
		require.Equal(t, before.BaseSequence+int32(n), halves[1].Header().BaseSequence)
	}
	for _, half := range halves {
		half.Release()
	}
	return []piece{{halves[0], p.indices[:n]}, {halves[1], p.indices[n:]}}
}

func (c *cutting) reject(t *rapid.T, p piece) []piece {
	failed := map[int32]error{}
	var rest []int
	for at, i := range p.indices {
		if rapid.Bool().Draw(t, "bad") {
			failed[int32(at)] = fmt.Errorf("bad %d", i)
			c.want[i] = outcomeText(-1, failed[int32(at)])
		} else {
			rest = append(rest, i)
		}
	}
	if len(failed) == 0 {
		return []piece{p}
	}
	b := c.slot.Reject(c.lease, p.batch, false, failed)
	if len(rest) == 0 {
		require.Nil(t, b)
		return nil
	}
	b.Release()
	return []piece{{b, rest}}
}

func (c *cutting) settle(t *rapid.T, p piece, base int64) int64 {
	if rapid.Bool().Draw(t, "fails") {
		for _, i := range p.indices {
			c.want[i] = outcomeText(-1, errRefused)
		}
		require.True(t, c.slot.Settle(c.lease, p.batch, -1, errRefused))
		return base
	}
	for at, i := range p.indices {
		c.want[i] = outcomeText(base+int64(at), nil)
	}
	require.True(t, c.slot.Settle(c.lease, p.batch, base, nil))
	return base + int64(len(p.indices)) + 3
}

// Halves are made even when the memory of records is at its limit, and a batch
// whose slot has another producer by now stays as it is.
func TestACutNeedsNoRoomAndALease(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BufferBytes = chunkSize })
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	claims := []Pending{put(t, topic, "a"), put(t, topic, "b")}
	require.Equal(t, chunkSize, h.Buffered())
	b := slot.Take(lease)
	b.Release()
	require.Empty(t, slot.Split(lease+1, b, false))
	halves := slot.Split(lease, b, false)
	require.Len(t, halves, 2)
	require.Less(t, h.Buffered(), 100, "the batch itself is gone")
	require.Zero(t, halves[0].Attempts)
	for i, half := range halves {
		half.Release()
		require.Empty(t, slot.Split(lease, half, false), "one record cannot be cut")
		require.True(t, slot.Settle(lease, half, int64(7*i), nil))
	}
	for i, claim := range claims {
		offset, err := claim.Wait(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 7*i, offset)
	}
	require.Zero(t, h.Buffered())
}

// A slot that is closed while parts of a batch are open fails those, and what
// was acked before stays acked.
func TestClosingWithPartsOpen(t *testing.T) {
	h, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	lease, _ := slot.Attach(nil, func(bool) {})
	claims := []Pending{put(t, topic, "a"), put(t, topic, "b")}
	b := slot.Take(lease)
	b.Release()
	halves := slot.Split(lease, b, false)
	for _, half := range halves {
		half.Release()
	}
	require.True(t, slot.Settle(lease, halves[0], 5, nil))
	h.Stop(ErrStopped)
	offset, err := claims[0].Wait(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 5, offset)
	_, err = claims[1].Wait(context.Background())
	require.ErrorIs(t, err, ErrStopped)
}
