package suite

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
)

// flow produces numbered records to a topic, waits for each one's outcome, and
// has a subscriber read them; all of it goes into a History.
type flow struct {
	t       *testing.T
	client  *moldau.Client
	topic   moldau.Topic
	name    string
	keys    int
	pad     string
	history History
	pending chan claim
	settler sync.WaitGroup
	tops    progress

	acked  counter
	failed counter
	handed counter // records, each at its first time
}

type claim struct {
	id      int
	pending moldau.Pending
}

// flowPad makes a record about 100 bytes.
const flowPad = "................................................................................"

func newFlow(t *testing.T, client *moldau.Client, topic string) *flow {
	f := &flow{t: t, client: client, topic: client.Topic(topic), name: topic, keys: 50, pad: flowPad, pending: make(chan claim, 1<<17)}
	f.settler.Go(f.settle)
	return f
}

// produce produces count records. It blocks only where Produce does.
func (f *flow) produce(ctx context.Context, count int) {
	for range count {
		f.one(ctx)
	}
}

func (f *flow) one(ctx context.Context) {
	id := f.history.Produced(f.nextKey())
	pending := f.topic.Produce(ctx, moldau.Record{Key: fmt.Append(nil, "key ", id%f.keys), Value: fmt.Append(nil, id, " ", f.pad)})
	f.pending <- claim{id, pending}
}

func (f *flow) nextKey() int {
	f.history.mu.Lock()
	defer f.history.mu.Unlock()
	return len(f.history.records) % f.keys
}

// during produces until the fault is over, steadily, and then the rest up to
// least records in all.
func (f *flow) during(ctx context.Context, least int, perSecond int, fault func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fault()
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for running := true; running; {
		f.produce(ctx, perSecond/100)
		select {
		case <-tick.C:
		case <-done:
			running = false
		}
	}
	f.produce(ctx, least-f.history.Count())
}

// settle waits for the outcomes, in the order of production.
func (f *flow) settle() {
	ctx := context.Background()
	for c := range f.pending {
		offset, err := c.pending.Wait(ctx)
		f.history.Settled(c.id, offset, err)
		if err == nil {
			f.acked.add(1)
		} else {
			f.failed.add(1)
		}
	}
}

// settled ends production and returns when every outcome is there.
func (f *flow) settled(ctx context.Context) {
	f.t.Helper()
	close(f.pending)
	done := make(chan struct{})
	go func() { f.settler.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		require.FailNow(f.t, "records are not settled", "%+v", f.history.Counts())
	}
}

// subscribe reads the topic from its beginning on.
func (f *flow) subscribe() *moldau.Subscription {
	f.t.Helper()
	sub, err := f.client.SubscribeTopic(moldau.TopicSubscriber{Topic: f.name, Begin: moldau.Earliest, NewWorker: func(moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(_ context.Context, set *moldau.MessageSet) error {
			for r := range set.Records() {
				f.book(r)
			}
			return nil
		}), nil
	}})
	require.NoError(f.t, err)
	return sub
}

// collect makes workers that send on every record.
func collect(records chan<- moldau.Record) func(moldau.Assignment) (moldau.Worker, error) {
	return func(moldau.Assignment) (moldau.Worker, error) {
		return moldau.WorkerFunc(func(ctx context.Context, set *moldau.MessageSet) error {
			for r := range set.Records() {
				select {
				case records <- r:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		}), nil
	}
}

// book takes down a record that a worker was handed.
func (f *flow) book(r moldau.Record) {
	f.history.Handed(Entry{r.Partition, r.Offset, idOf(r.Value)})
	if f.tops.fresh(r.Partition, r.Offset) {
		f.handed.add(1)
	}
}

// progress tells records that are handed out for the first time.
type progress struct {
	mu   sync.Mutex
	next map[int32]int64
}

func (p *progress) fresh(partition int32, offset int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if offset < p.next[partition] {
		return false
	}
	if p.next == nil {
		p.next = map[int32]int64{}
	}
	p.next[partition] = offset + 1
	return true
}

// verify ends the flow and requires that nothing was lost: all is settled, all
// that the log holds is handed out, and the history has no violation.
func (f *flow) verify(ctx context.Context, reader *foreign) Counts {
	f.t.Helper()
	f.settled(ctx)
	log := reader.entries(ctx, f.name)
	require.True(f.t, f.handed.await(ctx, len(log)), "%d of %d records were handed out: %+v", f.handed.value(), len(log), f.history.Counts())
	violations := f.history.Check(log)
	if len(violations) > 0 {
		f.t.Logf("%+v; the first that failed: %v", f.history.Counts(), f.history.FirstFailure())
	}
	require.Empty(f.t, violations)
	return f.history.Counts()
}

// verifyAcked also requires that every record was acked.
func (f *flow) verifyAcked(ctx context.Context, reader *foreign) Counts {
	f.t.Helper()
	counts := f.verify(ctx, reader)
	require.NoError(f.t, f.history.FirstFailure())
	require.Equal(f.t, counts.Produced, counts.Acked)
	return counts
}

// counter is a number that can be waited for.
type counter struct {
	mu      sync.Mutex
	n       int
	waiting []counterWait
}

type counterWait struct {
	at   int
	done chan struct{}
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
	if len(c.waiting) == 0 {
		return
	}
	c.waiting = slices.DeleteFunc(c.waiting, func(w counterWait) bool {
		if w.at <= c.n {
			close(w.done)
		}
		return w.at <= c.n
	})
}

func (c *counter) value() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// await returns when the counter is at n, or false when ctx ends.
func (c *counter) await(ctx context.Context, n int) bool {
	c.mu.Lock()
	if c.n >= n {
		c.mu.Unlock()
		return true
	}
	done := make(chan struct{})
	c.waiting = append(c.waiting, counterWait{n, done})
	c.mu.Unlock()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
