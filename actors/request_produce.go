package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/producing"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// ProduceAsk is what a direct produce call sends: one batch for one partition.
type ProduceAsk struct {
	Key     handle.Partition
	Records []behaviors.Record
	Config  *handle.ProduceConfig // with its defaults
	Version int16                 // of Produce; 0: the newest that both sides know
}

// ProduceOutcome is what a broker tells of a batch that is written.
type ProduceOutcome struct {
	Base      int64 // -1: not told
	LogAppend int64 // the broker's own timestamp, in ms; -1: the records' count
}

// Produce writes one batch by itself: not numbered, and sent a second time only
// where the first was surely not written. Else the error is of class
// wire.ErrUnsure.
func Produce(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, ask ProduceAsk) (ProduceOutcome, error) {
	batch, err := newOnceBatch(ask.Records, ask.Config, h.Codecs())
	if err != nil {
		return ProduceOutcome{}, err
	}
	c := &onceCall{system: system, handle: h, ask: ask, batch: batch}
	err = atLeaderWhile(ctx, system, h, ask.Key, c.mayAgain, c.send)
	return c.outcome, err
}

// onceCall is one Produce.
type onceCall struct {
	system  *actor.ActorSystem
	handle  *handle.Handle
	ask     ProduceAsk
	batch   *onceBatch
	again   bool  // what failed last may be tried again
	failed  error // by sending; others come from looking for the leader
	outcome ProduceOutcome
}

// mayAgain says whether another attempt may be made.
func (c *onceCall) mayAgain(err error) bool {
	if c.failed != nil && errors.Is(err, c.failed) {
		return c.again
	}
	return Repeatable(err)
}

// send makes one attempt.
func (c *onceCall) send(ctx context.Context, leader int32) error {
	claim := &onceClaim{}
	answer, answered := c.exchange(ctx, leader, claim)
	if other := (*otherFormat)(nil); errors.As(answer.err, &other) {
		if answer.err = c.batch.convert(other.magic, c.handle.Codecs()); answer.err == nil {
			answer, answered = c.exchange(ctx, leader, claim)
		}
	}
	lost := !answered && !claim.take() // it was sent, and nobody knows what became of it
	if answer.err == nil {
		answer.err = c.read(leader, answer.response)
		answer.written = true
	}
	if c.failed = answer.err; c.failed == nil {
		return nil
	}
	what := producing.OnceAfter(c.failed, answer.written, c.ask.Config.Acks == handle.AcksLeader)
	c.again = what.Again && !lost
	if what.Unsure || lost {
		c.failed = producing.UnsureError(c.failed)
	}
	return c.failed
}

// onceFailure is an answer's error, and whether the broker may have had the batch.
type onceFailure struct {
	error
	written bool
}

// exchange gives the batch to the leader's actor and waits. answered says that the
// actor or the connection has told the outcome.
func (c *onceCall) exchange(ctx context.Context, leader int32, claim *onceClaim) (answer onceAnswer, answered bool) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		deadline = time.Now().Add(c.handle.Config().CallTimeout)
	}
	resp, err := ask(ctx, c.system, c.handle, leader, func(reply func(kmsg.Response, error)) any {
		return &sendOnce{
			topic: c.ask.Key.Topic, partition: c.ask.Key.Partition, size: len(c.batch.set), deadline: deadline,
			acks: c.ask.Config.Acks, timeout: c.ask.Config.AckTimeout, claim: claim,
			request: func(most int16) (*kmsg.ProduceRequest, error) { return c.batch.request(c.ask.Key, c.ask.Version, most) },
			reply: func(a onceAnswer) {
				if a.err != nil {
					reply(nil, &onceFailure{a.err, a.written})
					return
				}
				reply(a.response, nil)
			},
		}
	})
	if failure := (*onceFailure)(nil); errors.As(err, &failure) {
		return onceAnswer{err: failure.error, written: failure.written}, true
	}
	if err != nil {
		return onceAnswer{err: err}, false
	}
	response, _ := resp.(*kmsg.ProduceResponse)
	return onceAnswer{response: response}, true
}

// read takes the outcome out of an answer; nil is none: nobody was to ack.
func (c *onceCall) read(leader int32, resp *kmsg.ProduceResponse) error {
	c.outcome = ProduceOutcome{Base: -1, LogAppend: -1}
	if resp == nil {
		return nil
	}
	var found *kmsg.ProduceResponseTopicPartition
	for t := range resp.Topics {
		for p := range resp.Topics[t].Partitions {
			if part := &resp.Topics[t].Partitions[p]; resp.Topics[t].Topic == c.ask.Key.Topic && part.Partition == c.ask.Key.Partition {
				found = part
			}
		}
	}
	base, err := produceOutcome(brokerID(leader), c.ask.Key.Topic, c.ask.Key.Partition, found)
	if err != nil {
		return namingRecords(err)
	}
	c.outcome = ProduceOutcome{Base: base, LogAppend: found.LogAppendTime}
	return nil
}

// namingRecords puts the records that a broker refuses into the error (KIP-467).
func namingRecords(err error) error {
	refusal := (*producing.Refusal)(nil)
	if !errors.As(err, &refusal) {
		return err
	}
	own := *refusal.Err
	var named []error
	for _, r := range refusal.Records {
		named = append(named, fmt.Errorf("record %d of the batch: %s", r.Index, r.Message))
	}
	own.Cause = errors.Join(named...)
	return &own
}

// Choose is the partition that a partitioner chooses for a key among those of a
// topic, which is looked up.
func Choose(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, topic string, key []byte, by behaviors.Partitioner) (int32, error) {
	count, err := Partitions(ctx, system, h, topic)
	if err != nil {
		return -1, err
	}
	p := by.Partition(behaviors.Record{Key: key}, count)
	if p < 0 || p >= count {
		return -1, &wire.Error{Code: wire.UnknownTopicOrPartition, Topic: topic, Partition: p, Cause: fmt.Errorf("the partitioner chose partition %d of %d", p, count)}
	}
	return p, nil
}
