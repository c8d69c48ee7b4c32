package suite

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// TestPoisonRecord: a worker that fails over a record, in whatever way, is
// restarted alone and goes on from its last ack; its siblings do not notice.
func TestPoisonRecord(t *testing.T) {
	for name, fail := range map[string]func() error{
		"panic":  func() error { panic("poison") },
		"error":  func() error { return errors.New("poison") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 4}})
			client, seen := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
			flow := newFlow(t, client, "orders")
			var mu sync.Mutex
			ended := map[int32][]error{}
			sub, err := client.SubscribeTopic(moldau.TopicSubscriber{Topic: "orders", Begin: moldau.Earliest, NewWorker: func(a moldau.Assignment) (moldau.Worker, error) {
				return &taster{flow: flow, assignment: a, fail: fail, ended: func(reason error) {
					mu.Lock()
					defer mu.Unlock()
					ended[a.Partition] = append(ended[a.Partition], reason)
				}}, nil
			}})
			require.NoError(t, err)
			flow.produce(ctx, 4000)
			flow.verifyAcked(ctx, newForeign(t, fake.Addrs(), nil))
			for _, p := range sub.Progress() {
				want := 0
				if p.Partition == 2 {
					want = 1
				}
				require.Equal(t, want, p.Restarts, p.Partition)
			}
			require.Equal(t, 1, seen.count(is[telemetry.WorkerFailed]))
			require.NoError(t, sub.Stop(ctx))
			mu.Lock()
			defer mu.Unlock()
			require.Len(t, ended[2], 2, "each worker is told of its end")
			require.Error(t, ended[2][0])
			require.NoError(t, ended[2][1])
			require.Equal(t, []error{nil}, ended[0])
		})
	}
}

// taster fails once, over the tenth record of partition 2.
type taster struct {
	flow       *flow
	assignment moldau.Assignment
	fail       func() error
	ended      func(error)
}

func (w *taster) HandleMessageSet(_ context.Context, set *moldau.MessageSet) error {
	for r := range set.Records() {
		if r.Partition == 2 && r.Offset == 10 && w.assignment.Restarts == 0 {
			return w.fail()
		}
		w.flow.book(r)
	}
	return nil
}

func (w *taster) Terminate(reason error) { w.ended(reason) }
