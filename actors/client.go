package actors

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// Purpose:  knows the cluster: finds leaders, keeps the view fresh, decides
// which brokers have an actor and how many producers a topic has.
// Parent:   client:<name>, its first child. Its address is stable.
// Children: none. It does no I/O: broker actors carry its requests, and
// goroutines of its own, which end with life, call Config.BrokersFunc.
// Messages: in protocol.Produce and protocol.Subscribe of users, findLeader, leaderHints, needIdentity, brokerUp, metadataAnswer, seedsResolved, identityAnswer, useTopic, dropTopic, supervisor.Down, tick;
// out brokerCall to brokers, StartChild and TerminateChild to the
// brokers and producers supervisors.
// Restart:  permanent; its siblings are restarted after it.
// Crash:    loses nothing: the view is in the handle; those who wait for a
// leader are restarted too, or ask again; users' messages that wait for a topic
// are answered with an error.
type client struct {
	handle *handle.Handle
	core   *metadata.Core
	alarm  alarm
	states map[int32]brokerState
	// started is how many producers each topic has been given.
	started  map[*handle.Topic]int32
	identity identity
	waiting  map[*routed]bool // messages of users that wait for a topic
	resolver resolver
}

// brokerState is what the client actor has to remember of a broker's actor.
type brokerState struct {
	broker  metadata.Broker
	monitor supervisor.Ref
	pid     *actor.PID
}

// forgetTopicAfter is how long a topic without producer, subscription or consumer
// stays in the view after it was asked for. Java's metadata.max.idle.ms is the same.
const forgetTopicAfter = 5 * time.Minute

func newClient(life context.Context, h *handle.Handle) *client {
	config := h.Config()
	c := &client{handle: h, states: map[int32]brokerState{}, started: map[*handle.Topic]int32{}, waiting: map[*routed]bool{}}
	c.resolver = resolver{life: life, config: config}
	c.core = metadata.New(metadata.Config{
		Seeds: h.Seeds(), Resolves: config.BrokersFunc != nil, Refresh: config.MetadataRefresh, Hedge: 500 * time.Millisecond, Timeout: config.MetadataTimeout,
		BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second, UnknownTTL: config.UnknownTopicTTL, AutoCreate: config.AutoCreateTopics,
		Idle: forgetTopicAfter, Uses: h.Uses,
	}, rand.IntN)
	return c
}

// Receive implements actor.Actor.
func (c *client) Receive(ctx actor.Context) {
	now := time.Now()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.core.Resume(c.handle.Cluster())
		c.do(ctx, c.core.Start(now))
	case *actor.Stopping:
		c.alarm.stop()
		c.failWaiting(ctx)
	case tick:
		c.alarm.rang()
		c.do(ctx, c.core.Tick(now))
	case *findLeader:
		c.findLeader(ctx, m, now)
	case *leaderHints:
		for _, h := range m.hints {
			c.do(ctx, c.core.Hint(now, h))
		}
	case *useTopic:
		c.startProducers(ctx, m.topic)
	case *dropTopic:
		c.dropTopic(ctx, m.topic)
	case *protocol.Produce:
		c.produce(ctx, m, ctx.Sender())
	case *protocol.Subscribe:
		c.subscribe(ctx, m)
	case *brokerUp:
		c.brokerUp(ctx, m, now)
	case *supervisor.Down:
		c.brokerDown(ctx, m, now)
	case *metadataAnswer:
		c.answered(ctx, m, now)
	case *seedsResolved:
		c.do(ctx, c.core.Resolved(now, m.seeds, m.err))
		c.handle.SetSeeds(c.core.Seeds())
	case *needIdentity:
		c.identity.need(ctx, c, m)
	case *identityAnswer:
		c.identity.answered(c, m)
	}
}

func (c *client) findLeader(ctx actor.Context, m *findLeader, now time.Time) {
	if m.stale && m.atLeast > 0 {
		c.do(ctx, c.core.NeedNewer(now, m.reply, m.topic, m.partition, m.atLeast))
		return
	}
	c.do(ctx, c.core.Need(now, m.reply, m.topic, m.partition, m.stale))
}

func (c *client) brokerUp(ctx actor.Context, m *brokerUp, now time.Time) {
	state, wanted := c.states[m.id]
	if !wanted {
		return // it was told to end meanwhile
	}
	if state.pid != nil { // its end has not been told yet
		supervisor.Demonitor(ctx, state.monitor)
		c.brokerEnded(ctx, m.id, state, errBrokerGone(m.id, nil), now)
	}
	state.pid, state.monitor = m.pid, supervisor.Monitor(ctx, m.pid)
	c.states[m.id] = state
	c.do(ctx, c.core.BrokerUp(now, m.id))
}

func (c *client) brokerDown(ctx actor.Context, m *supervisor.Down, now time.Time) {
	for id, state := range c.states {
		if state.pid != nil && state.monitor == m.Ref {
			c.brokerEnded(ctx, id, state, errBrokerGone(id, m.Reason), now)
		}
	}
}

// brokerEnded writes off what a broker's actor was asked.
func (c *client) brokerEnded(ctx actor.Context, id int32, state brokerState, err error, now time.Time) {
	c.identity.gone(c, state.pid, err)
	state.pid = nil
	c.states[id] = state
	c.do(ctx, c.core.BrokerDown(now, id, err))
}

