package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/wire"
)

// The client actor's part in what users' actors send to it: it finds the
// partition, and lets others do the work.

// routed is a message of a user that waits for a topic to be known. Whatever
// becomes of the client actor, it is answered.
type routed struct {
	produce   *protocol.Produce
	subscribe *protocol.Subscribe
	sender    *actor.PID
}

// produce accepts a message's records into their slot, as soon as the topic is
// known.
func (c *client) produce(ctx actor.Context, m *protocol.Produce, sender *actor.PID) {
	topic, err := c.handle.Topic(m.Topic)
	if err == nil {
		err = negative(m.Topic, m.Partition)
	}
	if err != nil {
		failProduce(ctx, m, sender, err)
		return
	}
	if slot := topic.Slot(m.Partition); slot != nil {
		accept(ctx, slot, m, sender)
		return
	}
	c.whenKnown(ctx, m.Topic, m.Partition, &routed{produce: m, sender: sender})
}

// negative refuses what is no partition's number.
func negative(topic string, partition int32) error {
	if partition >= 0 {
		return nil
	}
	return &wire.Error{Code: wire.UnknownTopicOrPartition, API: int16(kmsg.Metadata), Topic: topic, Partition: partition,
		Cause: errors.New("a partition's number is not negative")}
}

// subscribe starts a consumer as soon as the partition is known.
func (c *client) subscribe(ctx actor.Context, m *protocol.Subscribe) {
	if err := negative(m.Topic, m.Partition); err != nil {
		ctx.Send(m.Subscriber, &protocol.FetchError{Topic: m.Topic, Partition: m.Partition, Err: err})
		return
	}
	c.whenKnown(ctx, m.Topic, m.Partition, &routed{subscribe: m})
}

// whenKnown comes back to r when the partition is in the view.
func (c *client) whenKnown(ctx actor.Context, topic string, partition int32, r *routed) {
	c.waiting[r] = true
	c.do(ctx, c.core.Need(time.Now(), r, topic, partition, false))
}

// routed goes on with a message whose partition is known now, or answers it
// with the error that it is not.
func (c *client) routed(ctx actor.Context, r *routed, err error) {
	delete(c.waiting, r)
	if r.subscribe != nil {
		if err != nil {
			ctx.Send(r.subscribe.Subscriber, &protocol.FetchError{Topic: r.subscribe.Topic, Partition: r.subscribe.Partition, Err: err})
			return
		}
		c.startConsumer(ctx, r.subscribe)
		return
	}
	var topic *handle.Topic
	if err == nil {
		topic, err = c.handle.Topic(r.produce.Topic)
	}
	if err != nil {
		failProduce(ctx, r.produce, r.sender, err)
		return
	}
	c.startProducers(ctx, topic)
	slot := topic.Slot(r.produce.Partition)
	if slot == nil { // the topic shrank between two looks: it was made anew
		failProduce(ctx, r.produce, r.sender, errEnded)
		return
	}
	accept(ctx, slot, r.produce, r.sender)
}

// errEnded answers messages that were waiting in a client actor that ended.
var errEnded = &wire.Error{Code: wire.LeaderNotAvailable, API: int16(kmsg.Metadata), Cause: errors.New("the client actor ended before the topic was known; send it again if the client goes on")}

// failWaiting answers what waits when the actor ends.
func (c *client) failWaiting(ctx actor.Context) {
	for r := range c.waiting {
		err := c.handle.Stopped()
		if err == nil {
			err = errEnded
		}
		c.routed(ctx, r, err)
	}
}

// accept puts the records of a message into a slot, which answers the sender.
func accept(ctx actor.Context, slot *handle.Slot, m *protocol.Produce, sender *actor.PID) {
	if sender == nil {
		slot.Accept(m.Records, nil)
		return
	}
	slot.Accept(m.Records, &replies{ctx.ActorSystem().Root, sender, m.Ref, slot.Topic(), slot.Partition()})
}

// replies are the answers to a message, from any goroutine.
type replies struct {
	root      *actor.RootContext
	sender    *actor.PID
	ref       any
	topic     string
	partition int32
}

// Queued implements handle.Replies.
func (r *replies) Queued() {
	r.root.Send(r.sender, &protocol.ProduceQueued{Ref: r.ref, Topic: r.topic, Partition: r.partition})
}

// Buffered implements handle.Replies.
func (r *replies) Buffered() {
	r.root.Send(r.sender, &protocol.ProduceBuffered{Ref: r.ref, Topic: r.topic, Partition: r.partition})
}

// Acked implements handle.Replies.
func (r *replies) Acked(base int64) {
	r.root.Send(r.sender, &protocol.ProduceAcked{Ref: r.ref, Topic: r.topic, Partition: r.partition, Base: base})
}

// Failed implements handle.Replies.
func (r *replies) Failed(accepted int, err error) {
	r.root.Send(r.sender, &protocol.ProduceFailed{Ref: r.ref, Topic: r.topic, Partition: r.partition, Accepted: accepted, Err: err})
}

func failProduce(ctx actor.Context, m *protocol.Produce, sender *actor.PID, err error) {
	if sender != nil {
		ctx.Send(sender, &protocol.ProduceFailed{Ref: m.Ref, Topic: m.Topic, Partition: m.Partition, Err: err})
	}
}

// startConsumer starts the consumer of a partition for one subscriber. When that
// one has it already, it begins anew.
func (c *client) startConsumer(ctx actor.Context, m *protocol.Subscribe) {
	key := handle.Partition{Topic: m.Topic, Partition: m.Partition}
	direct := handle.NewDirect(key, m.Subscriber, m.Begin)
	if !c.handle.Subscribed(direct) {
		ctx.Send(m.Subscriber, &protocol.FetchError{Topic: m.Topic, Partition: m.Partition, Err: protocol.ErrSubscribed})
		return
	}
	// One that is there, or is just ending, goes first.
	tell(ctx, consumersName(c.handle), &supervisor.TerminateChild{ID: consumerID(key)})
	tell(ctx, consumersName(c.handle), &supervisor.DeleteChild{ID: consumerID(key)})
	tell(ctx, consumersName(c.handle), &supervisor.StartChild{Spec: consumerSpec(c.handle, direct)})
}
