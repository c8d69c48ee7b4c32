package actors

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/wire"
)

// The requests about the committed offsets of groups. From version 10 on they name
// topics by ids, which a group that outlives a topic has no use for.
const maxGroupOffsetVersion = 9

// GroupOffset is the place of a group in a partition.
type GroupOffset struct {
	handle.Partition
	// Offset is the next offset to be read. -1: nothing is committed.
	Offset int64
	// Metadata is any text that is kept with the offset.
	Metadata string
	// Err is why the offset could not be told; Offset is then -1.
	Err error
}

// Member is who commits to a group: an instance of a generation, or who stands
// outside of the group.
type Member struct {
	Group      string
	Generation int32
	ID         string
	Instance   *string // nil: not static
}

// Outsider commits to a group that nobody is a member of at the time.
func Outsider(group string) Member { return Member{Group: group, Generation: -1} }

// ErrGroupInUse is a commit to a group whose members are running: they alone may
// commit to it.
var ErrGroupInUse = errors.New("moldau: the group has members, who alone may commit to it; stop them, or use another group")

// offsetCommit is the request of a member for offsets of any partitions.
func offsetCommit(by Member, offsets []GroupOffset) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation, req.MemberID, req.InstanceID = by.Group, by.Generation, by.ID, by.Instance
	topics := map[string]int{}
	for _, o := range offsets {
		at, there := topics[o.Topic]
		if !there {
			at = len(req.Topics)
			topics[o.Topic] = at
			t := kmsg.NewOffsetCommitRequestTopic()
			t.Topic = o.Topic
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.Metadata = o.Partition.Partition, o.Offset, kmsg.StringPtr(o.Metadata)
		req.Topics[at].Partitions = append(req.Topics[at].Partitions, p)
	}
	return req
}

// committed reads the answer to it: the failures by partition.
func committed(by Member, resp *kmsg.OffsetCommitResponse) map[handle.Partition]error {
	failed := map[handle.Partition]error{}
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			key := handle.Partition{Topic: resp.Topics[i].Topic, Partition: p.Partition}
			if err := groupFailure(kmsg.OffsetCommit, by.Group, key, p.ErrorCode); err != nil {
				if code := wire.Code(p.ErrorCode); by.Generation < 0 && code.Is(wire.ErrRejoin) {
					err.(*wire.Error).Cause = ErrGroupInUse
				}
				failed[key] = err
			}
		}
	}
	return failed
}

// offsetFetch asks for the offsets of a group in partitions; none stands for all
// that it has. Offsets that an open transaction commits are waited for (KIP-447).
func offsetFetch(group string, keys []handle.Partition) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.RequireStable = group, true
	one := kmsg.NewOffsetFetchRequestGroup() // from version 8 on
	one.Group = group
	topics := map[string]int{}
	for _, key := range keys {
		at, there := topics[key.Topic]
		if !there {
			at = len(req.Topics)
			topics[key.Topic] = at
			old, t := kmsg.NewOffsetFetchRequestTopic(), kmsg.NewOffsetFetchRequestGroupTopic()
			old.Topic, t.Topic = key.Topic, key.Topic
			req.Topics, one.Topics = append(req.Topics, old), append(one.Topics, t)
		}
		req.Topics[at].Partitions = append(req.Topics[at].Partitions, key.Partition)
		one.Topics[at].Partitions = append(one.Topics[at].Partitions, key.Partition)
	}
	req.Groups = append(req.Groups, one)
	return req
}

// groupOffsets reads the answer to it.
func groupOffsets(group string, resp *kmsg.OffsetFetchResponse) (list []GroupOffset, err error) {
	code := resp.ErrorCode
	add := func(topic string, partition int32, offset int64, metadata *string, code int16) {
		o := GroupOffset{Partition: handle.Partition{Topic: topic, Partition: partition}, Offset: offset}
		if metadata != nil {
			o.Metadata = *metadata
		}
		if o.Err = groupFailure(kmsg.OffsetFetch, group, o.Partition, code); o.Err != nil {
			o.Offset = -1
		}
		list = append(list, o)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			add(t.Topic, p.Partition, p.Offset, p.Metadata, p.ErrorCode)
		}
	}
	for _, g := range resp.Groups {
		code = g.ErrorCode
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				add(t.Topic, p.Partition, p.Offset, p.Metadata, p.ErrorCode)
			}
		}
	}
	return list, groupFailure(kmsg.OffsetFetch, group, handle.Partition{}, code)
}

// findCoordinator asks who coordinates a group.
func findCoordinator(group string) *kmsg.FindCoordinatorRequest {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKey, req.CoordinatorKeys = group, []string{group} // the latter from version 4 on
	return req
}

// coordinatorIn reads the answer to it.
func coordinatorIn(group string, resp *kmsg.FindCoordinatorResponse) (int32, error) {
	node, code := resp.NodeID, resp.ErrorCode
	if resp.Version >= 4 {
		node, code = -1, int16(wire.CoordinatorNotAvailable)
		for _, c := range resp.Coordinators {
			node, code = c.NodeID, c.ErrorCode
		}
	}
	return node, groupFailure(kmsg.FindCoordinator, group, handle.Partition{}, code)
}

// groupFailure is what a code means for a group; nil for none.
func groupFailure(api kmsg.Key, group string, key handle.Partition, code int16) error {
	if code == 0 {
		return nil
	}
	return &wire.Error{Code: wire.Code(code), API: int16(api), Topic: key.Topic, Partition: key.Partition, Group: group}
}
