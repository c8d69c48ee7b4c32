package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/wire"
)

// offsetLookup finds the offset of a consumer's position. It holds nothing of
// the actor, so that it may go on outside of its turn.
type offsetLookup struct {
	root      *actor.RootContext
	broker    *actor.PID
	consumer  *actor.PID
	number    uint64
	key       fetching.Key
	isolation handle.Isolation
}

// ask sends the request. Where no record is as late as a timestamp, the
// position is the end, which takes a second request.
func (l *offsetLookup) ask(timestamp int64) {
	req := listOffset(l.key.Topic, l.key.Partition, timestamp, l.isolation)
	l.root.Send(l.broker, &brokerCall{request: req, reply: func(resp kmsg.Response, err error) {
		m := &resolved{number: l.number, err: err}
		if err == nil {
			m.offset, m.err = listedOffset(resp.(*kmsg.ListOffsetsResponse), l.key.Topic, l.key.Partition)
		}
		if m.err == nil && m.offset < 0 && timestamp >= 0 {
			l.ask(latestTimestamp)
			return
		}
		l.root.Send(l.consumer, m)
	}})
}

// latestTimestamp asks for the end of a partition.
const latestTimestamp = -1

// listOffset asks for the offset that belongs to a timestamp, or to the
// protocol's numbers for earliest (-2) and latest (-1).
func listOffset(topic string, partition int32, timestamp int64, isolation handle.Isolation) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.IsolationLevel = isolation.Wire()
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp, p.MaxNumOffsets = partition, timestamp, 1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// listedOffset reads the answer to listOffset: -1 for a timestamp after that of
// every record.
func listedOffset(resp *kmsg.ListOffsetsResponse, topic string, partition int32) (int64, error) {
	fail := &wire.Error{API: int16(kmsg.ListOffsets), Topic: topic, Partition: partition, Code: wire.UnknownServerError}
	for i := range resp.Topics {
		if resp.Topics[i].Topic != topic {
			continue
		}
		for _, p := range resp.Topics[i].Partitions {
			if p.Partition != partition {
				continue
			}
			if p.ErrorCode != 0 {
				fail.Code = wire.Code(p.ErrorCode)
				return -1, fail
			}
			if len(p.OldStyleOffsets) > 0 { // version 0 lists segment offsets
				return p.OldStyleOffsets[0], nil
			}
			return p.Offset, nil
		}
	}
	return -1, fail
}
