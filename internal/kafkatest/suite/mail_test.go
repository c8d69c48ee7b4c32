package suite

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
)

// byMail produces by messages to the producers' PIDs, as an actor of a user's own
// does. What a producer has not answered when it is gone was not accepted, so it
// is sent again to its successor.
func byMail(t *testing.T, config handle.Config, topic string, partitions int32) *way {
	w := &way{name: "messages", topic: topic}
	system := quietSystem()
	w.watch(t, system)
	client, err := actors.SpawnClient(system.Root, config)
	require.NoError(t, err)
	require.NoError(t, client.Started(bounded(t, patience)))
	m := &mailer{way: w, client: client, boxes: make([]box, partitions), letters: map[int]*letter{}}
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return m }))
	t.Cleanup(func() {
		_ = system.Root.StopFuture(pid).Wait()
		_ = system.Root.StopFuture(client.Supervisor).Wait()
		system.Shutdown()
	})
	turn := int32(0)
	w.produce = func(ctx context.Context, n int) {
		for end := w.history.Count() + n; w.history.Count() < end; turn++ {
			l := w.letter(turn % partitions)
			w.settled.await(ctx, l.ref-mailWindow)
			system.Root.Send(pid, l)
		}
	}
	w.crash = func(partition int32) bool {
		producer := client.Producer(topic, partition)
		if producer != nil {
			system.Root.Send(producer, w.bug())
		}
		return producer != nil
	}
	w.idle, w.ended = client.Handle.Buffered, func() {}
	return w
}

const (
	mailLength = 20     // records in a message
	mailWindow = 20_000 // records without a final answer
	// mailPause is how long a sender waits before it looks again for a producer
	// that is not there.
	mailPause = 20 * time.Millisecond
)

// letter is a Produce message and what is known of it.
type letter struct {
	ref       int // the number of its first record
	partition int32
	records   []behaviors.Record
	buffered  bool
	queued    bool
}

func (w *way) letter(partition int32) *letter {
	l := &letter{partition: partition}
	for i := range mailLength {
		id := w.history.Produced(int(partition))
		if i == 0 {
			l.ref = id
		}
		l.records = append(l.records, behaviors.Record{Value: fmt.Append(nil, id, " ", flowPad)})
	}
	return l
}

// mailer sends letters, in the order of each partition.
type mailer struct {
	way     *way
	client  *actors.Client
	boxes   []box
	letters map[int]*letter // those without a final answer
}

// box is a partition's.
type box struct {
	producer *actor.PID
	waiting  []*letter // not accepted yet, in order; the first of them are sent
	sent     int
	pausing  bool
}

// again is a message to itself: to look for a producer. gone: that this one is
// gone, behind all that it has sent.
type (
	again struct{ partition int32 }
	gone  struct{ producer *actor.PID }
)

func (m *mailer) Receive(ctx actor.Context) {
	switch message := ctx.Message().(type) {
	case *letter:
		m.letters[message.ref] = message
		b := &m.boxes[message.partition]
		b.waiting = append(b.waiting, message)
		m.post(ctx, message.partition)
	case again:
		m.boxes[message.partition].pausing = false
		m.post(ctx, message.partition)
	case *actor.Terminated: // overtakes what the producer has sent
		ctx.Send(ctx.Self(), gone{message.Who})
	case gone:
		m.gone(ctx, message.producer)
	case *actor.DeadLetterResponse:
		m.gone(ctx, message.Target)
	case *protocol.ProduceQueued:
		m.queued(message.Ref.(int))
	case *protocol.ProduceBuffered:
		m.buffered(message.Ref.(int))
	case *protocol.ProduceAcked:
		m.answered(message.Ref.(int), message.Base, nil)
	case *protocol.ProduceFailed:
		m.answered(message.Ref.(int), -1, message.Err)
	}
}

// post sends what waits to the partition's producer.
func (m *mailer) post(ctx actor.Context, partition int32) {
	b := &m.boxes[partition]
	if b.producer == nil {
		if b.producer = m.client.Producer(m.way.topic, partition); b.producer == nil {
			m.pause(ctx, partition)
			return
		}
		ctx.Watch(b.producer)
	}
	for ; b.sent < len(b.waiting); b.sent++ {
		l := b.waiting[b.sent]
		ctx.Request(b.producer, &protocol.Produce{Ref: l.ref, Records: l.records})
	}
}

// pause looks again later. A message to the client makes sure that the topic's
// producers are started.
func (m *mailer) pause(ctx actor.Context, partition int32) {
	if b := &m.boxes[partition]; !b.pausing {
		b.pausing = true
		if pid := m.client.PID(); pid != nil {
			ctx.Send(pid, &protocol.Produce{Topic: m.way.topic, Partition: partition})
		}
		root, self := ctx.ActorSystem().Root, ctx.Self()
		time.AfterFunc(mailPause, func() { root.Send(self, again{partition}) })
	}
}

// gone sends again what a producer has not answered.
func (m *mailer) gone(ctx actor.Context, producer *actor.PID) {
	for partition := range m.boxes {
		if b := &m.boxes[partition]; b.producer != nil && b.producer.Equal(producer) {
			b.producer, b.sent = nil, 0
			m.post(ctx, int32(partition))
		}
	}
}

// buffered takes a letter out of those that may have to be sent again.
func (m *mailer) buffered(ref int) {
	l := m.letters[ref]
	if l == nil || l.buffered {
		m.way.history.Fault("the letter of record %d was accepted twice, or after its final answer", ref)
		return
	}
	l.buffered = true
	if !l.queued {
		m.drop(l)
	}
}

// queued is for a letter that waits: it need not be sent again.
func (m *mailer) queued(ref int) {
	l := m.letters[ref]
	if l == nil || l.buffered || l.queued {
		m.way.history.Fault("the letter of record %d was queued twice, or after it was accepted", ref)
		return
	}
	l.queued = true
	m.way.waited.Add(1)
	m.drop(l)
}

// answered takes down a final answer.
func (m *mailer) answered(ref int, base int64, err error) {
	l := m.letters[ref]
	if l == nil {
		m.way.history.Fault("the letter of record %d has two final answers", ref)
		return
	}
	delete(m.letters, ref)
	if !l.buffered {
		if !l.queued {
			m.drop(l)
		}
		if err == nil {
			m.way.history.Fault("the letter of record %d was acked before it was accepted", ref)
		}
	}
	for i := range l.records {
		offset := base
		if err == nil {
			offset = base + int64(i)
		}
		m.way.settle(ref+i, offset, err)
	}
}

// drop takes a letter out of its box. Letters are accepted in order.
func (m *mailer) drop(l *letter) {
	b := &m.boxes[l.partition]
	if b.sent == 0 || b.waiting[0] != l {
		m.way.history.Fault("the letter of record %d was answered before one that was sent before", l.ref)
		return
	}
	b.waiting = b.waiting[1:]
	b.sent--
}
