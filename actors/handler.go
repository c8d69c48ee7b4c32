package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// Purpose:  runs the user's worker of one partition: one set after another, each
// call on a goroutine of its own, so that the actor stays answerable.
// Parent:   worker:<topic>/<partition>, behind the consumer.
// Children: none; a goroutine while user code runs.
// Messages: in protocol.MessageSet, protocol.FetchError, workerReady, setHandled,
// ackLater; out protocol.Subscribe and protocol.Ack to the consumer.
// Restart:  permanent, delayed: at once for the first failures, then later.
// Crash:    loses nothing: the ack floor is in the handle; the set that was being
// handled is handed out again.
type handler struct {
	handle   *handle.Handle
	sub      *handle.Subscription
	key      handle.Partition
	progress *handle.Progress
	life     context.Context
	lease    uint64
	begin    behaviors.Position
	handed   *protocol.MessageSet // the last set, as long as it is to be acked
	noted    *ackLater            // came while user code ran
	run      *workerRun
	call     chan struct{} // closed when the call of user code under way ends
	running  *protocol.MessageSet
}

// stopLimit is how long a handler that is running may take to end after its ctx
// has ended. It is less than what the supervisor waits.
const stopLimit = 4 * time.Second

// workerReady tells that the user's worker is made, and where it begins, or why
// it could not be.
type workerReady struct {
	begin behaviors.Position
	err   error
}

// ackLater is the ack of a worker that had put it off.
type ackLater struct{ offset int64 }

// setHandled tells that the user's worker is done with a set.
type setHandled struct {
	set *protocol.MessageSet
	err error
}

func newHandler(life context.Context, h *handle.Handle, sub *handle.Subscription, key handle.Partition) *handler {
	return &handler{handle: h, sub: sub, key: key, progress: sub.Progress(key), life: life}
}

// Receive implements actor.Actor.
func (h *handler) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		h.start(ctx)
	case *actor.Stopping:
		h.stop()
	case *workerReady:
		h.ready(ctx, m)
	case *protocol.MessageSet:
		h.running, h.handed = m, m
		h.goCall(func() { h.run.handle(m) })
	case *setHandled:
		h.handled(ctx, m)
	case *ackLater:
		h.ackedLater(ctx, m)
	case *protocol.FetchError:
		supervisor.Exit(ctx, m.Err)
	}
}

func (h *handler) start(ctx actor.Context) {
	lease, restarts, next, known := h.progress.Attach()
	h.lease, h.begin = lease, h.sub.Begin
	switch {
	case known:
		h.begin = behaviors.At(next)
	case h.begin == behaviors.Latest && h.progress.Grown():
		h.begin = behaviors.Earliest // all of a partition that was added is new
	}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	h.run = &workerRun{
		life: h.life, newWorker: h.sub.NewWorker, begin: h.begin,
		assignment: behaviors.Assignment{
			Subscription: h.sub.Name, Topic: h.key.Topic, Partition: h.key.Partition, Restarts: restarts,
			Ack: func(offset int64) { root.Send(self, &ackLater{offset}) },
		},
		tell: func(m any) { root.Send(self, m) },
	}
	if !known {
		h.run.committed = h.sub.Committed
	}
	h.goCall(h.run.start)
}

// goCall runs user code on a goroutine. There is one call at a time: the next
// begins after the message that tells of the last one's end.
func (h *handler) goCall(f func()) {
	call := make(chan struct{})
	h.call = call
	go func() {
		defer close(call)
		f()
	}()
}

func (h *handler) ready(ctx actor.Context, m *workerReady) {
	if m.err != nil {
		h.fail(ctx, m.err)
		return
	}
	ctx.Send(h.progress.Consumer(), &protocol.Subscribe{Subscriber: ctx.Self(), Begin: m.begin})
}

func (h *handler) handled(ctx actor.Context, m *setHandled) {
	h.running = nil
	noted := h.noted
	h.noted = nil
	if errors.Is(m.err, behaviors.AckLater) {
		if noted != nil {
			h.ackedLater(ctx, noted)
		}
		return
	}
	if m.err != nil {
		h.fail(ctx, m.err)
		return
	}
	h.ack(m.set)
	h.handed, h.run.finished = nil, nil // an idle partition keeps no answer of its broker
	ctx.Send(m.set.Consumer, &protocol.Ack{Offset: m.set.Set.Last()})
}

// ackedLater takes an ack of the set that was handed out last. Part of it moves
// the floor; all of it brings the next set. While user code runs it is noted
// only: one call at a time.
func (h *handler) ackedLater(ctx actor.Context, m *ackLater) {
	switch {
	case h.handed == nil || m.offset > h.handed.Set.Last():
	case h.running != nil:
		if h.noted == nil || m.offset > h.noted.offset {
			h.noted = m
		}
	case m.offset < h.handed.Set.Last():
		h.progress.Ack(h.lease, m.offset+1, 0)
	default:
		h.ack(h.handed)
		ctx.Send(h.handed.Consumer, &protocol.Ack{Offset: m.offset})
		h.handed = nil
	}
}

func (h *handler) ack(m *protocol.MessageSet) {
	h.progress.Ack(h.lease, m.Set.Last()+1, m.Set.Count())
}

// fail ends this incarnation; the supervisor decides about the next.
func (h *handler) fail(ctx actor.Context, err error) {
	event := telemetry.WorkerFailed{Client: h.handle.Name(), Subscription: h.sub.Name, Topic: h.key.Topic, Partition: h.key.Partition, Err: err}
	if crash := (*HandlerPanic)(nil); errors.As(err, &crash) {
		event.Stack = string(crash.Stack)
	}
	h.handle.Emit(event)
	supervisor.Exit(ctx, err)
}

// stop waits, within a limit, for a handler that is running: its ctx has ended,
// and a set that it still finishes is acked rather than handled twice. After the
// limit it is abandoned, and its lease with it.
func (h *handler) stop() {
	if h.call == nil {
		return
	}
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	if !h.await(limit) {
		return
	}
	if h.running != nil && h.running == h.run.finished {
		h.ack(h.running)
	}
	h.goCall(h.run.terminate)
	h.await(limit)
}

func (h *handler) await(limit *time.Timer) bool {
	select {
	case <-h.call:
		return true
	case <-limit.C:
		return false
	}
}

// Inspect tells how far the partition is handled.
func (h *handler) Inspect() []supervisor.Attr {
	attrs := []supervisor.Attr{number("handled", h.progress.Handled()), number("restarts", int64(h.progress.Restarts()))}
	if next, ok := h.progress.Next(); ok {
		attrs = append(attrs, number("next", next))
	}
	return attrs
}
