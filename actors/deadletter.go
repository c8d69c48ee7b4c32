package actors

import (
	"context"
	"fmt"
	"strconv"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/handling"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
)

// buried tells that dead letters are acked, or why they could not be written.
type buried struct{ err error }

// bury writes the records that a decision gives up to its topic, and waits for
// their acks.
func (r *workerRun) bury(a handling.Bury) {
	r.guarded(func() error {
		topic, err := r.deadTopic(a.Topic)
		if err != nil {
			return fmt.Errorf("moldau: dead letters to topic %q: %w", a.Topic, err)
		}
		letters, err := r.letters(a)
		if err != nil {
			return err
		}
		if err := topic.AppendAll(r.life, letters, nil, handle.Awaited).Wait(r.life); err != nil {
			return fmt.Errorf("moldau: dead letters to topic %q: %w", a.Topic, err)
		}
		return nil
	}, func(err error) { r.tell(&buried{err}) })
}

// deadTopic is the topic for dead letters, with its producers started.
func (r *workerRun) deadTopic(name string) (*handle.Topic, error) {
	topic, err := r.handle.Topic(name)
	if err != nil {
		return nil, err
	}
	if topic.Count() == 0 {
		ctx, cancel := context.WithTimeout(r.life, topic.Config().MaxBlock)
		defer cancel()
		if _, err := Partitions(ctx, r.system, r.handle, name); err != nil {
			return nil, err
		}
	}
	Use(r.system, r.handle, topic)
	return topic, nil
}

// letters are the records to be given up, each with where it comes from and why it
// failed.
func (r *workerRun) letters(a handling.Bury) ([]behaviors.Record, error) {
	var list []behaviors.Record
	attempts := strconv.Itoa(r.progress.Failures())
	for _, s := range a.Sets {
		set := s.Ref.(*protocol.MessageSet).Set.From(a.From)
		for record := range set.Records() {
			if a.Record >= 0 && record.Offset != a.Record {
				continue
			}
			record.Headers.Add("moldau-topic", []byte(record.Topic))
			record.Headers.Add("moldau-partition", strconv.AppendInt(nil, int64(record.Partition), 10))
			record.Headers.Add("moldau-offset", strconv.AppendInt(nil, record.Offset, 10))
			record.Headers.Add("moldau-subscription", []byte(r.sub.Name))
			record.Headers.Add("moldau-attempts", []byte(attempts))
			record.Headers.Add("moldau-error", []byte(a.Err.Error()))
			list = append(list, record)
		}
		if err := set.Err(); err != nil {
			return nil, err // what cannot be decoded cannot be written anew
		}
	}
	return list, nil
}
