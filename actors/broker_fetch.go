package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/wire"
)

// maxFetchVersion is the last version with topic names; later ones name topics
// by id.
const maxFetchVersion = 12

// fetchDone tells the broker actor of an answer. answered are the partitions
// whose consumers have been told something.
type fetchDone struct {
	lane     fetching.Lane
	asked    []fetching.Want
	answered map[fetching.Key]bool
}

// fetch sends the requests that the core planned.
func (b *broker) fetch(ctx actor.Context, requests []fetching.Request) {
	for _, r := range requests {
		b.lanes[fetchLane(r.Lane)].with(ctx, b, func(conn *wire.Conn, err error) {
			if err == nil {
				err = b.sendFetch(ctx, conn, r)
			}
			if err != nil {
				b.fetchFailed(ctx.ActorSystem().Root, ctx.Self(), r, err)
			}
		})
	}
}

func (b *broker) fetched(ctx actor.Context, m *fetchDone) {
	b.fetch(ctx, b.fetches.Done(m.lane, m.asked, func(k fetching.Key) bool { return m.answered[k] }))
}

// fetchFailed tells every consumer of a request that it failed as a whole.
func (b *broker) fetchFailed(root *actor.RootContext, self *actor.PID, r fetching.Request, err error) {
	done := &fetchDone{lane: r.Lane, asked: r.Wants, answered: make(map[fetching.Key]bool, len(r.Wants))}
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
	req.MinBytes = 1
	req.MaxBytes = config.MaxBytes
	req.IsolationLevel = config.Isolation.Wire()
	req.SessionEpoch = -1 // no session: every request is whole
	req.Topics = fetchTopics(r.Wants)
	root, self := ctx.ActorSystem().Root, ctx.Self()
	conn.Send(&wire.Call{Request: req, FixedVersion: true, Timeout: r.MaxWait + b.handle.Config().RequestTimeout, Done: func(result wire.Result) {
		if result.Err != nil {
			b.fetchFailed(root, self, r, result.Err)
			return
		}
		b.spread(root, self, r, result.Response.(*kmsg.FetchResponse))
	}})
	return nil
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
		p.Partition, p.FetchOffset, p.CurrentLeaderEpoch, p.PartitionMaxBytes = w.Partition, w.Offset, w.Epoch, w.MaxBytes
		topics[i].Partitions = append(topics[i].Partitions, p)
	}
	return topics
}

// spread cuts an answer by partition, without copying, and gives each consumer
// its part. It runs on the connection's goroutine and touches no state of the
// actor.
func (b *broker) spread(root *actor.RootContext, self *actor.PID, r fetching.Request, resp *kmsg.FetchResponse) {
	if resp.ErrorCode != 0 {
		b.fetchFailed(root, self, r, &wire.Error{Code: wire.Code(resp.ErrorCode), API: int16(kmsg.Fetch), Broker: b.id})
		return
	}
	wants := make(map[fetching.Key]fetching.Want, len(r.Wants))
	for _, w := range r.Wants {
		wants[w.Key] = w
	}
	done := &fetchDone{lane: r.Lane, asked: r.Wants, answered: make(map[fetching.Key]bool, len(r.Wants))}
	for t := range resp.Topics {
		topic := &resp.Topics[t]
		for i := range topic.Partitions {
			p := &topic.Partitions[i]
			w, asked := wants[fetching.Key{Topic: topic.Topic, Partition: p.Partition}]
			if !asked || done.answered[w.Key] || p.ErrorCode == 0 && len(p.RecordBatches) == 0 {
				continue
			}
			done.answered[w.Key] = true
			root.Send(w.Consumer.(*actor.PID), b.part(w, p))
		}
	}
	root.Send(self, done)
}

func (b *broker) part(w fetching.Want, p *kmsg.FetchResponseTopicPartition) *fetched {
	m := &fetched{number: w.Number, data: p.RecordBatches, highWatermark: p.HighWatermark, lastStable: p.LastStableOffset, aborted: p.AbortedTransactions}
	if p.ErrorCode != 0 {
		m.err = &wire.Error{Code: wire.Code(p.ErrorCode), API: int16(kmsg.Fetch), Broker: b.id, Topic: w.Topic, Partition: w.Partition}
	}
	return m
}
