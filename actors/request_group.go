package actors

import (
	"context"
	"errors"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/wire"
)

// CommittedOffsets asks for the place of a group in partitions, and tries again
// where that may help. The answers are in the order of keys; without keys they are
// all that the group has, which takes a broker from 0.10.2 on. The error joins
// those of partitions.
func CommittedOffsets(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, group string, keys []handle.Partition) ([]GroupOffset, error) {
	var list []GroupOffset
	err := atCoordinator(ctx, system, h, group, func(ctx context.Context, coordinator int32) error {
		resp, err := requestMost(ctx, system, h, coordinator, offsetFetch(group, keys), maxGroupOffsetVersion)
		if err != nil {
			return err
		}
		answer := resp.(*kmsg.OffsetFetchResponse)
		if len(keys) == 0 && answer.Version < 2 {
			return &wire.VersionError{API: answer.Key(), OurMin: 2, OurMax: maxGroupOffsetVersion, BrokerMax: answer.Version, Wanted: -1}
		}
		list, err = groupOffsets(group, answer)
		if errors.Is(err, wire.ErrNotFound) { // a group without members and offsets is none
			list, err = nothingCommitted(keys), nil
		}
		if err != nil {
			return err
		}
		return firstRetriable(list)
	})
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		list = inOrder(group, keys, list)
	}
	var errs []error
	for _, o := range list {
		errs = append(errs, o.Err)
	}
	return list, errors.Join(errs...)
}

func nothingCommitted(keys []handle.Partition) []GroupOffset {
	list := make([]GroupOffset, len(keys))
	for i, key := range keys {
		list[i] = GroupOffset{Partition: key, Offset: -1}
	}
	return list
}

// firstRetriable is an error of a partition that asking again may mend.
func firstRetriable(list []GroupOffset) error {
	at := slices.IndexFunc(list, func(o GroupOffset) bool { return wire.Retriable(o.Err) })
	if at < 0 {
		return nil
	}
	return list[at].Err
}

// inOrder puts what was found into the order of keys.
func inOrder(group string, keys []handle.Partition, list []GroupOffset) []GroupOffset {
	found := map[handle.Partition]GroupOffset{}
	for _, o := range list {
		found[o.Partition] = o
	}
	ordered := make([]GroupOffset, len(keys))
	for i, key := range keys {
		one, there := found[key]
		if !there {
			one = GroupOffset{Partition: key, Offset: -1, Err: groupFailure(kmsg.OffsetFetch, group, key, int16(wire.UnknownServerError))}
		}
		ordered[i] = one
	}
	return ordered
}

// CommitOffsets commits offsets for a member, or for who is none, and tries again
// where that may help: the same commit twice is as good as once. The error joins
// those of partitions; what it does not name is committed.
func CommitOffsets(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, by Member, offsets []GroupOffset) error {
	if len(offsets) == 0 {
		return nil
	}
	var errs []error
	err := atCoordinator(ctx, system, h, by.Group, func(ctx context.Context, coordinator int32) error {
		resp, err := requestMost(ctx, system, h, coordinator, offsetCommit(by, offsets), maxGroupOffsetVersion)
		if err != nil {
			return err
		}
		errs = nil
		for key, err := range committed(by, resp.(*kmsg.OffsetCommitResponse)) {
			if errors.Is(err, wire.ErrUnknownTopic) {
				err = inCluster(ctx, system, h, key, err)
			}
			if Repeatable(err) {
				return err
			}
			errs = append(errs, err)
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// inCluster asks the cluster for a partition that a broker does not know: its error
// is final, that of the broker may be its lag.
func inCluster(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, key handle.Partition, lag error) error {
	if err := LookUp(ctx, system, h, key.Topic, true); err != nil {
		return err
	}
	if _, err := leaderOf(h, key); err != nil {
		return err
	}
	return lag
}

// atCoordinator finds the coordinator of a group and calls with it, again after a
// failure that may pass. Who it was is remembered until it refuses or is gone.
func atCoordinator(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, group string, call func(ctx context.Context, coordinator int32) error) error {
	return Retry(ctx, h, Repeatable, func(ctx context.Context, attempt int) error {
		node, known := h.Coordinators().Of(group)
		if !known {
			found, err := coordinatorOf(ctx, system, h, group)
			if err != nil {
				return err
			}
			node = found
			h.Coordinators().Set(group, node)
		}
		err := call(ctx, node)
		if errors.Is(err, wire.ErrCoordinator) || errors.Is(err, wire.ErrConnection) {
			h.Coordinators().Forget(group, node)
		}
		return err
	})
}

// coordinatorOf asks any broker who coordinates a group.
func coordinatorOf(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, group string) (int32, error) {
	if err := reach(ctx, system, h); err != nil {
		return -1, err
	}
	resp, err := Request(ctx, system, h, AnyBroker, findCoordinator(group))
	if err != nil {
		return -1, err
	}
	node, err := coordinatorIn(group, resp.(*kmsg.FindCoordinatorResponse))
	if err == nil && !slices.ContainsFunc(h.Nodes(), func(n metadata.Broker) bool { return n.ID == node }) {
		// A broker that is new to the client comes with the next metadata, whether or
		// not it tells of the topic.
		_ = LookUp(ctx, system, h, coordinatedBy, true)
	}
	return node, err
}

// coordinatedBy is the topic whose leaders coordinate groups.
const coordinatedBy = "__consumer_offsets"
