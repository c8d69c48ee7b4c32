package actors

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/wire"
)

// What a ListOffsets request asks for in place of a time: the end of a partition,
// and its oldest record.
const (
	latestTimestamp   = -1
	earliestTimestamp = -2
)

// Listed is the offset that a position stands for in one partition, or why it
// could not be found.
type Listed struct {
	Offset int64
	Err    error
}

// offsetQuery asks for the offset in a partition that belongs to a timestamp, or
// to the protocol's numbers for earliest (-2) and latest (-1).
type offsetQuery struct {
	key       handle.Partition
	timestamp int64
}

// listOffsets is the request for queries of different partitions.
func listOffsets(isolation handle.Isolation, queries ...offsetQuery) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.IsolationLevel = isolation.Wire()
	topics := map[string]int{}
	for _, q := range queries {
		at, there := topics[q.key.Topic]
		if !there {
			at = len(req.Topics)
			topics[q.key.Topic] = at
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = q.key.Topic
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp, p.MaxNumOffsets = q.key.Partition, q.timestamp, 1
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

// listedOffset is the answer for one partition of those that were found.
func listedOffset(found map[handle.Partition]Listed, key handle.Partition) Listed {
	if one, there := found[key]; there {
		return one
	}
	return Listed{Err: listFailure(key, wire.UnknownServerError)}
}

func listFailure(key handle.Partition, code wire.Code) error {
	return &wire.Error{Code: code, API: int16(kmsg.ListOffsets), Topic: key.Topic, Partition: key.Partition}
}
