package behaviors

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
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

// However many goroutines use it, shares differ by one record at most.
func TestRoundRobinIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count, each := rapid.Int32Range(1, 50).Draw(t, "count"), rapid.IntRange(0, 300).Draw(t, "each")
		by, shares := RoundRobin(), make([]atomic.Int64, count)
		var done sync.WaitGroup
		for range 4 {
			done.Go(func() {
				for range each {
					shares[by.Partition(Record{}, count)].Add(1)
				}
			})
		}
		done.Wait()
		least := int64(4*each) / int64(count)
		for p := range shares {
			if n := shares[p].Load(); n < least || n > least+1 {
				t.Fatalf("partition %d of %d got %d of %d records", p, count, n, 4*each)
			}
		}
	})
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
