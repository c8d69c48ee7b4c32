package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
)

// lookUpOffset asks a broker actor for the offset of a consumer's position; the
// answer is resolved, with the same number.
type lookUpOffset struct {
	offsetQuery
	number   uint64
	consumer *actor.PID
}

// offsetQueue is what a broker actor has to look up: a thousand consumers that
// start at the same time make a few requests, not a thousand.
type offsetQueue struct {
	queue  []*lookUpOffset
	flying bool // a request is under way; what comes in meanwhile goes into the next
}

// offsetsDone tells the broker actor that a request is answered, and what has to
// be looked up once more. The other consumers have been told already.
type offsetsDone struct{ again []*lookUpOffset }

func (b *broker) addLookups(ctx actor.Context, list ...*lookUpOffset) {
	b.offsets.queue = append(b.offsets.queue, list...)
	b.lookUp(ctx)
}

func (b *broker) lookedUp(ctx actor.Context, m *offsetsDone) {
	b.offsets.flying = false
	b.addLookups(ctx, m.again...)
}

// lookUp sends what waits, one request at a time: a broker answers the requests
// of a connection in order anyway.
func (b *broker) lookUp(ctx actor.Context) {
	if b.offsets.flying || len(b.offsets.queue) == 0 {
		return
	}
	b.offsets.flying = true
	asked := b.offsets.next()
	queries := make([]offsetQuery, len(asked))
	for i, m := range asked {
		queries[i] = m.offsetQuery
	}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	b.call(ctx, &brokerCall{request: listOffsets(b.handle.Config().Consume.Isolation, queries...), reply: func(resp kmsg.Response, err error) {
		root.Send(self, &offsetsDone{answerLookups(root, asked, resp, err)})
	}})
}

// next takes what the next request carries: every partition once.
func (q *offsetQueue) next() (asked []*lookUpOffset) {
	seen := make(map[handle.Partition]bool, len(q.queue))
	var rest []*lookUpOffset
	for _, m := range q.queue {
		if seen[m.key] {
			rest = append(rest, m)
			continue
		}
		seen[m.key] = true
		asked = append(asked, m)
	}
	q.queue = rest
	return asked
}

// fail answers everything that waits.
func (q *offsetQueue) fail(root *actor.RootContext, err error) {
	for _, m := range q.queue {
		root.Send(m.consumer, &resolved{number: m.number, err: err})
	}
	q.queue = nil
}

// answerLookups tells each consumer what its position stands for. Where no record
// is as late as a timestamp that is the end, which takes a second request. It may
// run on the connection's goroutine.
func answerLookups(root *actor.RootContext, asked []*lookUpOffset, resp kmsg.Response, err error) (again []*lookUpOffset) {
	var found map[handle.Partition]Listed
	if err == nil {
		found = listedOffsets(resp.(*kmsg.ListOffsetsResponse))
	}
	for _, m := range asked {
		answer := &resolved{number: m.number, err: err}
		if err == nil {
			one := listedOffset(found, m.key)
			answer.offset, answer.err = one.Offset, one.Err
		}
		if answer.err == nil && answer.offset < 0 && m.timestamp >= 0 {
			end := *m
			end.timestamp = latestTimestamp
			again = append(again, &end)
			continue
		}
		root.Send(m.consumer, answer)
	}
	return again
}
