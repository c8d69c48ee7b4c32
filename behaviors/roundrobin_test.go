package behaviors

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoundRobinGoesRound(t *testing.T) {
	by := RoundRobin()
	var got []int32
	for range 7 {
		got = append(got, by.Partition(Record{Key: []byte("the same")}, 3))
	}
	require.Equal(t, []int32{0, 1, 2, 0, 1, 2, 0}, got)
	require.Equal(t, int32(0), RoundRobin().Partition(Record{}, 3), "each has a count of its own")
}

// However many goroutines use it at once, shares differ by one record at most.
func TestRoundRobinIsFair(t *testing.T) {
	const each, goroutines = 100_001, 4
	for _, count := range []int32{1, 2, 7, 100} {
		by, shares := RoundRobin(), make([]atomic.Int64, count)
		var done sync.WaitGroup
		for range goroutines {
			done.Go(func() {
				for range each {
					shares[by.Partition(Record{}, count)].Add(1)
				}
			})
		}
		done.Wait()
		least := int64(goroutines * each / int(count))
		for p := range shares {
			require.Contains(t, []int64{least, least + 1}, shares[p].Load(), "partition %d of %d", p, count)
		}
	}
}

// Two topics that are produced to in turn are both shared fairly.
func TestRoundRobinCountsEachTopic(t *testing.T) {
	by := RoundRobin().(TopicPartitioner)
	orders, audit := by.ForTopic("orders"), by.ForTopic("audit")
	for i := range int32(10) {
		require.Equal(t, i%2, orders.Partition(Record{}, 2))
		require.Equal(t, i%2, audit.Partition(Record{}, 2))
	}
}
