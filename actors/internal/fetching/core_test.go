package fetching

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	maxWait = 500 * time.Millisecond
	hotWait = 10 * time.Millisecond
)

func newCore() *Core { return New(Config{MaxWait: maxWait, HotWait: hotWait}) }

func want(partition int32, number uint64) Want {
	return Want{Key: Key{"t", partition}, Number: number, Offset: int64(number), Consumer: "c"}
}

func never(Key) bool  { return false }
func always(Key) bool { return true }

func TestHotFirstThenCold(t *testing.T) {
	c := newCore()
	r := c.Add(want(0, 1))
	for range coldAfter {
		require.Equal(t, []Request{{Lane: Hot, MaxWait: hotWait, Wants: []Want{want(0, 1)}}}, r)
		r = c.Done(Hot, r[0].Wants, never)
	}
	require.Equal(t, []Request{{Lane: Cold, MaxWait: maxWait, Wants: []Want{want(0, 1)}}}, r)
	require.Equal(t, []Request{{Lane: Cold, MaxWait: maxWait, Wants: []Want{want(0, 1)}}}, c.Done(Cold, r[0].Wants, never))

	require.Empty(t, c.Done(Cold, r[0].Wants, always), "answered: nothing is wanted any more")
	require.Empty(t, c.Wants())
	require.Equal(t, Hot, c.Add(want(0, 2))[0].Lane, "what had data is hot")
}

func TestNeverBehindAParkedPoll(t *testing.T) {
	c := newCore()
	r := c.Add(want(0, 1))
	for range coldAfter {
		r = c.Done(Hot, r[0].Wants, never)
	}
	require.Equal(t, Cold, r[0].Lane)
	r = c.Add(want(1, 1))
	require.Len(t, r, 1)
	require.Equal(t, Request{Lane: Hot, MaxWait: hotWait, Wants: []Want{want(1, 1)}}, r[0])
	require.Empty(t, c.Add(want(2, 1)), "both lanes are busy")
	require.Empty(t, c.Next())
	r = c.Done(Hot, r[0].Wants, always)
	require.Equal(t, []Want{want(2, 1)}, r[0].Wants)
}

func TestANewWantWaitsForTheOldAnswer(t *testing.T) {
	c := newCore()
	old := c.Add(want(0, 1))
	require.Empty(t, c.Add(want(0, 2)))
	r := c.Done(Hot, old[0].Wants, always)
	require.Equal(t, []Want{want(0, 2)}, r[0].Wants, "the answer was to the old number")
	require.Equal(t, []Want{want(0, 2)}, c.Wants())
}

func TestRemove(t *testing.T) {
	c := newCore()
	c.Add(want(0, 1))
	c.Add(want(1, 1))
	c.Remove(Key{"t", 1}, "another")
	require.Len(t, c.Wants(), 2, "not the consumer's own")
	c.Remove(Key{"t", 1}, "c")
	require.Equal(t, []Want{want(0, 1)}, c.Wants())
	c.Remove(Key{"t", 0}, "c")
	require.Empty(t, c.Done(Hot, []Want{want(0, 1)}, never))
	c.Remove(Key{"t", 9}, "c")
}

func TestRequestsAreOrderedWithATurn(t *testing.T) {
	c := newCore()
	r := c.Add(Want{Key: Key{"z", 0}, Number: 1, Consumer: "c"})
	for p := range int32(3) {
		c.Add(want(p, 1))
	}
	first := map[Key]bool{}
	for range 16 {
		r = c.Done(r[0].Lane, r[0].Wants, always)
		for _, w := range r[0].Wants {
			w.Number++
			c.Add(w)
		}
		first[r[0].Wants[0].Key] = true
		r = append(r[:0:0], r...)
		if len(r) == 0 {
			break
		}
	}
	require.Len(t, first, 4, "everybody is first at some time")
}
