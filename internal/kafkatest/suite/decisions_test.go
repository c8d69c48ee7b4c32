package suite

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/telemetry"
)

var errPoison = errors.New("poison")

// tasting is a subscription of one partition, whose worker fails over offset 3 as
// often as it is told, in a way of its own.
type tasting struct {
	mu    sync.Mutex
	seen  []int64 // offsets, as they were handed out
	times []time.Time
	made  int // workers
	fails int // still to come; -1: always
	how   func(a moldau.Assignment, set *moldau.MessageSet, r moldau.Record) error
}

func (s *tasting) worker(a moldau.Assignment) (moldau.Worker, error) {
	s.mu.Lock()
	s.made++
	s.mu.Unlock()
	return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
		for r := range set.Records() {
			s.mu.Lock()
			s.seen = append(s.seen, r.Offset)
			s.times = append(s.times, time.Now())
			fail := r.Offset == 3 && s.fails != 0
			if fail {
				s.fails--
			}
			s.mu.Unlock()
			if fail {
				return s.how(a, set, r)
			}
		}
		return nil
	}), nil
}

func byRecord(_ moldau.Assignment, _ *moldau.MessageSet, r moldau.Record) error {
	return &moldau.RecordError{Offset: r.Offset, Err: errPoison}
}

func bySet(moldau.Assignment, *moldau.MessageSet, moldau.Record) error { return errPoison }

func byPanic(moldau.Assignment, *moldau.MessageSet, moldau.Record) error { panic(errPoison) }

// taste runs a subscription over six records of one batch until all is quiet.
func taste(t *testing.T, fails int, how func(moldau.Assignment, *moldau.MessageSet, moldau.Record) error, onError moldau.OnError,
	check func(s *tasting, sub *moldau.Subscription, client *moldau.Client, seen *events)) {
	t.Helper()
	bubble(t, map[string]int32{"orders": 1, "dead": 1}, func(b *bubbled) {
		seen := &events{}
		client := b.start(moldau.Config{Telemetry: seen})
		fill(t, context.Background(), client, "orders", 0, 0, 6, 6)
		s := &tasting{fails: fails, how: how}
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: s.worker, OnError: onError})
		require.NoError(t, err)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		check(s, sub, client, seen)
	})
}

func (s *tasting) offsets() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func named(name string) func(telemetry.Event) bool {
	return func(e telemetry.Event) bool { return e.Name() == name }
}

// A failure is tried again after pauses that double: from the record on that it
// names, with the same worker; else the whole set; after a panic with a fresh one.
func TestRetryOfAFailure(t *testing.T) {
	for name, c := range map[string]struct {
		how  func(moldau.Assignment, *moldau.MessageSet, moldau.Record) error
		seen []int64
		made int
	}{
		"record": {byRecord, []int64{0, 1, 2, 3, 3, 3, 4, 5}, 1},
		"set":    {bySet, []int64{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5}, 1},
		"panic":  {byPanic, []int64{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			taste(t, 2, c.how, behaviors.Retry(5), func(s *tasting, sub *moldau.Subscription, _ *moldau.Client, seen *events) {
				require.Equal(t, c.seen, s.offsets())
				require.Equal(t, c.made, s.made)
				require.Equal(t, int64(6), sub.Progress()[0].Next)
				require.Equal(t, 2, seen.count(named("worker.failed")))
				took := s.times[len(s.times)-1].Sub(s.times[0])
				require.Equal(t, 300, int(took.Milliseconds()), "100 ms and 200 ms")
			})
		})
	}
}

func TestSkipOfAFailure(t *testing.T) {
	taste(t, -1, byRecord, moldau.Retries{Times: 2, Last: moldau.Skip}, func(s *tasting, sub *moldau.Subscription, _ *moldau.Client, seen *events) {
		require.Equal(t, []int64{0, 1, 2, 3, 3, 3, 4, 5}, s.offsets())
		require.Equal(t, int64(6), sub.Progress()[0].Next)
		require.Equal(t, 1, seen.count(func(e telemetry.Event) bool {
			skipped, ok := e.(telemetry.RecordsSkipped)
			return ok && skipped.First == 3 && skipped.Last == 3 && errors.Is(skipped.Err, errPoison)
		}))
	})
	taste(t, -1, byPanic, moldau.Skip, func(s *tasting, sub *moldau.Subscription, _ *moldau.Client, seen *events) {
		require.Equal(t, []int64{0, 1, 2, 3}, s.offsets(), "no record is named: all of the set")
		require.Equal(t, int64(6), sub.Progress()[0].Next)
		require.Equal(t, 2, s.made)
	})
}

// A dead letter has the record as it was, and says where it comes from and why.
func TestDeadLetterOfAFailure(t *testing.T) {
	taste(t, -1, byRecord, moldau.Retries{Times: 1, Last: moldau.DeadLetter("dead")}, func(s *tasting, sub *moldau.Subscription, client *moldau.Client, _ *events) {
		require.Equal(t, []int64{0, 1, 2, 3, 3, 4, 5}, s.offsets())
		require.Equal(t, int64(6), sub.Progress()[0].Next)
		n := 0
		reader := client.Read("dead", moldau.Earliest, moldau.ReadOptions{})
		for r := range reader.Records(context.Background()) {
			n++
			require.Equal(t, "0/3", string(r.Value))
			for key, want := range map[string]string{
				"moldau-topic": "orders", "moldau-partition": "0", "moldau-offset": "3", "moldau-subscription": "orders", "moldau-attempts": "2",
				"moldau-error": "record at offset 3: poison",
			} {
				value, ok := r.Headers.Get(key)
				require.True(t, ok, key)
				require.Equal(t, want, string(value), key)
			}
		}
		require.NoError(t, reader.Err())
		require.Equal(t, 1, n)
	})
}

