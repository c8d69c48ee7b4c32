// Package protocol has the messages by which actors of a user's own talk to
// moldau's.
package protocol

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/behaviors"
)

// Subscribe makes Subscriber the one subscriber of a consumer, from Begin on.
// Subscribing again begins again. It is answered with MessageSet messages, one
// at a time as they are acked, or with FetchError.
type Subscribe struct {
	Subscriber *actor.PID
	Begin      behaviors.Position
}

// Unsubscribe ends a subscription. What was handed out needs no ack any more.
// A subscriber that ends without it is unsubscribed.
type Unsubscribe struct{ Subscriber *actor.PID }

// MessageSet hands records to a subscriber. The next comes after Ack of
// Set.Last() to Consumer.
type MessageSet struct {
	Consumer *actor.PID
	Set      *behaviors.MessageSet
}

// Ack tells a consumer that everything up to Offset is done with.
type Ack struct{ Offset int64 }

// FetchError tells a subscriber what its consumer cannot mend by itself.
type FetchError struct {
	Consumer  *actor.PID
	Topic     string
	Partition int32
	Err       error
}

// ErrSubscribed is a Subscribe to a consumer that has a living subscriber.
var ErrSubscribed = errors.New("moldau: the consumer has another subscriber")
