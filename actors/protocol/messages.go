// Package protocol has the messages by which actors of a user's own talk to
// moldau's: to the client's PID, which is stable, or to a producer's or
// consumer's, which is not: watch it, then look it up again.
package protocol

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/behaviors"
)

// Produce asks a client or a producer to write records to one partition. With
// Request it is answered to the sender: first ProduceBuffered, then, when all are
// written, ProduceAcked, or ProduceFailed; each with Ref. Where there is no room
// it waits (Produce.QueueMessages), which ProduceQueued tells before the others.
// Keys, values and headers must stay as they are until ProduceBuffered or
// ProduceFailed. Topic and Partition are needed by a client only.
type Produce struct {
	Ref       any
	Topic     string
	Partition int32
	Records   []behaviors.Record
}

// ProduceQueued tells that the records of a Produce wait for room, in the order of
// the partition's messages. ProduceBuffered follows, or ProduceFailed, whatever
// restarts meanwhile: it need not be sent again.
type ProduceQueued struct {
	Ref       any
	Topic     string
	Partition int32
}

// ProduceBuffered tells that the records of a Produce are accepted: each ends
// acked or failed, whatever restarts meanwhile. The memory of the records may be
// used again.
type ProduceBuffered struct {
	Ref       any
	Topic     string
	Partition int32
}

// ProduceAcked tells that the records of a Produce are written. Base is the
// first one's offset, -1 where the broker does not tell. A list that one batch
// holds (Produce.BatchBytes) was accepted whole, and the others follow without a
// gap, unless the broker had the batch cut as too large.
type ProduceAcked struct {
	Ref       any
	Topic     string
	Partition int32
	Base      int64
}

// ProduceFailed tells that at least one record of a Produce failed for good,
// and why. Accepted says how many were accepted, the first ones: all, if there was
// a ProduceBuffered, and fewer if there was none. Those may have been written.
type ProduceFailed struct {
	Ref       any
	Topic     string
	Partition int32
	Accepted  int
	Err       error
}

// Subscribe makes Subscriber the one subscriber of a partition, from Begin on.
// Sent to a client, it starts the partition's consumer; sent to a consumer, or
// again to the client by the same subscriber, it begins again at Begin. It is
// answered with MessageSet messages, one at a time as they are acked, or with
// FetchError. Topic and Partition are needed by a client only.
//
// A consumer that crashes comes back by itself and goes on after the last ack.
// When the subscriber ends, so does the consumer.
//
// Ref comes back with every MessageSet and FetchError of this subscription: after
// another Subscribe, sets of the one before may be on their way yet.
type Subscribe struct {
	Ref        any
	Subscriber *actor.PID
	Topic      string
	Partition  int32
	Begin      behaviors.Position
}

// Unsubscribe ends a subscription. What was handed out needs no ack any more.
type Unsubscribe struct{ Subscriber *actor.PID }

// Pause, sent to a consumer, has it hand out and fetch nothing until Resume. A
// broker's answer that is on its way is kept.
type Pause struct{}

// Resume ends a Pause.
type Resume struct{}

// MessageSet hands records to a subscriber. The next comes after Ack of
// Set.Last() to Consumer; with Consume.PrefetchCount, while no more records than
// that are out.
type MessageSet struct {
	Ref      any
	Consumer *actor.PID
	Set      *behaviors.MessageSet
}

// Ack tells a consumer that everything that was handed out up to Offset is done
// with.
type Ack struct{ Offset int64 }

// FetchError tells a subscriber what its consumer cannot mend by itself: another
// subscriber has the partition, or, with Consume.Reset: ResetSubscriber or
// ResetFail, there is no record at its position. The subscription is over.
type FetchError struct {
	Ref       any
	Consumer  *actor.PID
	Topic     string
	Partition int32
	Err       error
}

// ErrSubscribed is a Subscribe to a consumer that has a living subscriber.
var ErrSubscribed = errors.New("moldau: the partition has another subscriber")
