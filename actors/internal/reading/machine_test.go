package reading

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestReadsToTheEnd: whatever brokers answer, in whatever order, every partition is
// read to its end, by requests that do not overlap.
func TestReadsToTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const nodes = 3
		var spans []Span
		for p := range rapid.Int32Range(1, 8).Draw(t, "partitions") {
			from := rapid.Int64Range(0, 20).Draw(t, "from")
			spans = append(spans, Span{p, from, from + rapid.Int64Range(0, 20).Draw(t, "length")})
		}
		c := New(config(), spans)
		now := epoch
		var flying []Action
		busy, nodesBusy, got := map[int32]bool{}, map[int32]bool{}, map[int32]int64{}
		for _, s := range spans {
			got[s.Partition] = s.Next
		}
		trouble := rapid.IntRange(0, 30).Draw(t, "trouble")
		for steps := 0; !c.Done(); steps++ {
			require.Less(t, steps, 10_000)
			for _, a := range c.Step(now, func(p int32) (int32, bool) {
				return p % nodes, rapid.IntRange(0, 9).Draw(t, "known") > 0 || trouble <= 0
			}) {
				flying = append(flying, a)
				for _, p := range touched(a) {
					require.False(t, busy[p], "asked for twice")
					busy[p] = true
				}
				if f, ok := a.(*Fetch); ok {
					require.False(t, nodesBusy[f.Node], "two requests of a leader")
					nodesBusy[f.Node] = true
				}
			}
			if len(flying) == 0 {
				wake := c.Wake(now)
				require.True(t, wake.After(now), "nothing is under way, and nothing to come")
				now = wake
				continue
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "ms")) * time.Millisecond)
			i := rapid.IntRange(0, len(flying)-1).Draw(t, "answered")
			a := flying[i]
			flying = append(flying[:i], flying[i+1:]...)
			for _, p := range touched(a) {
				busy[p] = false
			}
			fails := func() bool {
				trouble--
				return trouble > 0 && rapid.IntRange(0, 3).Draw(t, "fails") == 0
			}
			switch a := a.(type) {
			case *LookUp:
				require.NoError(t, c.LookedUp(now, a, func(int32) error {
					if fails() {
						return notLeader
					}
					return nil
				}))
			case *Fetch:
				nodesBusy[a.Node] = false
				answer := make([]Got, len(a.Wants))
				for i, w := range a.Wants {
					require.Equal(t, got[w.Partition], w.Offset, "a gap, or again")
					require.Less(t, w.Offset, spans[w.Partition].End)
					answer[i] = Got{Partition: w.Partition, Stable: 100}
					if fails() {
						answer[i].Err = notLeader
						continue
					}
					if n := rapid.Int64Range(0, 5).Draw(t, "read"); n > 0 {
						answer[i].Next, answer[i].Bytes = w.Offset+n, 10
						got[w.Partition] += n
					}
				}
				require.NoError(t, c.Fetched(now, a, answer))
			}
		}
		for _, s := range spans {
			require.Equal(t, s.End, c.Next(s.Partition))
		}
	})
}

func touched(a Action) (list []int32) {
	switch a := a.(type) {
	case *LookUp:
		return a.Partitions
	case *Fetch:
		for _, w := range a.Wants {
			list = append(list, w.Partition)
		}
	}
	return list
}
