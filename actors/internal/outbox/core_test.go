package outbox

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

func item(ref int, partition int32, size int) Item {
	return Item{Ref: ref, Topic: "t", Partition: partition, Size: size, Deadline: at(time.Minute)}
}

func refs(items []Item) (list []int) {
	for _, i := range items {
		list = append(list, i.Ref.(int))
	}
	return list
}

func TestOneBatchOfEachPartition(t *testing.T) {
	c := New(Config{MaxRequests: 2, MaxBytes: 100})
	require.False(t, c.Open(epoch), "nothing waits")
	for i, partition := range []int32{1, 1, 2, 3} {
		c.Add(item(i, partition, 40))
	}
	require.True(t, c.Open(epoch))
	require.False(t, c.Open(epoch), "asked for once")
	c.Opened()
	require.Equal(t, []int{0, 2}, refs(c.Next(epoch)))
	c.Sent()
	require.Equal(t, []int{1, 3}, refs(c.Next(epoch)))
	c.Sent()
	c.Add(item(4, 1, 1000))
	require.Empty(t, c.Next(epoch), "two are under way")
	require.False(t, c.Open(epoch))
	c.Done()
	require.True(t, c.Open(epoch))
	require.Equal(t, []int{4}, refs(c.Next(epoch)), "one batch may always go")
}

func TestNothingOvertakesABatchThatDoesNotFit(t *testing.T) {
	c := New(Config{MaxRequests: 5, MaxBytes: 100})
	for i, size := range []int{60, 60, 10} {
		c.Add(item(i, int32(min(i, 1)), size))
	}
	require.Equal(t, []int{0}, refs(c.Next(epoch)), "2 would fit, and is behind 1")
	require.Equal(t, []int{1}, refs(c.Next(epoch)))
	require.Equal(t, []int{2}, refs(c.Next(epoch)))
}

func TestBatchesShareARequestWithTheirLike(t *testing.T) {
	c := New(Config{MaxRequests: 5, MaxBytes: 1000})
	for i, with := range []string{"all", "leader", "all", "leader"} {
		one := item(i, int32(i), 40)
		one.With = with
		c.Add(one)
	}
	require.Equal(t, []int{0, 2}, refs(c.Next(epoch)))
	require.Equal(t, []int{1, 3}, refs(c.Next(epoch)))
}

func TestAloneIsNoRoomForASecond(t *testing.T) {
	c := New(Config{MaxRequests: 5})
	c.Add(item(0, 1, 40))
	c.Add(item(1, 2, 40))
	require.Equal(t, []int{0}, refs(c.Next(epoch)))
	require.Equal(t, []int{1}, refs(c.Next(epoch)))
}

func TestThrottle(t *testing.T) {
	c := New(Config{MaxRequests: 5, MaxBytes: 100})
	c.Throttle(epoch, 3*time.Second)
	c.Throttle(epoch, time.Second) // a shorter one does not end the longer
	require.Zero(t, c.Wake(epoch), "nothing waits")
	c.Add(item(0, 1, 40))
	require.False(t, c.Open(epoch))
	require.Empty(t, c.Next(at(3*time.Second-1)), "the connection was asked for before the throttle")
	require.Equal(t, at(3*time.Second), c.Wake(epoch))
	require.True(t, c.Open(at(3*time.Second)))
	require.Equal(t, []int{0}, refs(c.Next(at(3*time.Second))))
}

// A broker that has enough to do is not sent more at once: what comes in shares
// the next request.
func TestWhatComesInWhileABrokerIsBusyIsGathered(t *testing.T) {
	c := New(Config{MaxRequests: 4, MaxBytes: 1000, Busy: 2, Gather: 5 * time.Millisecond})
	for i := range 2 {
		c.Add(item(i, int32(i), 40))
		require.Len(t, c.Next(epoch), 1, "it is not busy")
		c.Sent()
	}
	for i := 2; i < 5; i++ {
		late := item(i, int32(i), 40)
		late.Added = at(time.Duration(i) * time.Millisecond)
		c.Add(late)
		require.False(t, c.Open(late.Added))
	}
	require.Equal(t, at(7*time.Millisecond), c.Wake(at(4*time.Millisecond)))
	require.True(t, c.Open(at(7*time.Millisecond)), "answers take long")
	c.Opened()
	require.Equal(t, []int{2, 3, 4}, refs(c.Next(at(7*time.Millisecond))))
	c.Sent()
	c.Add(item(5, 5, 40))
	c.queue[0].Added = at(8 * time.Millisecond)
	c.Done()
	c.Done()
	require.True(t, c.Open(at(8*time.Millisecond)), "an answer has come")
	require.Equal(t, []int{5}, refs(c.Next(at(8*time.Millisecond))))
}

