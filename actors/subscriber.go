package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/wire"
)

// Purpose:  decides which partitions of a topic have a worker, and starts one for
// each that is new.
// Parent:   the subscription's supervisor, its first child.
// Children: none; the workers are its siblings' children.
// Messages: in topicKnown, viewChanged; out findLeader to the client, StartChild
// to the workers supervisor.
// Restart:  permanent, delayed; the workers are restarted after it.
// Crash:    loses nothing: partitions and ack floors are in the handle.
type subscriber struct {
	handle *handle.Handle
	sub    *handle.Subscription
	err    error
}

// topicKnown is the answer to findLeader for the whole topic.
type topicKnown struct{ err error }

// viewChanged tells that there is a new view of the cluster.
type viewChanged struct{}

func newSubscriber(h *handle.Handle, sub *handle.Subscription) *subscriber {
	return &subscriber{handle: h, sub: sub}
}

// Receive implements actor.Actor.
func (s *subscriber) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.ask(ctx)
	case *topicKnown:
		s.err = m.err
		if m.err != nil {
			supervisor.Exit(ctx, m.err)
			return
		}
		s.assign(ctx)
	case viewChanged:
		if s.err == nil {
			s.assign(ctx)
		}
	}
}

func (s *subscriber) ask(ctx actor.Context) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	tell(ctx, clientActorName(s.handle), &findLeader{topic: s.sub.Topic, partition: -1, reply: func(err error) { root.Send(self, &topicKnown{err}) }})
}

// assign gives every partition that is wanted and there to a worker.
func (s *subscriber) assign(ctx actor.Context) {
	count := s.handle.Cluster().Count(s.sub.Topic)
	for _, p := range s.sub.Partitions {
		if p < 0 || count > 0 && p >= count {
			supervisor.Exit(ctx, &wire.Error{Code: wire.UnknownTopicOrPartition, API: int16(kmsg.Metadata), Topic: s.sub.Topic, Partition: p,
				Cause: fmt.Errorf("the topic has %d partitions", count)})
			return
		}
	}
	for _, p := range s.sub.Assign(count) {
		tell(ctx, workersName(s.handle, s.sub.Name), &supervisor.StartChild{Spec: workerSpec(s.handle, s.sub, p)})
	}
}

// Inspect tells what is subscribed.
func (s *subscriber) Inspect() []supervisor.Attr {
	return []supervisor.Attr{word("topic", s.sub.Topic), number("partitions", int64(len(s.sub.Assigned())))}
}
