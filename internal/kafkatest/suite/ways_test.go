package suite

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/supervisor"
)

// way is one way to produce, with the account of what became of each record.
type way struct {
	name    string
	topic   string
	rules   Rules
	history History
	settled counter
	produce func(ctx context.Context, n int) // the next n records, or some more
	crash   func(partition int32) bool       // a partition's producer, if it lives
	ended   func()                           // no more is produced
	idle    func() int                       // what is still held in memory
	crashes atomic.Int64
	delayed atomic.Int64 // restarts of producers that did not come at once
	waited  atomic.Int64 // messages that waited for room
}

// keyed numbers the next record, which goes with its key and nothing else in order.
func (w *way) keyed(key int) moldau.Record {
	_, r := w.numbered(key)
	return r
}

// numbered is keyed with the number.
func (w *way) numbered(key int) (id int, r moldau.Record) {
	id = w.history.Produced(key)
	return id, moldau.Record{Key: fmt.Append(nil, "key ", key), Value: fmt.Append(nil, id, " ", flowPad)}
}

// settle takes down what a record's producer was told.
func (w *way) settle(id int, offset int64, err error) {
	w.history.Settled(id, offset, err)
	w.settled.add(1)
}

// wayKeys is how many keys each way has.
const wayKeys = 50

// byPending waits for each record's Pending, in the order of production.
func byPending(t *testing.T, name string, client *moldau.Client, topic string, rules Rules) *way {
	w := newWay(t, name, client, topic, rules)
	claims := make(chan claim, 1<<17)
	go func() {
		for c := range claims {
			offset, err := c.pending.Wait(context.Background())
			w.settle(c.id, offset, err)
		}
	}()
	id := 0
	w.produce = func(ctx context.Context, n int) {
		for range n {
			claims <- claim{id, client.Topic(topic).Produce(ctx, w.keyed(id%wayKeys))}
			id++
		}
	}
	w.ended = func() { close(claims) }
	return w
}

// byCallback is told by callbacks, in the order of offsets.
func byCallback(t *testing.T, client *moldau.Client, topic string) *way {
	w := newWay(t, "callbacks", client, topic, Rules{InOrder: true})
	next := 0
	w.produce = func(ctx context.Context, n int) {
		for range n {
			id := next
			next++
			err := client.Topic(topic).ProduceFunc(ctx, w.keyed(id%wayKeys), func(offset int64, err error) { w.settle(id, offset, err) })
			if err != nil {
				w.settle(id, -1, err)
			}
		}
	}
	return w
}

// waitingCallers produce at once, each its own key and one record at a time.
const waitingCallers = 300

