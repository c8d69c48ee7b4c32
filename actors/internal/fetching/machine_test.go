package fetching

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// broker plays the broker actor and the consumers, one for each partition.
type broker struct {
	t       *rapid.T
	core    *Core
	flying  map[Lane][]Want
	wants   map[Key]uint64 // the number that each consumer waits for
	numbers uint64
	waited  map[Key]int // requests that were answered while it waited unasked
	gone    bool        // somebody was removed: an old request may still name it
}

func (b *broker) do(requests []Request) {
	for _, r := range requests {
		require.Empty(b.t, b.flying[r.Lane], "a second request on a lane")
		require.NotEmpty(b.t, r.Wants)
		require.Equal(b.t, map[Lane]bool{Hot: r.MaxWait == hotWait, Cold: r.MaxWait == maxWait}[r.Lane], true)
		seen := map[Key]bool{}
		for _, w := range r.Wants {
			require.False(b.t, seen[w.Key], "a partition twice in a request")
			seen[w.Key] = true
			require.Equal(b.t, b.wants[w.Key], w.Number, "asks what nobody wants any more")
			for lane, others := range b.flying {
				for _, other := range others {
					require.False(b.t, !b.gone && other.Key == w.Key, "%v is on lane %d already", w.Key, lane)
				}
			}
		}
		b.flying[r.Lane] = r.Wants
	}
}

func (b *broker) event() {
	switch rapid.IntRange(0, 3).Draw(b.t, "event") {
	case 0, 1:
		b.add(Key{"t", int32(rapid.IntRange(0, 5).Draw(b.t, "partition"))})
	default:
		b.answer(Lane(rapid.IntRange(0, 1).Draw(b.t, "lane")), func(Key) bool { return rapid.Bool().Draw(b.t, "data") })
	}
	b.check()
}

func (b *broker) add(key Key) {
	b.numbers++
	b.wants[key] = b.numbers
	b.waited[key] = 0
	b.do(b.core.Add(Want{Key: key, Number: b.numbers, Consumer: "c"}))
}

func (b *broker) answer(lane Lane, data func(Key) bool) {
	wants := b.flying[lane]
	if len(wants) == 0 {
		return
	}
	delete(b.flying, lane)
	answered := map[Key]bool{}
	for _, w := range wants {
		answered[w.Key] = data(w.Key)
		if answered[w.Key] && b.wants[w.Key] == w.Number {
			delete(b.wants, w.Key)
		}
	}
	if lane == Hot {
		for key := range b.wants {
			b.waited[key]++
		}
	}
	b.do(b.core.Done(lane, wants, func(k Key) bool { return answered[k] }))
}

// check: whoever wants something is being asked for, or will be when the hot
// lane, which is never parked, is free.
func (b *broker) check() {
	for key, number := range b.wants {
		asked := false
		for _, wants := range b.flying {
			asked = asked || slices.ContainsFunc(wants, func(w Want) bool { return w.Key == key })
		}
		if asked {
			b.waited[key] = 0
			continue
		}
		require.NotEmpty(b.t, b.flying[Hot], "%v waits with a free lane", key)
		require.LessOrEqual(b.t, b.waited[key], 1, "%v waits for more than the request that was under way", key)
		require.Contains(b.t, numbersOf(b.core.Wants()), number)
	}
}

func numbersOf(wants []Want) []uint64 {
	var out []uint64
	for _, w := range wants {
		out = append(out, w.Number)
	}
	return out
}

// Whatever is added and answered in whatever order, a lane carries one request,
// a partition is on one lane, and nobody waits longer than a hot request takes.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &broker{t: t, core: newCore(), flying: map[Lane][]Want{}, wants: map[Key]uint64{}, waited: map[Key]int{}}
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			b.event()
		}
		for range 4 {
			b.answer(Hot, always)
			b.answer(Cold, always)
		}
		require.Empty(t, b.wants, "all is answered in the end")
		require.Empty(t, b.core.Wants())
	})
}

// When nothing is written any more, and both lanes end together at some time,
// one parked request carries everybody.
func TestIdlePartitionsShareOneParkedRequest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &broker{t: t, core: newCore(), flying: map[Lane][]Want{}, wants: map[Key]uint64{}, waited: map[Key]int{}}
		count := rapid.IntRange(1, 6).Draw(t, "partitions")
		for p := range count {
			b.add(Key{"t", int32(p)})
		}
		for range 3 * coldAfter {
			b.answer(Hot, never)
		}
		require.Len(t, b.flying[Cold], count)
		require.Empty(t, b.flying[Hot])
	})
}
