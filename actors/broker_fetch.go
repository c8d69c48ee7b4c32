package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/wire"
)

// maxFetchVersion is the last version with topic names; later ones name topics
// by id.
const maxFetchVersion = 12

// hotDone tells the broker actor of an answer on the hot lane. answered are the
// partitions whose consumers have been told something.
type hotDone struct {
	sent     []fetching.Want
	answered map[fetching.Key]bool
}

// coldDone brings the answer on the cold lane: only the actor knows which
// partitions its session has.
type coldDone struct {
	resp   *kmsg.FetchResponse
	answer *handle.Answer // the memory that it is in
	err    error
}

// fetch sends the requests that the core planned.
func (b *broker) fetch(ctx actor.Context, requests []fetching.Request) {
	for _, r := range requests {
		b.lanes[fetchLane(r.Lane)].with(ctx, b, func(conn *wire.Conn, err error) {
			if err == nil {
				err = b.sendFetch(ctx, conn, r)
			}
			if err != nil {
				fetchFailed(ctx.ActorSystem().Root, ctx.Self(), r, err)
			}
		})
	}
}

// fetchFailed tells of a request that failed as a whole.
func fetchFailed(root *actor.RootContext, self *actor.PID, r fetching.Request, err error) {
	if r.Lane == fetching.Cold {
		root.Send(self, &coldDone{err: err})
		return
	}
	done := &hotDone{sent: r.Wants, answered: make(map[fetching.Key]bool, len(r.Wants))}
	for _, w := range r.Wants {
		done.answered[w.Key] = true
		root.Send(w.Consumer.(*actor.PID), &fetched{number: w.Number, err: err})
	}
	root.Send(self, done)
}

func (b *broker) sendFetch(ctx actor.Context, conn *wire.Conn, r fetching.Request) error {
	version, err := version(conn, kmsg.Fetch, maxFetchVersion)
	if err != nil {
		return err
	}
	config := &b.handle.Config().Consume
	req := kmsg.NewPtrFetchRequest()
	req.Version = version
	req.MaxWaitMillis = int32(r.MaxWait.Milliseconds())
	req.MinBytes = config.MinBytes
	req.Rack = config.Rack
	req.MaxBytes = config.MaxBytes
	req.IsolationLevel = config.Isolation.Wire()
	req.SessionID, req.SessionEpoch = r.Session, r.Epoch
	req.Topics = fetchTopics(r.Wants)
	req.ForgottenTopics = forgottenTopics(r.Forget)
	root, self := ctx.ActorSystem().Root, ctx.Self()
	var answer *handle.Answer
	memory := func(n int) []byte {
		answer = b.handle.Answers().Take(n)
		return answer.Bytes()
	}
	conn.Send(&wire.Call{Request: req, FixedVersion: true, Timeout: r.MaxWait + b.handle.Config().RequestTimeout, Memory: memory, Done: func(result wire.Result) {
		if result.Err != nil {
			fetchFailed(root, self, r, result.Err)
			return
		}
		resp := result.Response.(*kmsg.FetchResponse)
		if r.Lane == fetching.Cold {
			root.Send(self, &coldDone{resp: resp, answer: answer})
		} else {
			b.spread(root, self, r, resp, answer)
			answer.Release()
		}
	}})
	return nil
}

func forgottenTopics(keys []fetching.Key) []kmsg.FetchRequestForgottenTopic {
	var topics []kmsg.FetchRequestForgottenTopic
	at := map[string]int{}
	for _, key := range keys {
		i, ok := at[key.Topic]
		if !ok {
			i = len(topics)
			at[key.Topic] = i
			topic := kmsg.NewFetchRequestForgottenTopic()
			topic.Topic = key.Topic
			topics = append(topics, topic)
		}
		topics[i].Partitions = append(topics[i].Partitions, key.Partition)
	}
	return topics
}

// fetchTopics groups wants by topic.
func fetchTopics(wants []fetching.Want) []kmsg.FetchRequestTopic {
	var topics []kmsg.FetchRequestTopic
	at := map[string]int{}
	for _, w := range wants {
		i, ok := at[w.Topic]
		if !ok {
			i = len(topics)
			at[w.Topic] = i
			topic := kmsg.NewFetchRequestTopic()
			topic.Topic = w.Topic
			topics = append(topics, topic)
		}
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.CurrentLeaderEpoch, p.LastFetchedEpoch, p.PartitionMaxBytes = w.Partition, w.Offset, w.Epoch, w.Read, w.MaxBytes
		topics[i].Partitions = append(topics[i].Partitions, p)
	}
	return topics
}

