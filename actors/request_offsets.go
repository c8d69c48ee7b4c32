package actors

import (
	"context"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/behaviors"
)

// Place is a position in a partition, to be looked up.
type Place struct {
	Key      handle.Partition
	Position behaviors.Position
}

// ListOffsets finds the offsets of places, with one request for each leader, and
// tries again where that may help. A time after that of every record stands for
// the end, which is the last stable offset with ReadCommitted. The answers are in
// the order of the places.
func ListOffsets(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, isolation handle.Isolation, places []Place) []Listed {
	l := &offsetLister{system: system, handle: h, isolation: isolation, queries: make([]offsetQuery, len(places)), list: make([]Listed, len(places))}
	for i, place := range places {
		timestamp, asks := place.Position.Timestamp()
		l.queries[i] = offsetQuery{place.Key, timestamp}
		if asks {
			l.open = append(l.open, i)
		} else {
			l.list[i].Offset, _ = place.Position.Offset()
		}
	}
	l.resolve(ctx)
	least := make([]int64, len(places))
	for i, place := range places {
		least[i] = l.askMore(i, place.Position)
	}
	l.resolve(ctx)
	for i := range l.list {
		l.list[i].Offset = max(l.list[i].Offset, least[i])
	}
	return l.list
}

// offsetLister is one ListOffsets call. open are the queries without an answer.
type offsetLister struct {
	system    *actor.ActorSystem
	handle    *handle.Handle
	isolation handle.Isolation
	queries   []offsetQuery
	open      []int

	mu   sync.Mutex
	list []Listed
}

// askMore asks a second question where the first answer does not tell the offset:
// that is the second answer then, but not less than what is returned.
func (l *offsetLister) askMore(i int, position behaviors.Position) int64 {
	told := l.list[i]
	if told.Err != nil {
		return told.Offset
	}
	if back, ok := position.Back(); ok {
		l.queries[i].timestamp, l.open = earliestTimestamp, append(l.open, i)
		return max(told.Offset-back, 0)
	}
	if timestamp, asks := position.Timestamp(); asks && timestamp >= 0 && told.Offset < 0 {
		l.queries[i].timestamp, l.open = latestTimestamp, append(l.open, i)
		return 0
	}
	return told.Offset
}

func (l *offsetLister) resolve(ctx context.Context) {
	if len(l.open) == 0 {
		return
	}
	err := Retry(ctx, l.handle, Repeatable, l.round)
	for _, i := range l.open {
		l.list[i].Err = err // of the call as a whole: time was over, or no broker answered
	}
	l.open = nil
}

// asking is a request: the leader, and a number that tells apart the requests
// that ask it for several offsets of the same partition.
type asking struct{ leader, number int32 }

// round asks for all that are open, every leader at the same time. What is
// still open then has failed with the error that it returns.
func (l *offsetLister) round(ctx context.Context, attempt int) error {
	requests, seen := map[asking][]int{}, map[handle.Partition]int32{}
	unknown := l.lookUp(ctx, attempt)
	for _, i := range l.open {
		key := l.queries[i].key
		err := unknown[key.Topic]
		leader := int32(-1)
		if err == nil {
			leader, err = leaderOf(l.handle, key)
		}
		if l.list[i].Err = err; err == nil {
			to := asking{leader, seen[key]}
			requests[to] = append(requests[to], i)
			seen[key]++
		}
	}
	var wait sync.WaitGroup
	for to, asked := range requests {
		wait.Go(func() { l.ask(ctx, to.leader, asked) })
	}
	wait.Wait()
	return l.settle(ctx)
}

// lookUp looks up the topics of all that are open, each once, and tells of those
// that were not found.
func (l *offsetLister) lookUp(ctx context.Context, attempt int) map[string]error {
	keys, stale := map[string][]handle.Partition{}, map[string]bool{}
	for _, i := range l.open {
		topic := l.queries[i].key.Topic
		keys[topic] = append(keys[topic], l.queries[i].key)
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

func (l *offsetLister) ask(ctx context.Context, leader int32, asked []int) {
	queries := make([]offsetQuery, len(asked))
	for n, i := range asked {
		queries[n] = l.queries[i]
	}
	resp, err := Request(ctx, l.system, l.handle, leader, listOffsets(l.isolation, queries...))
	var found map[handle.Partition]Listed
	if err == nil {
		found = listedOffsets(resp.(*kmsg.ListOffsetsResponse))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, i := range asked {
		if err != nil {
			l.list[i].Err = err
			continue
		}
		l.list[i] = listedOffset(found, queries[n].key)
	}
}
