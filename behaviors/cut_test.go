package behaviors

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/wire/record"
)

// Pieces together are the set: its records in order, its offsets without a gap, its
// marks; none is larger than asked for.
func TestPiecesAreTheSet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var batches []record.Records
		next, total := int64(100), 0
		for range rapid.IntRange(1, 5).Draw(rt, "batches") {
			n := rapid.IntRange(1, 8).Draw(rt, "records")
			batches = append(batches, recordsFrom(t, next, n, false))
			next += int64(n + rapid.IntRange(0, 3).Draw(rt, "gap"))
			total += n
		}
		into := rapid.IntRange(0, total-1).Draw(rt, "into")
		whole := SetOf("t", 3, 100, next-1, total, batches)
		first := offsets(whole)[into]
		set := SetOf("t", 3, first, next-1, total-into, batches)
		set.HighWatermark, set.LastStableOffset = 900, 800
		most := rapid.IntRange(1, 10).Draw(rt, "most")
		var seen []int64
		from := first
		pieces := set.Cut(most)
		for _, p := range pieces {
			got := offsets(p)
			require.Equal(rt, len(got), p.Count())
			require.LessOrEqual(rt, p.Count(), most)
			require.NotEmpty(rt, got)
			require.Equal(rt, from, p.First(), "no offset is between two")
			require.Equal(rt, []int64{900, 800}, []int64{p.HighWatermark, p.LastStableOffset})
			require.Equal(rt, got, offsets(p), "again")
			require.NoError(rt, p.Err())
			seen, from = append(seen, got...), p.Last()+1
		}
		require.Equal(rt, set.Last()+1, from)
		require.Equal(rt, offsets(set), seen)

		at := rapid.Int64Range(first-2, next-1).Draw(rt, "from")
		rest := pieces[len(pieces)-1].From(at)
		var want []int64
		for _, o := range offsets(pieces[len(pieces)-1]) {
			if o >= at {
				want = append(want, o)
			}
		}
		require.Equal(rt, want, offsets(rest))
		require.Equal(rt, len(want), rest.Count())
	})
}

// What cannot be decoded is in the last piece, which tells of it.
func TestPiecesOfAMalformedSet(t *testing.T) {
	set := SetOf("t", 0, 10, 16, 6, []record.Records{recordsFrom(t, 10, 3, true), recordsFrom(t, 13, 3, false)})
	pieces := set.Cut(1)
	require.Len(t, pieces, 2)
	require.Equal(t, []int64{10}, offsets(pieces[0]))
	require.NoError(t, pieces[0].Err())
	require.Equal(t, []int64{11}, offsets(pieces[1]))
	require.ErrorIs(t, pieces[1].Err(), record.ErrCorrupt)
	require.Equal(t, []int64{11, 16}, []int64{pieces[1].First(), pieces[1].Last()})

	bad := SetOf("t", 0, 10, 11, 2, []record.Records{recordsFrom(t, 10, 1, true)})
	require.Equal(t, []*MessageSet{bad}, bad.Cut(1))
}
