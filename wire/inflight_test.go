package wire

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCorrelationIDsWrap(t *testing.T) {
	require.Equal(t, int32(0), nextCorrelation(maxCorrelation))
	require.Equal(t, int32(1), nextCorrelation(0))
	var f inflight
	for id, i := int32(maxCorrelation-2), 0; i < 6; i++ {
		f.push(pending{call: new(Call), id: id})
		id = nextCorrelation(id)
	}
	for _, id := range []int32{1, maxCorrelation, maxCorrelation - 2, 2, 0, maxCorrelation - 1} {
		p, ok := f.take(id)
		require.True(t, ok, "%d", id)
		require.Equal(t, id, p.id)
		_, ok = f.take(id)
		require.False(t, ok)
	}
	require.Zero(t, f.used)
	require.Zero(t, f.live)
}

// The table behaves as a map with an order, for ids anywhere on the circle,
// with gaps (calls without an answer) and answers in any order.
func TestInflightProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f inflight
		next := rapid.SampledFrom([]int32{0, 7, maxCorrelation - 3}).Draw(t, "first")
		var want []int32
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				f.push(pending{call: new(Call), id: next})
				want = append(want, next)
				next = nextCorrelation(next)
			},
			"skip": func(*rapid.T) { next = nextCorrelation(next) },
			"take oldest": func(t *rapid.T) {
				if len(want) > 0 {
					p, ok := f.take(want[0])
					require.True(t, ok)
					require.Equal(t, want[0], p.id)
					want = want[1:]
				}
			},
			"take any": func(t *rapid.T) {
				id := next - rapid.Int32Range(-2, 10).Draw(t, "back")
				_, ok := f.take(id)
				i := slices.Index(want, id)
				require.Equal(t, i >= 0, ok)
				if i >= 0 {
					want = slices.Delete(want, i, i+1)
				}
			},
			"": func(t *rapid.T) {
				var got []int32
				f.each(func(p *pending) { got = append(got, p.id) })
				require.Equal(t, len(want), len(got))
				require.True(t, slices.Equal(want, got))
				require.Equal(t, len(want), f.live)
			},
		})
	})
}

func TestCallQueueProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q callQueue
		var want []*Call
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				want = append(want, new(Call))
				q.push(queued{call: want[len(want)-1]})
			},
			"peek and drop": func(t *rapid.T) {
				got := q.peek(make([]queued, 0, rapid.IntRange(1, 5).Draw(t, "room")))
				for i := range got {
					require.Same(t, want[i], got[i].call)
				}
				n := rapid.IntRange(0, len(got)).Draw(t, "drop")
				q.drop(n)
				want = want[n:]
			},
			"": func(t *rapid.T) {
				i := 0
				q.each(func(item *queued) {
					require.Same(t, want[i], item.call)
					i++
				})
				require.Equal(t, len(want), i)
				require.Equal(t, len(want), q.len())
			},
		})
	})
}
