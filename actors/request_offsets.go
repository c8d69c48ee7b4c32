package actors

import (
	"context"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// Listed is the offset that a position stands for in one partition, or why it
// could not be found.
type Listed struct {
	Offset int64
	Err    error
}

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
	for _, i := range l.open {
		err := lookUp(ctx, l.system, l.handle, l.keys[i:i+1], outdated(attempt, l.list[i].Err))
		leader := int32(-1)
		if err == nil {
			leader, err = leaderOf(l.handle, l.keys[i])
		}
		if l.list[i].Err = err; err == nil {
			byLeader[leader] = append(byLeader[leader], i)
		} else if ctx.Err() != nil {
			break
		}
	}
	var wait sync.WaitGroup
	for leader, asked := range byLeader {
		wait.Go(func() { l.ask(ctx, leader, timestamp, asked) })
	}
	wait.Wait()
	return l.settle(ctx)
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
	resp, err := Request(ctx, l.system, l.handle, leader, l.request(timestamp, asked))
	found := map[handle.Partition]Listed{}
	if err == nil {
		found = listedOffsets(resp.(*kmsg.ListOffsetsResponse))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range asked {
		one, there := found[l.keys[i]]
		switch {
		case err != nil:
			l.list[i].Err = err
		case there:
			l.list[i] = one
		default:
			l.list[i].Err = listFailure(l.keys[i], wire.UnknownServerError)
		}
	}
}

func (l *offsetLister) request(timestamp int64, asked []int) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.IsolationLevel = l.handle.Config().Consume.Isolation.Wire()
	topics := map[string]int{}
	for _, i := range asked {
		key := l.keys[i]
		at, there := topics[key.Topic]
		if !there {
			at = len(req.Topics)
			topics[key.Topic] = at
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = key.Topic
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp, p.MaxNumOffsets = key.Partition, timestamp, 1
		req.Topics[at].Partitions = append(req.Topics[at].Partitions, p)
	}
	return req
}

// listedOffsets reads an answer: an offset of -1 stands for a time after that
// of every record.
func listedOffsets(resp *kmsg.ListOffsetsResponse) map[handle.Partition]Listed {
	found := map[handle.Partition]Listed{}
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			key := handle.Partition{Topic: resp.Topics[i].Topic, Partition: p.Partition}
			switch {
			case p.ErrorCode != 0:
				found[key] = Listed{Err: listFailure(key, wire.Code(p.ErrorCode))}
			case len(p.OldStyleOffsets) > 0: // version 0 lists segment offsets
				found[key] = Listed{Offset: p.OldStyleOffsets[0]}
			default:
				found[key] = Listed{Offset: p.Offset}
			}
		}
	}
	return found
}

func listFailure(key handle.Partition, code wire.Code) error {
	return &wire.Error{Code: code, API: int16(kmsg.ListOffsets), Topic: key.Topic, Partition: key.Partition}
}
