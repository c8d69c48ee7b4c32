package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/messageset"
	"github.com/moldau-go/moldau/actors/internal/reading"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// readRun is one iteration of a Reader. All of it belongs to the goroutine of the
// loop, but for jobs: those ask, tell answers what they got, and end with ctx.
type readRun struct {
	*Reader
	ctx     context.Context
	cancel  context.CancelFunc
	core    *reading.Core
	topicID [16]byte // of the topic as it was at the beginning; zero: not known
	jobs    sync.WaitGroup
	answers chan readAnswer
	records int
	bytes   int64
	commits time.Time // when the next is due
	refused bool      // one has failed
}

// readAnswer is the outcome of a reading.Fetch or a reading.LookUp.
type readAnswer struct {
	to   reading.Action
	at   time.Time
	resp *kmsg.FetchResponse
	err  error
}

func (r *readRun) begin(ctx context.Context) error {
	r.ctx, r.cancel = context.WithCancel(ctx)
	spans, err := r.spans(r.ctx)
	if err != nil {
		return err
	}
	if err := r.inRange(r.ctx, spans); err != nil {
		return err
	}
	for _, s := range spans {
		r.next[s.Partition] = s.Next
		if _, known := r.committed[s.Partition]; !known {
			r.committed[s.Partition] = s.Next
		}
	}
	if known := r.handle.Cluster().Topics[r.ask.Topic]; known != nil {
		r.topicID = known.ID
	}
	r.commits = time.Now().Add(r.ask.Every)
	r.answers = make(chan readAnswer, len(spans)) // each job has a partition for itself
	settings := r.handle.Config()
	r.core = reading.New(reading.Config{
		Waits: r.ask.Follow != 0, Patience: settings.CallTimeout,
		RetryMin: retryMin, RetryMax: retryMax, LookMin: lookMin, LookMax: lookMax,
		Bytes: r.ask.MaxBytes, MostBytes: settings.Consume.MaxBytes,
		Again:    func(err error) bool { return Repeatable(err) || errors.Is(err, errCallTimeout) },
		Outdated: outdated, Spread: rand.Float64,
		GaveUp: func(attempts int, last error) error {
			return &GaveUpError{Attempts: attempts, Last: last, Cause: errCallTimeout}
		},
	}, spans)
	return nil
}

