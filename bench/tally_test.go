package main

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func tallyOf(records int) (*tally, *measurement) {
	m := &measurement{Records: records}
	return newTally(&job{Records: records, Size: 10}, m), m
}

func TestTallyEndsWithTheLastRecord(t *testing.T) {
	tally, m := tallyOf(1000)
	values := newValues(10)
	more := true
	for set := range 10 {
		require.True(t, more, "after %d sets", set)
		var sum uint64
		for range 100 {
			sum += look(nil, values.next())
		}
		more = tally.add(100, sum)
	}
	require.False(t, more)
	<-tally.full
	require.NoError(t, tally.check())
	require.EqualValues(t, 10_000, m.Bytes)
}

func TestTallyNoticesWhatIsWrong(t *testing.T) {
	tally, _ := tallyOf(10)
	tally.add(9, 0)
	require.ErrorContains(t, tally.check(), "9 records came, 10 are in the topic")
	tally.add(2, 0)
	require.ErrorContains(t, tally.check(), "11 records came")

	tally, _ = tallyOf(10)
	tally.add(10, newValues(10).sumOf(9))
	require.ErrorContains(t, tally.check(), "not those that were produced")
}

func TestTallyTakesReadersAtOnce(t *testing.T) {
	const readers, sets = 8, 500
	tally, m := tallyOf(readers * sets)
	values := newValues(10)
	var all sync.WaitGroup
	for range readers {
		var sums []uint64
		for range sets {
			sums = append(sums, look(nil, values.next()))
		}
		all.Go(func() {
			for _, sum := range sums {
				tally.add(1, sum)
			}
		})
	}
	all.Wait()
	require.NoError(t, tally.check())
	require.EqualValues(t, 10*readers*sets, m.Bytes)
}

func TestAllAcked(t *testing.T) {
	require.NoError(t, allAcked(5, 5))
	require.ErrorContains(t, allAcked(4, 5), "4 records are acked, 5 were produced")
}
