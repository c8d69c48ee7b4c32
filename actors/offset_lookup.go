package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
)

// offsetLookup finds the offset of a consumer's position. It holds nothing of
// the actor, so that it may go on outside of its turn.
type offsetLookup struct {
	root      *actor.RootContext
	broker    *actor.PID
	consumer  *actor.PID
	number    uint64
	key       handle.Partition
	isolation handle.Isolation
}

// ask sends the request. Where no record is as late as a timestamp, the
// position is the end, which takes a second request.
func (l *offsetLookup) ask(timestamp int64) {
	req := listOffsets(timestamp, l.isolation, l.key)
	l.root.Send(l.broker, &brokerCall{request: req, reply: func(resp kmsg.Response, err error) {
		m := &resolved{number: l.number, err: err}
		if err == nil {
			found := listedOffset(resp.(*kmsg.ListOffsetsResponse), l.key)
			m.offset, m.err = found.Offset, found.Err
		}
		if m.err == nil && m.offset < 0 && timestamp >= 0 {
			l.ask(latestTimestamp)
			return
		}
		l.root.Send(l.consumer, m)
	}})
}
