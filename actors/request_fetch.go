package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/backoff"
	"github.com/moldau-go/moldau/actors/internal/messageset"
	"github.com/moldau-go/moldau/actors/internal/reading"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// FetchAsk is what a direct fetch asks for.
type FetchAsk struct {
	Key       handle.Partition
	Offset    int64
	MaxBytes  int32
	MaxWait   time.Duration // how long to wait for a first record
	Isolation handle.Isolation
}

// The least time from one look at the end of a partition to the next. A broker
// that holds the request takes longer than that; one whose lanes are all in use
// by other direct fetches answers at once, and is asked again.
const (
	lookMin = 5 * time.Millisecond
	lookMax = 100 * time.Millisecond
)

// Fetch reads a partition once, from an offset on. It returns a set without
// records when there is none at the end of MaxWait; batches that show no
// record (of transactions, or compacted away) are skipped. The next offset is
// the set's last plus one.
func Fetch(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, ask FetchAsk) (*behaviors.MessageSet, error) {
	f := &fetcher{system: system, handle: h, ask: ask, next: ask.Offset, most: ask.MaxBytes, until: time.Now().Add(ask.MaxWait)}
	if err := atLeader(ctx, system, h, ask.Key, f.read); err != nil {
		return nil, err
	}
	return f.set, nil
}

// fetcher is one Fetch call.
type fetcher struct {
	system *actor.ActorSystem
	handle *handle.Handle
	ask    FetchAsk
	next   int64 // where to read on
	most   int32 // bytes to ask for
	until  time.Time
	set    *behaviors.MessageSet
}

// read asks a leader until there is a record or the wait is over.
func (f *fetcher) read(ctx context.Context, leader int32) error {
	for looks := 1; ; looks++ {
		from, begun := f.next, time.Now()
		answer, err := f.request(ctx, leader)
		if err != nil {
			return err
		}
		opened, err := messageset.Open(answer, f.handle.Codecs(), 0)
		if f.enlarge(err) {
			continue
		}
		if err != nil {
			return err
		}
		if f.next = opened.Next; f.take(opened, answer) {
			return nil
		}
		if f.next > from {
			looks = 0
			continue
		}
		if err := f.pause(ctx, backoff.After(looks, lookMin, lookMax, 0)-time.Since(begun)); err != nil {
			return err
		}
	}
}

// take makes the set to return, when there is something in it or the time for
// it is over.
func (f *fetcher) take(opened messageset.Opened, answer messageset.Answer) bool {
	if opened.Set == nil && time.Now().Before(f.until) {
		return false
	}
	if f.set = opened.Set; f.set == nil {
		f.set = behaviors.SetOf(f.ask.Key.Topic, f.ask.Key.Partition, f.ask.Offset, f.next-1, 0, nil)
		f.set.HighWatermark, f.set.LastStableOffset = answer.HighWatermark, answer.LastStable
	}
	return true
}

// enlarge asks for more after an answer without a whole batch, up to MaxBytes.
func (f *fetcher) enlarge(err error) bool {
	partial := (*messageset.PartialError)(nil)
	limit := f.handle.Config().Consume.MaxBytes
	if !errors.As(err, &partial) || f.most >= limit {
		return false
	}
	f.most = int32(min(max(2*int64(f.most), int64(partial.Need)), int64(limit)))
	return true
}

func (f *fetcher) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(min(d, max(time.Until(f.until), 0)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-f.handle.Ended():
		return handle.ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *fetcher) request(ctx context.Context, leader int32) (messageset.Answer, error) {
	wait := time.Until(f.until)
	if end, bounded := ctx.Deadline(); bounded {
		wait = min(wait, time.Until(end)) // nobody would have the answer
	}
	want := reading.Want{Partition: f.ask.Key.Partition, Offset: f.next, Bytes: f.most}
	resp, err := requestFetch(ctx, f.system, f.handle, leader, wait, fetchRequest(f.handle, f.ask.Key.Topic, f.ask.Isolation, want))
	if err != nil {
		return messageset.Answer{}, err
	}
	return fetchedOf(resp, f.ask.Key.Topic, f.ask.Isolation, want)
}

// fetchRequest asks for records of partitions of a topic, outside of any session.
// Brokers fill the answer in the order of wants.
func fetchRequest(h *handle.Handle, name string, isolation handle.Isolation, wants ...reading.Want) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MinBytes, req.SessionEpoch, req.IsolationLevel = 1, -1, isolation.Wire()
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = name
	if known := h.Cluster().Topics[name]; known != nil {
		topic.TopicID = known.ID // names it from version 13 on
	}
	bytes := int64(0)
	for _, w := range wants {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = w.Partition, w.Offset, w.Bytes
		topic.Partitions = append(topic.Partitions, p)
		bytes += int64(w.Bytes)
	}
	req.MaxBytes = int32(min(bytes, int64(max(h.Config().Consume.MaxBytes, wants[0].Bytes))))
	req.Topics = append(req.Topics, topic)
	return req
}

// requestFetch asks a leader, which may hold the request for so long.
func requestFetch(ctx context.Context, system *actor.ActorSystem, h *handle.Handle, leader int32, wait time.Duration, req *kmsg.FetchRequest) (*kmsg.FetchResponse, error) {
	resp, err := ask(ctx, system, h, leader, func(reply func(kmsg.Response, error)) any {
		return &directFetch{request: req, wait: wait, reply: reply}
	})
	if err != nil {
		return nil, err
	}
	return resp.(*kmsg.FetchResponse), nil
}

// fetchedOf is what an answer to fetchRequest has for a partition.
func fetchedOf(resp *kmsg.FetchResponse, topic string, isolation handle.Isolation, want reading.Want) (messageset.Answer, error) {
	fail := &wire.Error{Code: wire.Code(resp.ErrorCode), API: int16(kmsg.Fetch), Topic: topic, Partition: want.Partition}
	if resp.ErrorCode != 0 {
		return messageset.Answer{}, fail
	}
	p := partitionOf(resp, want.Partition)
	switch {
	case p == nil && resp.ThrottleMillis > 0: // over its quota a client gets no partitions
		fail.Code = wire.ThrottlingQuotaExceeded
		return messageset.Answer{}, fail
	case p == nil:
		fail.Code = wire.UnknownServerError
		return messageset.Answer{}, fail
	case p.ErrorCode != 0:
		fail.Code = wire.Code(p.ErrorCode)
		return messageset.Answer{}, fail
	}
	a := messageset.Answer{
		Topic: topic, Partition: want.Partition, From: want.Offset, Data: p.RecordBatches,
		HighWatermark: p.HighWatermark, LastStable: p.LastStableOffset,
	}
	if isolation == handle.ReadCommitted {
		a.Aborted = p.AbortedTransactions
	}
	return a, nil
}

// partitionOf finds a partition in an answer about one topic; nil if it is not there.
func partitionOf(resp *kmsg.FetchResponse, partition int32) *kmsg.FetchResponseTopicPartition {
	for t := range resp.Topics {
		for i := range resp.Topics[t].Partitions {
			if p := &resp.Topics[t].Partitions[i]; p.Partition == partition {
				return p
			}
		}
	}
	return nil
}
