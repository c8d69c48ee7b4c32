package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/supervisor"
)

// Restart delays, used when an actor failed more than three times in ten
// seconds: it is tried again after its delay, for ever.
const (
	clientDelay     = 10 * time.Second
	groupDelay      = 10 * time.Second
	consumerDelay   = 2 * time.Second
	subscriberDelay = 5 * time.Second
	workerDelay     = 2 * time.Second
)

// clientSpec is the child spec of a whole client below a supervisor of ours.
func clientSpec(h *handle.Handle) supervisor.ChildSpec {
	return supervisor.Child(clientID(h), supervisor.Permanent.After(clientDelay), clientTree(h))
}

// clientTree is the supervisor of a client. The tree needs h and ends with it;
// h survives the tree.
func clientTree(h *handle.Handle) supervisor.Spec {
	return intensity(h, supervisor.Spec{
		Strategy: supervisor.RestForOne,
		Children: []supervisor.ChildSpec{
			worker("client", clientActorName(h), supervisor.Permanent.After(clientDelay), func(life context.Context) actor.Actor { return newClient(life, h) }),
			dynamic(h, "brokers", brokersName(h), groupDelay, func() []supervisor.ChildSpec { return brokerSpecs(h) }),
			dynamic(h, "producers", producersName(h), groupDelay, func() []supervisor.ChildSpec { return topicSpecs(h) }),
			dynamic(h, "consumers", consumersName(h), groupDelay, func() []supervisor.ChildSpec { return consumerSpecs(h) }),
			dynamic(h, "subscribers", subscribersName(h), groupDelay, func() []supervisor.ChildSpec { return subscriptionSpecs(h) }),
		},
	})
}

// intensity is a spec with the restarts that the configuration lets be at once.
func intensity(h *handle.Handle, spec supervisor.Spec) supervisor.Spec {
	if h.Config().DelayEveryRestart {
		spec.MaxRestarts = supervisor.NoImmediate
	}
	return spec
}

// worker is the spec of a plain actor with a stable name, or none.
func worker(id, name string, restart supervisor.Restart, start func(life context.Context) actor.Actor) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: id, Name: name, Restart: restart, Start: func(life context.Context, _ any) (actor.Actor, error) {
		return start(life), nil
	}}
}

// dynamic is a one_for_one supervisor that begins with what the handle says
// and is told of what comes.
func dynamic(h *handle.Handle, id, name string, delay time.Duration, children func() []supervisor.ChildSpec) supervisor.ChildSpec {
	spec := supervisor.Nested(id, supervisor.Permanent.After(delay), func(actor.Context) (supervisor.Spec, error) {
		return intensity(h, supervisor.Spec{Strategy: supervisor.OneForOne, Children: children()}), nil
	})
	spec.Name = name
	return spec
}

func brokerSpecs(h *handle.Handle) []supervisor.ChildSpec {
	var specs []supervisor.ChildSpec
	for _, node := range h.Nodes() {
		specs = append(specs, brokerSpec(h, node))
	}
	return specs
}

func brokerSpec(h *handle.Handle, node metadata.Broker) supervisor.ChildSpec {
	return worker(brokerID(node.ID), "", supervisor.Permanent.After(h.Config().CoolDown), func(life context.Context) actor.Actor {
		return newBroker(life, h, node)
	})
}

func topicSpecs(h *handle.Handle) []supervisor.ChildSpec {
	var specs []supervisor.ChildSpec
	for _, topic := range h.Topics() {
		if topic.Count() > 0 {
			specs = append(specs, topicSpec(h, topic))
		}
	}
	return specs
}

// topicSpec is the supervisor of a topic's producers, one for every slot.
func topicSpec(h *handle.Handle, topic *handle.Topic) supervisor.ChildSpec {
	return dynamic(h, topic.Name(), topicName(h, topic.Name()), topic.Config().TopicRestartDelay, func() []supervisor.ChildSpec {
		specs := make([]supervisor.ChildSpec, topic.Count())
		for p := range specs {
			specs[p] = producerSpec(h, topic, int32(p))
		}
		return specs
	})
}

func producerSpec(h *handle.Handle, topic *handle.Topic, partition int32) supervisor.ChildSpec {
	return worker(producerID(partition), "", supervisor.Permanent.After(topic.Config().RestartDelay), func(context.Context) actor.Actor {
		return newProducer(h, topic, partition)
	})
}

func consumerSpecs(h *handle.Handle) []supervisor.ChildSpec {
	var specs []supervisor.ChildSpec
	for _, d := range h.Directs() {
		specs = append(specs, consumerSpec(h, d))
	}
	return specs
}

// consumerSpec is a consumer for a PID that subscribed by itself. It ends
// normally when its subscriber does.
func consumerSpec(h *handle.Handle, d *handle.Direct) supervisor.ChildSpec {
	return worker(consumerID(d.Key), "", supervisor.Transient.After(consumerDelay), func(context.Context) actor.Actor { return newDirectConsumer(h, d) })
}

func subscriptionSpecs(h *handle.Handle) []supervisor.ChildSpec {
	var specs []supervisor.ChildSpec
	for _, sub := range h.Subscriptions() {
		if !sub.Ends() {
			specs = append(specs, SubscriptionSpec(h, sub))
		}
	}
	return specs
}

// SubscriptionSpec is the child spec of one topic subscription, for the
// subscribers supervisor of the same client.
func SubscriptionSpec(h *handle.Handle, sub *handle.Subscription) supervisor.ChildSpec {
	return supervisor.Child(sub.Name, supervisor.Permanent.After(subscriberDelay), intensity(h, supervisor.Spec{
		Strategy: supervisor.RestForOne,
		Children: []supervisor.ChildSpec{
			worker("subscriber", subscriberName(h, sub.Name), supervisor.Permanent.After(subscriberDelay), func(context.Context) actor.Actor { return newSubscriber(h, sub) }),
			dynamic(h, "workers", workersName(h, sub.Name), groupDelay, func() []supervisor.ChildSpec {
				var specs []supervisor.ChildSpec
				for _, p := range sub.Assigned() {
					specs = append(specs, workerSpec(h, sub, p))
				}
				return specs
			}),
		},
	}))
}

// workerSpec is one partition's consumer and the handler behind it.
func workerSpec(h *handle.Handle, sub *handle.Subscription, p handle.Partition) supervisor.ChildSpec {
	progress := sub.Progress(p)
	return supervisor.Child(workerID(p), supervisor.Permanent.After(workerDelay), intensity(h, supervisor.Spec{
		Strategy: supervisor.RestForOne,
		Children: []supervisor.ChildSpec{
			worker("consumer", "", supervisor.Permanent.After(consumerDelay), func(context.Context) actor.Actor { return newConsumer(h, p, progress) }),
			worker("handler", "", supervisor.Permanent.After(workerDelay), func(life context.Context) actor.Actor { return newHandler(life, h, sub, p) }),
		},
	}))
}
