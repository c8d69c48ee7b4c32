package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/consuming"
	"github.com/moldau-go/moldau/actors/internal/messageset"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
)

// fetched opens an answer and tells the core of it.
func (c *consumer) fetched(ctx actor.Context, m *fetched, now time.Time) {
	if m.number != c.core.Number() {
		m.answer.Release()
		return // asked for by a position that was given up
	}
	answer := consuming.Answer{Next: c.core.Position(), Epoch: -1, Replica: m.replica, Diverged: m.diverged.EndOffset, Err: m.err}
	switch {
	case m.err != nil:
		m.answer.Release()
	case m.diverged.EndOffset >= 0:
		answer.Epoch = m.diverged.Epoch
		m.answer.Release()
	default:
		c.open(ctx, m, &answer)
	}
	c.do(ctx, c.core.Fetched(now, m.number, answer))
}

// open makes message sets of what an answer brought.
func (c *consumer) open(ctx actor.Context, m *fetched, to *consuming.Answer) {
	opened, err := messageset.Open(messageset.Answer{
		Topic: c.key.Topic, Partition: c.key.Partition, From: c.core.Position(), Data: m.data,
		HighWatermark: m.highWatermark, LastStable: m.lastStable, Aborted: c.aborted(m), Scratch: c.scratch(),
	}, c.handle.Codecs(), 0)
	if err != nil {
		m.answer.Release()
		c.enlarge(err)
		to.Err = err
		return
	}
	c.maxBytes = c.handle.Config().Consume.MaxPartitionBytes
	to.Next, to.Epoch = opened.Next, opened.Epoch
	if opened.Set == nil {
		m.answer.Release()
		return
	}
	memory := c.memoryOf(m.answer, opened)
	for _, set := range c.pieces(opened.Set) {
		c.keep(ctx, set, to)
	}
	last := &to.Sets[len(to.Sets)-1] // the memory is in use until the last piece is acked
	last.Bytes = opened.Size
	c.sets[last.ID] = fetchedSet{c.sets[last.ID].message, memory}
}

// pieces cuts a set to what may be handed out at once.
func (c *consumer) pieces(set *behaviors.MessageSet) []*behaviors.MessageSet {
	if most := c.handle.Config().Consume.PrefetchCount; most > 0 {
		return set.Cut(most)
	}
	return []*behaviors.MessageSet{set}
}

// keep puts a set among those to be handed out.
func (c *consumer) keep(ctx actor.Context, set *behaviors.MessageSet, to *consuming.Answer) {
	c.lastID++
	if c.sets == nil {
		c.sets = map[uint64]fetchedSet{}
	}
	c.sets[c.lastID] = fetchedSet{message: &protocol.MessageSet{Ref: c.ref, Consumer: ctx.Self(), Set: set}}
	to.Sets = append(to.Sets, consuming.Set{ID: c.lastID, Count: set.Count(), Last: set.Last()})
}

func (c *consumer) aborted(m *fetched) []kmsg.FetchResponseTopicPartitionAbortedTransaction {
	if c.handle.Config().Consume.Isolation == handle.ReadUncommitted {
		return nil
	}
	return m.aborted
}

// enlarge asks for more bytes after an answer that held no whole batch.
func (c *consumer) enlarge(err error) {
	if partial := (*messageset.PartialError)(nil); errors.As(err, &partial) {
		c.maxBytes = int32(min(int64(max(2*int(c.maxBytes), partial.Need)), int64(c.handle.Config().Consume.MaxBytes)))
	}
}