// spread cuts an answer of the hot lane by partition, without copying, and gives
// each consumer its part. It runs on the connection's goroutine and touches no
// state of the actor.
func (b *broker) spread(root *actor.RootContext, self *actor.PID, r fetching.Request, resp *kmsg.FetchResponse, answer *handle.Answer) {
	if resp.ErrorCode != 0 {
		fetchFailed(root, self, r, b.fetchError(resp.ErrorCode))
		return
	}
	wants := make(map[fetching.Key]fetching.Want, len(r.Wants))
	for _, w := range r.Wants {
		wants[w.Key] = w
	}
	done := &hotDone{sent: r.Wants, answered: make(map[fetching.Key]bool, len(r.Wants))}
	b.eachPart(resp, func(key fetching.Key, p *kmsg.FetchResponseTopicPartition) {
		if w, asked := wants[key]; asked && !done.answered[key] {
			done.answered[key] = true
			root.Send(w.Consumer.(*actor.PID), b.part(w, p, answer))
		}
	})
	root.Send(self, done)
}

// coldAnswered gives the parts of an answer of the cold lane to their consumers.
func (b *broker) coldAnswered(ctx actor.Context, m *coldDone) {
	if m.err == nil && m.resp.ErrorCode != 0 {
		if code := wire.Code(m.resp.ErrorCode); code == wire.FetchSessionIDNotFound || code == wire.InvalidFetchSessionEpoch {
			b.fetch(ctx, b.fetches.ColdLost(false)) // the broker had no room to remember us
			return
		}
		m.err = b.fetchError(m.resp.ErrorCode)
	}
	if m.err != nil {
		for _, w := range b.fetches.Parked() {
			ctx.Send(w.Consumer.(*actor.PID), &fetched{number: w.Number, err: m.err})
		}
		b.fetch(ctx, b.fetches.ColdLost(true))
		return
	}
	var answered []fetching.Key
	b.eachPart(m.resp, func(key fetching.Key, p *kmsg.FetchResponseTopicPartition) {
		for i, w := range b.fetches.Waiting(key) {
			if i == 0 {
				answered = append(answered, key)
			}
			ctx.Send(w.Consumer.(*actor.PID), b.part(w, p, m.answer))
		}
	})
	m.answer.Release()
	b.fetch(ctx, b.fetches.ColdDone(answered, m.resp.SessionID))
}

func (b *broker) fetchError(code int16) error {
	return &wire.Error{Code: wire.Code(code), API: int16(kmsg.Fetch), Broker: b.id}
}

// eachPart calls do for the partitions of an answer that have something to say.
func (b *broker) eachPart(resp *kmsg.FetchResponse, do func(fetching.Key, *kmsg.FetchResponseTopicPartition)) {
	for t := range resp.Topics {
		topic := &resp.Topics[t]
		for i := range topic.Partitions {
			if p := &topic.Partitions[i]; p.ErrorCode != 0 || len(p.RecordBatches) > 0 || p.PreferredReadReplica >= 0 || p.DivergingEpoch.EndOffset >= 0 {
				do(fetching.Key{Topic: topic.Topic, Partition: p.Partition}, p)
			}
		}
	}
}

// part is what a consumer is told; it holds the answer.
func (b *broker) part(w fetching.Want, p *kmsg.FetchResponseTopicPartition, answer *handle.Answer) *fetched {
	answer.Hold()
	m := &fetched{
		number: w.Number, data: p.RecordBatches, answer: answer, highWatermark: p.HighWatermark, lastStable: p.LastStableOffset, aborted: p.AbortedTransactions,
		replica: p.PreferredReadReplica, diverged: p.DivergingEpoch,
	}
	if p.ErrorCode != 0 {
		m.err = &wire.Error{Code: wire.Code(p.ErrorCode), API: int16(kmsg.Fetch), Broker: b.id, Topic: w.Topic, Partition: w.Partition}
	}
	return m
}
