package moldau

import (
	"context"
	"errors"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/behaviors"
)

// TopicSubscriber describes a subscription to a topic without a group: this
// client reads every partition, or those that are named.
type TopicSubscriber struct {
	// Name tells the subscription apart in its client. Default: the topic.
	Name string
	// Topic is what is read.
	Topic string
	// Partitions are the partitions to read; nil for all, and for those that
	// the topic grows.
	Partitions []int32
	// Begin is where a partition is read from. Default Latest.
	Begin Position
	// Committed tells, if not nil, where a partition begins: the user's own
	// record of what was processed. It is asked before Begin, at a partition's
	// start, as long as nothing is acked.
	Committed behaviors.CommittedOffset
	// NewWorker makes the worker of a partition, at its start and at every
	// restart.
	NewWorker behaviors.NewWorker
	// OnError decides what becomes of a failure of a worker: Retry, Skip, DeadLetter,
	// Pause, Stop, Restart, or a function. Default Restart.
	OnError behaviors.OnError
}

// Subscription is a running subscription.
type Subscription struct {
	client *Client
	sub    *handle.Subscription
}

// SubscribeTopic starts a subscription: a supervised worker for every
// partition. It returns at once; a topic that does not exist is waited for,
// with an event. The error is a mistake in s, ErrDuplicate or ErrStopped.
func (c *Client) SubscribeTopic(s TopicSubscriber) (*Subscription, error) {
	if s.Name == "" {
		s.Name = s.Topic
	}
	switch {
	case s.Topic == "":
		return nil, errors.New("moldau: a subscription needs a Topic")
	case s.NewWorker == nil:
		return nil, errors.New("moldau: a subscription needs NewWorker")
	}
	sub := &handle.Subscription{Name: s.Name, Topic: s.Topic, Partitions: s.Partitions, Begin: s.Begin, Committed: s.Committed, NewWorker: s.NewWorker, OnError: s.OnError}
	if err := c.handle.Subscribe(sub); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	if err := actors.StartSubscription(ctx, c.system, c.handle, sub); err != nil {
		c.handle.Unsubscribe(sub)
		return nil, err
	}
	return &Subscription{client: c, sub: sub}, nil
}

// Progress is how far a partition of a subscription is.
type Progress struct {
	Partition int32
	// Next is the offset after the last ack; -1 before the first.
	Next int64
	// Handled is the number of records in acked sets.
	Handled int64
	// Restarts is how often the partition's worker was started again.
	Restarts int
	// Paused says that it is not read, by Pause or by a decision.
	Paused bool
	// Stopped is the failure about which Stop was decided; nil: its worker lives, or
	// is being restarted.
	Stopped error
}

// Progress tells how far each partition is, in their order.
func (s *Subscription) Progress() []Progress {
	var list []Progress
	for _, key := range s.sub.Assigned() {
		state := s.sub.Progress(key)
		p := Progress{Partition: key.Partition, Next: -1, Handled: state.Handled(), Restarts: state.Restarts(), Paused: state.Paused(), Stopped: state.Stopped()}
		if next, ok := state.Next(); ok {
			p.Next = next
		}
		list = append(list, p)
	}
	return list
}

// Stop ends the subscription. Handlers that run may finish within their limit;
// it returns when all are gone. When ctx ends first, they go on ending, and the
// name is taken until another Stop has seen them gone.
func (s *Subscription) Stop(ctx context.Context) error {
	if !s.client.handle.Subscribes(s.sub) {
		return nil
	}
	if err := actors.StopSubscription(ctx, s.client.system, s.client.handle, s.sub); err != nil {
		return err
	}
	s.client.handle.Unsubscribe(s.sub)
	return nil
}
