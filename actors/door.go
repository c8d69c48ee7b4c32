package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
)

// The calls by which goroutines reach into a client's tree.

// Use starts the producers of a topic whose partitions are known.
func Use(system *actor.ActorSystem, h *handle.Handle, topic *handle.Topic) {
	topic.Grow(h.Cluster().Count(topic.Name()))
	if client := supervisor.Whereis(system, clientActorName(h)); client != nil {
		system.Root.Send(client, &useTopic{topic})
	}
}

// Prepare is Use for a topic whose partitions may not be known yet; it does not
// wait for that. It does nothing while a look-up for it is under way.
func Prepare(system *actor.ActorSystem, h *handle.Handle, topic *handle.Topic) {
	client := supervisor.Whereis(system, clientActorName(h))
	if client == nil || !topic.Prepare() {
		return
	}
	system.Root.Send(client, &findLeader{topic: topic.Name(), partition: -1, reply: func(err error) {
		topic.Prepared()
		if err == nil {
			Use(system, h, topic)
		}
	}})
}

// End ends the producers of a topic: what is not settled fails with err.
func End(system *actor.ActorSystem, h *handle.Handle, topic *handle.Topic, err error) {
	h.EndTopic(topic, err)
	if client := supervisor.Whereis(system, clientActorName(h)); client != nil {
		system.Root.Send(client, &dropTopic{topic})
	}
}

// StartSubscription starts the actors of a registered subscription.
func StartSubscription(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, sub *handle.Subscription) error {
	subscribers := supervisor.Whereis(system, subscribersName(h))
	if subscribers == nil {
		return nil // it starts with what is registered
	}
	_, err := supervisor.Call(ctx, system, subscribers, &supervisor.StartChild{Spec: SubscriptionSpec(h, sub)})
	if errors.Is(err, supervisor.ErrAlreadyStarted) || restarts(err) {
		return h.Stopped() // its supervisor was restarted meanwhile, or will be, and knows of it
	}
	return err
}

// restarts says that a supervisor did not do what it was asked as it has ended, or
// is about to. The next incarnation begins with what the handle says.
func restarts(err error) bool {
	if start := (*supervisor.StartError)(nil); errors.As(err, &start) {
		return false // the child's own
	}
	return errors.Is(err, supervisor.ErrNoProcess) || errors.Is(err, supervisor.ErrNoReply) || errors.Is(err, supervisor.ErrShutdown)
}

// StopSubscription ends the actors of a subscription; handlers that run may
// finish within their limit. It returns when they are gone, or ctx ends. A
// supervisor that is restarted meanwhile does not start them again.
func StopSubscription(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, sub *handle.Subscription) error {
	sub.End()
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for {
		subscribers := supervisor.Whereis(system, subscribersName(h))
		if subscribers == nil || supervisor.Living(system, subscribers) == nil {
			return nil // they ended with it
		}
		_, err := supervisor.Call(ctx, system, subscribers, &supervisor.TerminateChild{ID: sub.Name})
		if err == nil {
			_, err = supervisor.Call(ctx, system, subscribers, &supervisor.DeleteChild{ID: sub.Name})
		}
		switch {
		case errors.Is(err, supervisor.ErrNotFound):
			return nil
		case !restarts(err):
			return err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