func (c *client) answered(ctx actor.Context, m *metadataAnswer, now time.Time) {
	c.do(ctx, c.core.Answer(now, m.number, m.resp, m.err))
	if m.err == nil {
		view := c.core.Cluster()
		c.handle.Emit(telemetry.MetadataUpdated{Client: c.handle.Name(), Brokers: len(view.Brokers), Topics: len(view.Topics)})
	}
}

// do carries out what the core decided.
func (c *client) do(ctx actor.Context, actions []metadata.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case metadata.Ask:
			c.ask(ctx, a)
		case metadata.Publish:
			c.publish(ctx, a.Cluster)
		case metadata.SetBrokers:
			c.setBrokers(ctx, a.Brokers)
		case metadata.Tell:
			c.tell(ctx, a)
		case metadata.Report:
			c.handle.Emit(telemetry.MetadataFailed{Client: c.handle.Name(), Err: a.Err, Retry: a.Retry})
		case metadata.Resolve:
			c.resolver.resolve(ctx)
		case metadata.Unresolved:
			c.handle.Emit(telemetry.BootstrapFailed{Client: c.handle.Name(), Err: a.Err, Stack: stackOf(a.Err), Retry: a.Retry})
		case metadata.Wake:
			c.alarm.set(ctx, a.At)
		}
	}
}

func (c *client) tell(ctx actor.Context, a metadata.Tell) {
	switch ref := a.Ref.(type) {
	case func(error):
		ref(a.Err)
	case *routed:
		c.routed(ctx, ref, a.Err)
	}
}

func (c *client) ask(ctx actor.Context, a metadata.Ask) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	for _, topic := range a.Topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(topic)
		req.Topics = append(req.Topics, t)
	}
	req.AllowAutoTopicCreation = a.AutoCreate
	root, self, number := ctx.ActorSystem().Root, ctx.Self(), a.Number
	ctx.Send(c.states[a.Broker].pid, &brokerCall{request: req, reply: func(resp kmsg.Response, err error) {
		answer := &metadataAnswer{number: number, err: err}
		if err == nil {
			answer.resp = resp.(*kmsg.MetadataResponse)
		}
		root.Send(self, answer)
	}})
}

func (c *client) publish(ctx actor.Context, view *metadata.Cluster) {
	c.handle.SetCluster(view)
	for _, topic := range c.handle.Topics() {
		c.startProducers(ctx, topic)
	}
	for _, sub := range c.handle.Subscriptions() {
		tell(ctx, subscriberName(c.handle, sub.Name), viewChanged{})
	}
}

// startProducers makes sure that every known partition of a topic that is
// produced to has a slot and a producer. A supervisor that is not there at the
// moment starts with what the handle holds, so what it is told is not missed.
func (c *client) startProducers(ctx actor.Context, topic *handle.Topic) {
	name := topic.Name()
	count := c.core.Cluster().Count(name)
	if count == 0 || c.handle.Produced(name) != topic {
		return
	}
	topic.Grow(count)
	had := c.started[topic]
	c.started[topic] = max(had, count)
	if had == 0 {
		tell(ctx, producersName(c.handle), &supervisor.StartChild{Spec: topicSpec(c.handle, topic)})
		return
	}
	for p := had; p < count; p++ {
		tell(ctx, topicName(c.handle, name), &supervisor.StartChild{Spec: producerSpec(c.handle, topic, p)})
	}
}

// dropTopic ends the producers of a topic that is not produced to any more, and
// starts those of what has its name by now.
func (c *client) dropTopic(ctx actor.Context, topic *handle.Topic) {
	delete(c.started, topic)
	tell(ctx, producersName(c.handle), &supervisor.TerminateChild{ID: topic.Name()})
	tell(ctx, producersName(c.handle), &supervisor.DeleteChild{ID: topic.Name()})
	if next := c.handle.Produced(topic.Name()); next != nil {
		delete(c.started, next)
		c.startProducers(ctx, next)
	}
}

// setBrokers starts the actors of brokers that are new, and ends those of
// brokers that are gone or have moved to another address.
func (c *client) setBrokers(ctx actor.Context, list []metadata.Broker) {
	c.handle.SetNodes(list)
	wanted := make(map[int32]metadata.Broker, len(list))
	for _, b := range list {
		wanted[b.ID] = b
	}
	for id, state := range c.states {
		if wanted[id] == state.broker {
			continue
		}
		if state.pid != nil {
			supervisor.Demonitor(ctx, state.monitor) // the core has dropped it already
			c.identity.gone(c, state.pid, errBrokerGone(id, nil))
		}
		delete(c.states, id)
		tell(ctx, brokersName(c.handle), &supervisor.TerminateChild{ID: brokerID(id)})
		tell(ctx, brokersName(c.handle), &supervisor.DeleteChild{ID: brokerID(id)})
	}
	for id, b := range wanted {
		if _, there := c.states[id]; !there {
			c.states[id] = brokerState{broker: b}
			tell(ctx, brokersName(c.handle), &supervisor.StartChild{Spec: brokerSpec(c.handle, b)})
		}
	}
}

// Inspect tells of the view.
func (c *client) Inspect() []supervisor.Attr {
	view := c.core.Cluster()
	return []supervisor.Attr{
		number("brokers", int64(len(view.Brokers))),
		number("topics", int64(len(view.Topics))),
		number("controller", int64(view.Controller)),
	}
}

func address(b metadata.Broker) string {
	return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
}
