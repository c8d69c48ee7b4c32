package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/wire"
)

// askAgain is after how long a question to the client actor is put again: it
// may have been restarted, and with it forgotten who asked.
const askAgain = time.Second

// LookUp returns when the view of the cluster has a topic's partitions. stale
// wants an answer that is newer than this call. It does not try again.
func LookUp(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, topic string, stale bool) error {
	if !stale && h.Cluster().Count(topic) > 0 {
		return nil
	}
	if err := reach(ctx, system, h); err != nil {
		return err
	}
	for {
		reply := make(chan error, 1)
		if client := supervisor.Whereis(system, clientActorName(h)); client != nil {
			system.Root.Send(client, &findLeader{topic: topic, partition: -1, stale: stale, reply: func(err error) {
				select {
				case reply <- err:
				default:
				}
			}})
		}
		again := time.NewTimer(askAgain)
		select {
		case err := <-reply:
			again.Stop()
			return err
		case <-h.Ended():
			again.Stop()
			return handle.ErrStopped
		case <-ctx.Done():
			again.Stop()
			return context.Cause(ctx)
		case <-again.C:
		}
	}
}

// Partitions is LookUp with retries: it returns the number of a topic's
// partitions. A broker that cannot be reached, and why, is in the error.
func Partitions(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, topic string) (int32, error) {
	err := Retry(ctx, h, Repeatable, func(ctx context.Context, attempt int) error {
		return LookUp(ctx, system, h, topic, attempt > 0)
	})
	return h.Cluster().Count(topic), err
}

// reach asks any broker for nothing while none is known, so that a caller
// learns why there is none.
func reach(ctx context.Context, system *actor.ActorSystem, h *handle.Handle) error {
	if len(h.Cluster().Brokers) > 0 {
		return nil
	}
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	_, err := Request(ctx, system, h, AnyBroker, req)
	switch {
	case err == nil || len(h.Cluster().Brokers) > 0: // a bootstrap address' actor ends once brokers are known
		return nil
	case wire.Retriable(err):
		return &notAsked{err}
	}
	return err
}

// leaderOf is the present leader of a partition of a topic that was looked up.
func leaderOf(h *handle.Handle, key handle.Partition) (int32, error) {
	view := h.Cluster()
	if p, ok := view.Leader(key.Topic, key.Partition); ok {
		return p.Leader, nil
	}
	fail := &wire.Error{Code: wire.LeaderNotAvailable, API: int16(kmsg.Metadata), Topic: key.Topic, Partition: key.Partition}
	if count := view.Count(key.Topic); key.Partition < 0 || count > 0 && key.Partition >= count {
		fail.Code = wire.UnknownTopicOrPartition
	}
	return -1, fail
}

// atLeader looks a partition's leader up and calls with it, again after a
// failure that another look-up may mend.
func atLeader(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, key handle.Partition, call func(ctx context.Context, leader int32) error) error {
	return atLeaderWhile(ctx, system, h, key, Repeatable, call)
}

// atLeaderWhile is atLeader for a call that may not be made again after any failure.
func atLeaderWhile(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, key handle.Partition, again func(error) bool, call func(ctx context.Context, leader int32) error) error {
	var last error
	return Retry(ctx, h, again, func(ctx context.Context, attempt int) error {
		last = func() error {
			if err := lookUp(ctx, system, h, []handle.Partition{key}, outdated(attempt, last)); err != nil {
				return err
			}
			leader, err := leaderOf(h, key)
			if err != nil {
				return err
			}
			return call(ctx, leader)
		}()
		return last
	})
}

// outdated says that the view has to be asked for anew after the last failure.
// A connection that broke once says nothing of who leads: it is opened again.
func outdated(attempt int, last error) bool {
	return last != nil && (attempt > 1 || !errors.Is(last, wire.ErrConnection))
}

// lookUp looks the topics of partitions up, anew if one of the partitions is
// not in the view: the topic may have grown.
func lookUp(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, keys []handle.Partition, stale bool) error {
	done := map[string]bool{}
	for _, key := range keys {
		if !done[key.Topic] {
			if err := LookUp(ctx, system, h, key.Topic, stale); err != nil {
				return err
			}
			done[key.Topic] = true
		}
		if _, err := leaderOf(h, key); err != nil && !stale {
			return lookUp(ctx, system, h, keys, true)
		}
	}
	return nil
}