// What cannot be written as a dead letter is not given up.
func TestDeadLettersToATopicThatIsNotThere(t *testing.T) {
	taste(t, 2, byRecord, moldau.DeadLetter("nowhere"), func(s *tasting, sub *moldau.Subscription, _ *moldau.Client, seen *events) {
		require.Equal(t, []int64{0, 1, 2, 3, 3, 3, 4, 5}, s.offsets())
		require.Equal(t, int64(6), sub.Progress()[0].Next)
		require.Zero(t, seen.count(named("records.skipped")))
	})
}

func TestPauseAfterAFailure(t *testing.T) {
	for name, how := range map[string]func(moldau.Assignment, *moldau.MessageSet, moldau.Record) error{"record": byRecord, "panic": byPanic} {
		t.Run(name, func(t *testing.T) {
			taste(t, 1, how, moldau.Pause, func(s *tasting, sub *moldau.Subscription, _ *moldau.Client, seen *events) {
				require.Equal(t, []int64{0, 1, 2, 3}, s.offsets())
				require.True(t, sub.Progress()[0].Paused)
				require.Equal(t, 1, seen.count(named("partition.paused")))
				require.NoError(t, sub.Resume(0))
				synctest.Wait()
				require.False(t, sub.Progress()[0].Paused)
				require.Equal(t, int64(6), sub.Progress()[0].Next)
			})
		})
	}
}

func TestStopAfterAFailure(t *testing.T) {
	taste(t, 1, byRecord, moldau.Stop, func(s *tasting, sub *moldau.Subscription, _ *moldau.Client, _ *events) {
		require.Equal(t, []int64{0, 1, 2, 3}, s.offsets())
		p := sub.Progress()[0]
		require.ErrorIs(t, p.Stopped, errPoison)
		require.Equal(t, int64(3), p.Next)
		require.ErrorIs(t, sub.Seek(0, moldau.Earliest), errPoison)
		require.NoError(t, sub.Stop(context.Background()))
	})
}

// A panic of the decision itself restarts the worker.
func TestADecisionThatPanics(t *testing.T) {
	taste(t, 1, byRecord, moldau.OnErrorFunc(func(moldau.Failure) moldau.Decision { panic("indecision") }), func(s *tasting, sub *moldau.Subscription, _ *moldau.Client, seen *events) {
		require.Equal(t, []int64{0, 1, 2, 3, 3, 4, 5}, s.offsets())
		require.Equal(t, 2, s.made)
		require.Equal(t, int64(6), sub.Progress()[0].Next)
	})
}

// A failure that the worker's own goroutine tells is decided about as any other.
func TestAFailureFromOutside(t *testing.T) {
	outside := func(a moldau.Assignment, _ *moldau.MessageSet, r moldau.Record) error {
		go a.Fail(&moldau.RecordError{Offset: r.Offset, Err: errPoison})
		return moldau.AckLater
	}
	taste(t, -1, outside, moldau.Retries{Times: 1, Last: moldau.Skip}, func(s *tasting, sub *moldau.Subscription, _ *moldau.Client, seen *events) {
		require.Equal(t, []int64{0, 1, 2, 3, 3, 4, 5}, s.offsets())
		require.Equal(t, 3, s.made, "a fresh worker after each")
		require.Equal(t, int64(6), sub.Progress()[0].Next)
	})
}

func TestPauseResumeAndSeek(t *testing.T) {
	bubble(t, map[string]int32{"orders": 2}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		s := &tasting{}
		sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Partitions: []int32{0}, Begin: moldau.Earliest, NewWorker: s.worker})
		require.NoError(t, err)
		fill(t, context.Background(), client, "orders", 0, 0, 4, 2)
		settle := func() { time.Sleep(5 * time.Second); synctest.Wait() }
		settle()
		require.ErrorContains(t, sub.Pause(1), "does not read partition 1")
		require.ErrorContains(t, sub.Seek(1, moldau.Earliest), "does not read partition 1")
		require.NoError(t, sub.Pause())
		fill(t, context.Background(), client, "orders", 0, 4, 4, 2)
		settle()
		require.Equal(t, []int64{0, 1, 2, 3}, s.offsets(), "paused")
		require.NoError(t, sub.Resume())
		settle()
		require.Equal(t, []int64{0, 1, 2, 3, 4, 5, 6, 7}, s.offsets())
		require.NoError(t, sub.Seek(0, moldau.At(6)))
		settle()
		require.Equal(t, []int64{0, 1, 2, 3, 4, 5, 6, 7, 6, 7}, s.offsets(), "back")
		require.NoError(t, sub.Seek(0, moldau.Earliest))
		settle()
		require.Equal(t, []int64{0, 1, 2, 3, 4, 5, 6, 7, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7}, s.offsets())
		require.Equal(t, int64(8), sub.Progress()[0].Next)
		require.NoError(t, sub.Pause())
		require.NoError(t, sub.Seek(0, moldau.At(7)))
		require.NoError(t, sub.Resume())
		settle()
		require.Equal(t, int64(7), s.offsets()[18])
	})
}