// byCall waits for each record before the caller's next.
func byCall(t *testing.T, client *moldau.Client, topic string) *way {
	w := newWay(t, "calls", client, topic, Rules{})
	wanted := make(chan struct{})
	for key := range waitingCallers {
		go func() {
			for range wanted {
				id, r := w.numbered(key)
				offset, err := client.Topic(topic).ProduceSync(context.Background(), r)
				w.settle(id, offset, err)
			}
		}()
	}
	w.produce = func(ctx context.Context, n int) {
		for range n {
			select {
			case wanted <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}
	w.ended = func() { close(wanted) }
	return w
}

// listLength is how many records a call has.
const listLength = 50

// byLists takes turns between lists of many keys and lists that are accepted
// together.
func byLists(t *testing.T, client *moldau.Client, topic string) *way {
	type list struct {
		first    int
		pendings moldau.Pendings
		together bool
	}
	w := newWay(t, "lists", client, topic, Rules{})
	lists := make(chan list, 1<<13)
	go func() {
		for l := range lists {
			_ = l.pendings.Wait(context.Background())
			w.settleList(l.first, l.pendings, l.together)
		}
	}()
	next, turn := 0, 0
	w.produce = func(ctx context.Context, n int) {
		for end := next + n; next < end; turn++ {
			l := list{first: next, together: turn%2 == 1}
			records := make([]moldau.Record, listLength)
			for i := range records {
				key := i % wayKeys
				if l.together {
					key = wayKeys + turn%wayKeys
				}
				records[i] = w.keyed(key)
			}
			if l.together {
				l.pendings = client.Topic(topic).ProduceTogether(ctx, records[0].Key, records)
			} else {
				l.pendings = client.Topic(topic).ProduceAll(ctx, records)
			}
			next += listLength
			lists <- l
		}
	}
	w.ended = func() { close(lists) }
	return w
}

// settleList takes down the outcomes of a list; those of one that was accepted
// together have offsets without a gap.
func (w *way) settleList(first int, pendings moldau.Pendings, together bool) {
	base := int64(-1)
	for i := range pendings.Len() {
		offset, err := pendings.At(i).Wait(context.Background())
		if i == 0 {
			base = offset
		}
		if together && err == nil && offset != base+int64(i) {
			w.history.Fault("record %d of a list that was accepted together is at offset %d, and the first at %d", first+i, offset, base)
		}
		w.settle(first+i, offset, err)
	}
}

func newWay(t *testing.T, name string, client *moldau.Client, topic string, rules Rules) *way {
	w := &way{name: name, topic: topic, rules: rules, idle: client.Buffered, ended: func() {}}
	w.watch(t, client.System())
	w.crash = func(partition int32) bool {
		tree, err := client.Tree(t.Context())
		if err != nil {
			return false
		}
		node := descend(tree, []string{"client:" + client.Name(), "producers", topic, fmt.Sprint("producer:", partition)})
		if node == nil || node.PID == nil {
			return false
		}
		client.System().Root.Send(node.PID, w.bug())
		return true
	}
	return w
}

// watch counts the producers that are restarted later.
func (w *way) watch(t *testing.T, system *actor.ActorSystem) {
	of := "/" + w.topic + "$" // the topic's supervisor
	events := system.EventStream.Subscribe(func(event any) {
		if e, ok := event.(*supervisor.Event); ok && e.State == supervisor.Delayed && strings.Contains(e.Supervisor.Id, of) {
			w.delayed.Add(1)
		}
	})
	t.Cleanup(func() { system.EventStream.Unsubscribe(events) })
}

// bug makes a producer panic, and counts it.
func (w *way) bug() *bug {
	return &bug{func() {
		w.crashes.Add(1)
		panic("planted in a producer of " + w.topic)
	}}
}

// steadily produces perSecond records in each way until the faults are over, and
// then the rest up to least; meanwhile a producer of each crashes every so often,
// one that strike names.
func steadily(ctx context.Context, ways []*way, least, perSecond int, every time.Duration, strike func(turn int) int32, faults func()) {
	over := make(chan struct{})
	var running sync.WaitGroup
	for _, w := range ways {
		running.Go(func() { w.steadily(ctx, least, perSecond, over) })
		running.Go(func() { w.crashEvery(ctx, every, strike, over) })
	}
	faults()
	close(over)
	running.Wait()
}

func (w *way) steadily(ctx context.Context, least, perSecond int, over <-chan struct{}) {
	defer w.ended()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for running := true; running && ctx.Err() == nil; {
		w.produce(ctx, max(1, perSecond/50))
		select {
		case <-tick.C:
		case <-ctx.Done():
		case <-over:
			running = false
		}
	}
	for ctx.Err() == nil && w.history.Count() < least {
		w.produce(ctx, min(1000, least-w.history.Count()))
	}
}

func (w *way) crashEvery(ctx context.Context, every time.Duration, strike func(turn int) int32, over <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-tick.C:
			w.crash(strike(turn))
		case <-over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// verify requires that every record was acked, told so once, and is in the log as
// the way's rules have it, and that no memory is held. It tells how many records are
// in the log more than once.
func (w *way) verify(t *testing.T, ctx context.Context, reader *foreign) (doubled int) {
	t.Helper()
	produced := w.history.Count()
	require.True(t, w.settled.await(ctx, produced), "%s: records are not settled: %+v", w.name, w.history.Counts())
	found, doubled := w.history.CheckWritten(reader.entries(ctx, w.topic), w.rules)
	counts := w.history.Counts()
	t.Logf("%s: %d produced, %d acked, %d in the log more than once; %d crashes of producers, %d times restarted later", w.name, counts.Produced, counts.Acked, doubled, w.crashes.Load(), w.delayed.Load())
	require.Empty(t, found, w.name)
	require.NoError(t, w.history.FirstFailure(), w.name)
	require.Equal(t, counts.Produced, counts.Acked, w.name)
	require.Positive(t, w.crashes.Load(), "%s: no producer has crashed", w.name)
	require.Eventually(t, func() bool { return w.idle() == 0 }, patience, time.Millisecond, "%s: memory of records that are settled", w.name)
	return doubled
}