// end ends the jobs, and commits what the loop has finished. It adds to the error
// of the iteration.
func (r *readRun) end(ctx context.Context, err error) error {
	r.cancel()
	r.jobs.Wait()
	if failed := r.lastCommit(ctx); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

// loop fetches and hands out until there is nothing more to do.
func (r *readRun) loop(yield func(behaviors.Record) bool) error {
	for !r.core.Done() {
		r.fetch()
		answer, err := r.await()
		if err != nil || answer == nil && r.quiet() {
			return err
		}
		if answer == nil {
			if err := r.commitWhenDue(); err != nil {
				return err
			}
			continue
		}
		sets, err := r.take(answer)
		if err == nil && !r.suffices(sets) {
			r.fetch() // ahead, while the loop works
		}
		for _, set := range sets {
			if goOn, err := r.hand(set, yield); !goOn {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fetch starts what there is to be asked now.
func (r *readRun) fetch() {
	now := time.Now()
	for _, action := range r.core.Step(now, func(partition int32) (int32, bool) {
		p, ok := r.handle.Cluster().Leader(r.ask.Topic, partition)
		return p.Leader, ok
	}) {
		r.jobs.Go(func() { r.answers <- r.do(action) })
	}
}

// do asks. It runs on a job's goroutine.
func (r *readRun) do(action reading.Action) readAnswer {
	answer := readAnswer{to: action}
	switch a := action.(type) {
	case *reading.LookUp:
		ctx, cancel := context.WithDeadlineCause(r.ctx, a.Until, errCallTimeout)
		defer cancel()
		answer.err = lookUp(ctx, r.system, r.handle, r.keys(a.Partitions), a.Stale)
	case *reading.Fetch:
		ctx, cancel := context.WithDeadlineCause(r.ctx, a.Until, errCallTimeout)
		defer cancel()
		wait := min(r.ask.MaxWait, time.Until(a.Until))
		if r.ask.Follow > 0 {
			wait = min(wait, r.ask.Follow)
		}
		answer.resp, answer.err = requestFetch(ctx, r.system, r.handle, a.Node, wait, fetchRequest(r.handle, r.ask.Topic, r.ask.Isolation, a.Wants...))
	}
	answer.at = time.Now()
	return answer
}

// await waits for an answer; nil if something else is due.
func (r *readRun) await() (*readAnswer, error) {
	now := time.Now()
	wake := r.core.Wake(now)
	if since, quiet := r.core.Quiet(); quiet && r.ask.Follow > 0 {
		wake = sooner(wake, since.Add(r.ask.Follow))
	}
	if r.ask.Group != "" && len(r.uncommitted()) > 0 {
		wake = sooner(wake, r.commits)
	}
	var due <-chan time.Time
	if !wake.IsZero() {
		timer := time.NewTimer(wake.Sub(now))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case answer := <-r.answers:
		return &answer, nil
	case <-due:
		return nil, nil
	case <-r.handle.Ended():
		return nil, handle.ErrStopped
	case <-r.ctx.Done():
		return nil, context.Cause(r.ctx)
	}
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// quiet says that nothing has come for as long as the reader follows.
func (r *readRun) quiet() bool {
	since, quiet := r.core.Quiet()
	return quiet && r.ask.Follow > 0 && time.Since(since) >= r.ask.Follow
}

// take opens an answer. The error is final, and comes behind the sets.
func (r *readRun) take(answer *readAnswer) (sets []messageset.Opened, err error) {
	switch to := answer.to.(type) {
	case *reading.LookUp:
		return nil, r.core.LookedUp(answer.at, to, func(partition int32) error {
			if answer.err != nil {
				return answer.err
			}
			_, err := leaderOf(r.handle, r.key(partition))
			return err
		})
	case *reading.Fetch:
		if err := r.sameTopic(); err != nil {
			return nil, err
		}
		got := make([]reading.Got, len(to.Wants))
		for i, want := range to.Wants {
			opened, one := r.open(answer, want)
			if got[i] = one; opened.Set != nil {
				sets = append(sets, opened)
			}
		}
		err := r.core.Fetched(answer.at, to, got)
		for i, want := range to.Wants { // what has nothing to show counts as finished
			if got[i].Err == nil && !among(sets, want.Partition) {
				r.next[want.Partition] = r.core.Next(want.Partition)
			}
		}
		return sets, r.explained(err, to.Wants, got)
	}
	return nil, nil
}

// explained puts the range into an error that an offset is not in it.
func (r *readRun) explained(err error, wants []reading.Want, got []reading.Got) error {
	for i, want := range wants {
		if errors.Is(err, wire.ErrOffsetOutOfRange) && errors.Is(got[i].Err, wire.ErrOffsetOutOfRange) {
			return r.ranged(r.ctx, want.Partition, want.Offset, err)
		}
	}
	return err
}

func among(sets []messageset.Opened, partition int32) bool {
	for _, s := range sets {
		if s.Set.Partition == partition {
			return true
		}
	}
	return false
}

// sameTopic refuses what another topic of the same name has.
func (r *readRun) sameTopic() error {
	known := r.handle.Cluster().Topics[r.ask.Topic]
	if known == nil || known.ID == r.topicID || known.ID == [16]byte{} || r.topicID == [16]byte{} {
		return nil
	}
	return &wire.Error{Code: wire.UnknownTopicOrPartition, API: int16(kmsg.Metadata), Topic: r.ask.Topic, Partition: -1,
		Cause: errors.New("the topic that was read is deleted, and another one of its name made")}
}

// open reads what an answer has of a partition.
func (r *readRun) open(answer *readAnswer, want reading.Want) (messageset.Opened, reading.Got) {
	got := reading.Got{Partition: want.Partition, Err: answer.err}
	if got.Err != nil {
		return messageset.Opened{}, got
	}
	if answer.resp.ErrorCode == 0 && len(answer.resp.Topics) > 0 && partitionOf(answer.resp, want.Partition) == nil {
		return messageset.Opened{}, got // others have filled the answer
	}
	part, err := fetchedOf(answer.resp, r.ask.Topic, r.ask.Isolation, want)
	if got.Err = err; err != nil {
		return messageset.Opened{}, got
	}
	got.Bytes, got.Stable = len(part.Data), part.HighWatermark
	if r.ask.Isolation == handle.ReadCommitted && part.LastStable >= 0 {
		got.Stable = part.LastStable
	}
	opened, err := messageset.Open(part, r.handle.Codecs(), 0)
	if err != nil {
		var partial *messageset.PartialError
		if errors.As(err, &partial) {
			got.Need = partial.Need
		}
		got.Err = fmt.Errorf("moldau: %s/%d: %w", r.ask.Topic, want.Partition, err)
	}
	got.Next = opened.Next
	return opened, got
}

// suffices says that what is at hand reaches a limit.
func (r *readRun) suffices(sets []messageset.Opened) bool {
	records, bytes := r.records, r.bytes
	for _, s := range sets {
		records += s.Set.Count()
		bytes += int64(s.Size)
	}
	return r.ask.Limit > 0 && records >= r.ask.Limit || r.ask.LimitBytes > 0 && bytes >= r.ask.LimitBytes
}

// hand gives the records of a set to the loop. It is false when that is to end.
func (r *readRun) hand(opened messageset.Opened, yield func(behaviors.Record) bool) (goOn bool, err error) {
	set := opened.Set
	end := r.core.End(set.Partition)
	for record := range set.Records() {
		if record.Offset >= end {
			break
		}
		if err := r.ctx.Err(); err != nil {
			return false, context.Cause(r.ctx)
		}
		if !yield(record) {
			return false, nil
		}
		r.next[set.Partition] = record.Offset + 1
		r.records++
		r.bytes += int64(len(record.Key) + len(record.Value) + record.Headers.Size())
		if r.suffices(nil) {
			return false, nil
		}
		if err := r.commitWhenDue(); err != nil {
			return false, err
		}
	}
	if err := set.Err(); err != nil {
		return false, fmt.Errorf("moldau: %s/%d: %w", set.Topic, set.Partition, err)
	}
	r.next[set.Partition] = min(set.Last()+1, end)
	return true, nil
}