func TestWhatWaitsToItsDeadlineIsGivenBack(t *testing.T) {
	c := New(Config{MaxRequests: 5, MaxBytes: 100})
	c.Throttle(epoch, time.Hour)
	late := item(0, 1, 40)
	c.Add(late)
	c.Add(Item{Ref: 1, Topic: "t", Deadline: at(time.Second)})
	require.Equal(t, at(time.Second), c.Wake(epoch))
	require.Empty(t, c.Expired(at(time.Second-1)))
	require.Equal(t, []int{1}, refs(c.Expired(at(time.Second))))
	require.Equal(t, late.Deadline, c.Wake(at(time.Second)))
	require.Equal(t, []int{0}, refs(c.Failed()))
	require.Zero(t, c.Waiting())
}

// Whatever comes in, batches of a partition go in order, each once, never more
// than allowed, and never within a throttle.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{MaxRequests: rapid.IntRange(1, 5).Draw(t, "requests"), MaxBytes: rapid.IntRange(0, 200).Draw(t, "bytes"),
			Busy: rapid.IntRange(0, 5).Draw(t, "busy"), Gather: time.Duration(rapid.IntRange(0, 30).Draw(t, "gather")) * time.Second}
		c, now, until := New(cfg), epoch, epoch
		made, flying, gone := 0, 0, map[int]bool{}
		last := map[int32]int{}
		send := func() {
			oldest := epoch
			if len(c.queue) > 0 {
				oldest = c.queue[0].Added
			}
			items := c.Next(now)
			if len(items) == 0 {
				return
			}
			require.True(t, cfg.Busy == 0 || flying < cfg.Busy || !now.Before(oldest.Add(cfg.Gather)), "it was to be gathered")
			flying++
			c.Sent()
			require.LessOrEqual(t, flying, cfg.MaxRequests)
			require.False(t, until.After(now), "within a throttle")
			size, seen := 0, map[int32]bool{}
			for _, i := range items {
				require.False(t, gone[i.Ref.(int)])
				require.False(t, seen[i.Partition], "two of a partition in a request")
				require.Less(t, last[i.Partition], i.Ref.(int)+1, "overtaken")
				gone[i.Ref.(int)], seen[i.Partition], last[i.Partition] = true, true, i.Ref.(int)+1
				size += i.Size
			}
			require.True(t, len(items) == 1 || size <= cfg.MaxBytes)
		}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0, 1:
				i := item(made, int32(rapid.IntRange(0, 3).Draw(t, "partition")), rapid.IntRange(1, 100).Draw(t, "size"))
				i.Added = now
				i.Deadline = now.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "deadline")) * time.Second)
				made++
				c.Add(i)
			case 2:
				send()
			case 3:
				if flying > 0 {
					flying--
					c.Done()
				}
				wait := time.Duration(rapid.IntRange(0, 20).Draw(t, "throttle")) * time.Second
				c.Throttle(now, wait)
				if end := now.Add(wait); end.After(until) {
					until = end
				}
			case 4:
				now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "passes")) * time.Second)
				for _, i := range c.Expired(now) {
					require.False(t, gone[i.Ref.(int)])
					require.False(t, i.Deadline.After(now))
					gone[i.Ref.(int)] = true
				}
			}
			if c.Waiting() > 0 {
				require.True(t, c.Wake(now).After(now), "it is looked at again")
			}
		}
		now = now.Add(time.Hour)
		for _, i := range append(c.Expired(now), c.Failed()...) {
			gone[i.Ref.(int)] = true
		}
		require.Len(t, gone, made)
	})
}
