package actors

import (
	"context"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/behaviors"
)

// ListOffsets finds the offset of a position in each of the partitions, with
// one request for each leader, and tries again where that may help. A time
// after that of every record stands for the end. The answers are in the order
// of keys.
func ListOffsets(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, position behaviors.Position, keys []handle.Partition) []Listed {
	l := &offsetLister{system: system, handle: h, keys: keys, list: make([]Listed, len(keys)), open: make([]int, len(keys))}
	for i := range keys {
		l.open[i] = i
	}
	timestamp, asks := position.Timestamp()
	if !asks {
		offset, _ := position.Offset()
		for i := range l.list {
			l.list[i].Offset = offset
		}
		return l.list
	}
	l.resolve(ctx, timestamp)
	if timestamp >= 0 {
		for i, found := range l.list {
			if found.Err == nil && found.Offset < 0 {
				l.open = append(l.open, i)
			}
		}
		l.resolve(ctx, latestTimestamp)
	}
	return l.list
}

// offsetLister is one ListOffsets call. open are the keys without an answer.
type offsetLister struct {
	system *actor.ActorSystem
	handle *handle.Handle
	keys   []handle.Partition
	open   []int

	mu   sync.Mutex
	list []Listed
}

func (l *offsetLister) resolve(ctx context.Context, timestamp int64) {
	if len(l.open) == 0 {
		return
	}
	err := Retry(ctx, l.handle, Repeatable, func(ctx context.Context, attempt int) error { return l.round(ctx, timestamp, attempt) })
	for _, i := range l.open {
		l.list[i].Err = err // of the call as a whole: time was over, or no broker answered
	}
	l.open = nil
}

// round asks for all that are open, every leader at the same time. What is
// still open then has failed with the error that it returns.
func (l *offsetLister) round(ctx context.Context, timestamp int64, attempt int) error {
	byLeader := map[int32][]int{}
	unknown := l.lookUp(ctx, attempt)
	for _, i := range l.open {
		err := unknown[l.keys[i].Topic]
		leader := int32(-1)
		if err == nil {
			leader, err = leaderOf(l.handle, l.keys[i])
		}
		if l.list[i].Err = err; err == nil {
			byLeader[leader] = append(byLeader[leader], i)
		}
	}
	var wait sync.WaitGroup
	for leader, asked := range byLeader {
		wait.Go(func() { l.ask(ctx, leader, timestamp, asked) })
	}
	wait.Wait()
	return l.settle(ctx)
}

// lookUp looks up the topics of all that are open, each once, and tells of those
// that were not found.
func (l *offsetLister) lookUp(ctx context.Context, attempt int) map[string]error {
	keys, stale := map[string][]handle.Partition{}, map[string]bool{}
	for _, i := range l.open {
		topic := l.keys[i].Topic
		keys[topic] = append(keys[topic], l.keys[i])
		stale[topic] = stale[topic] || outdated(attempt, l.list[i].Err)
	}
	failed := map[string]error{}
	for topic := range keys {
		failed[topic] = lookUp(ctx, l.system, l.handle, keys[topic], stale[topic])
	}
	return failed
}

// settle keeps open what may still be answered, or was not for lack of time.
func (l *offsetLister) settle(ctx context.Context) (unanswered error) {
	open := l.open[:0]
	for _, i := range l.open {
		if err := l.list[i].Err; err != nil && (Repeatable(err) || ctx.Err() != nil) {
			open, unanswered = append(open, i), err
		}
	}
	l.open = open
	return unanswered
}

func (l *offsetLister) ask(ctx context.Context, leader int32, timestamp int64, asked []int) {
	queries := make([]offsetQuery, len(asked))
	for n, i := range asked {
		queries[n] = offsetQuery{l.keys[i], timestamp}
	}
	resp, err := Request(ctx, l.system, l.handle, leader, listOffsets(l.handle.Config().Consume.Isolation, queries...))
	var found map[handle.Partition]Listed
	if err == nil {
		found = listedOffsets(resp.(*kmsg.ListOffsetsResponse))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range asked {
		if err != nil {
			l.list[i].Err = err
			continue
		}
		l.list[i] = listedOffset(found, l.keys[i])
	}
}
