package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/handling"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// Purpose:  runs the user's worker of one partition: one call after another, each
// on a goroutine of its own, so that the actor stays answerable; carries out what
// is decided about its failures.
// Parent:   worker:<topic>/<partition>, behind the consumer.
// Children: none; a goroutine while user code runs.
// Messages: in protocol.MessageSet, protocol.FetchError, protocol.Pause,
// protocol.Resume, workerReady, setHandled, ackLater, workerFailed, decided, buried,
// positionChosen, seekTo, tick; out protocol.Subscribe, protocol.Unsubscribe,
// protocol.Ack, protocol.Pause and protocol.Resume to the consumer.
// Restart:  permanent, delayed: at once for the first failures, then later.
// Crash:    loses nothing: the ack floor is in the handle; the set that was being
// handled is handed out again.
type handler struct {
	handle   *handle.Handle
	sub      *handle.Subscription
	key      handle.Partition
	progress *handle.Progress
	life     context.Context
	core     *handling.Core
	alarm    alarm
	lease    uint64
	run      *workerRun
	call     chan struct{} // closed when the call of user code under way ends
	consumer *actor.PID    // subscribed to; nil: to none
	ref      uint64        // of the subscription
	reason   error         // what the worker failed with last
}

// stopLimit is how long a handler that is running may take to end after its ctx
// has ended. It is less than what the supervisor waits.
const stopLimit = 4 * time.Second

func newHandler(life context.Context, h *handle.Handle, sub *handle.Subscription, key handle.Partition) *handler {
	return &handler{handle: h, sub: sub, key: key, progress: sub.Progress(key), life: life}
}

// Receive implements actor.Actor.
func (h *handler) Receive(ctx actor.Context) {
	now := time.Now()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		h.progress.SetHandler(ctx.Self())
		h.core = handling.New(h.progress.Paused())
		h.start(ctx, nil)
	case *actor.Stopping:
		h.progress.SetHandler(nil)
		h.alarm.stop()
		h.stop()
	case tick:
		h.alarm.rang()
		h.do(ctx, h.core.Tick(now))
	case *workerReady:
		h.ready(ctx, m)
	case *protocol.MessageSet:
		if m.Ref == any(h.ref) {
			h.do(ctx, h.core.Got(now, handling.Set{First: m.Set.First(), Last: m.Set.Last(), Count: m.Set.Count(), Ref: m}))
		}
	case *setHandled:
		if m.run == h.run {
			h.heard(m.outcome)
			h.do(ctx, h.core.Handled(now, m.outcome))
		}
	case *ackLater:
		if m.run == h.run {
			h.do(ctx, h.core.AckedLater(now, m.offset))
		}
	default:
		h.control(ctx, now)
	}
}

// control takes what is not of the everyday.
func (h *handler) control(ctx actor.Context, now time.Time) {
	switch m := ctx.Message().(type) {
	case *workerFailed:
		if m.run == h.run {
			h.do(ctx, h.core.Fail(now, m.err))
		}
	case *decided:
		h.heard(m.outcome)
		h.do(ctx, h.core.Decided(now, m.outcome))
	case *buried:
		h.do(ctx, h.core.Buried(now, m.err))
	case *positionChosen:
		h.do(ctx, h.core.Chosen(now, m.to, m.err))
	case *protocol.FetchError:
		if m.Ref != any(h.ref) {
			return
		}
		if h.handle.Config().Consume.Reset == handle.ResetSubscriber && h.run.chooses() {
			h.do(ctx, h.core.Refused(m.Err))
			return
		}
		h.fail(ctx, m.Err)
	case *protocol.Pause:
		h.do(ctx, h.core.Pause())
	case *protocol.Resume:
		h.do(ctx, h.core.Resume(now))
	case *seekTo:
		h.do(ctx, h.core.Seek(now, m.to))
	}
}

// start takes the partition, and has the worker made, in place of one that failed.
// One that a decision has stopped stays so.
func (h *handler) start(ctx actor.Context, old func()) {
	lease, restarts, next, known := h.progress.Attach()
	if h.progress.Stopped() != nil {
		h.core = handling.NewStopped()
		return
	}
	begin, sought := h.sub.Begin, h.progress.Sought()
	switch {
	case known:
		begin = behaviors.At(next)
	case sought != nil:
		begin = *sought
	case begin == behaviors.Latest && h.progress.Grown():
		begin = behaviors.Earliest // all of a partition that was added is new
	}
	h.lease = lease
	h.run = newWorkerRun(ctx, h, begin, restarts)
	h.run.before = old
	if !known && sought == nil {
		h.run.committed = h.sub.Committed
	}
	h.goCall(h.run.start)
}

// goCall runs user code on a goroutine. There is one call at a time: the next
// begins after the message that tells of the last one's end.
func (h *handler) goCall(f func()) {
	call := make(chan struct{})
	h.call, h.run.outcome = call, nil
	go func() {
		defer close(call)
		f()
	}()
}

func (h *handler) ready(ctx actor.Context, m *workerReady) {
	if m.run != h.run {
		return
	}
	if m.err != nil {
		h.fail(ctx, m.err)
		return
	}
	h.do(ctx, h.core.Ready())
}

// do carries out what the core decided.
func (h *handler) do(ctx actor.Context, actions []handling.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case handling.Handle:
			m := a.Set.Ref.(*protocol.MessageSet)
			set := m.Set.From(a.From)
			h.goCall(func() { h.run.call(set) })
		case handling.Floor:
			h.progress.Ack(h.lease, a.Next, a.Records)
		case handling.Ack:
			ctx.Send(h.consumer, &protocol.Ack{Offset: a.Last})
		case handling.Subscribe:
			h.subscribe(ctx, h.run.begin)
		case handling.PauseFetching:
			h.progress.SetPaused(true)
			h.toConsumer(ctx, &protocol.Pause{})
		case handling.ResumeFetching:
			h.progress.SetPaused(false)
			h.toConsumer(ctx, &protocol.Resume{})
		case handling.Wake:
			h.alarm.set(ctx, a.At)
		case handling.Exit:
			h.fail(ctx, a.Err)
		default:
			h.doRarely(ctx, a)
		}
	}
}

// doRarely carries out what follows failures, and seeks.
func (h *handler) doRarely(ctx actor.Context, a handling.Action) {
	switch a := a.(type) {
	case handling.Go:
		h.progress.Seek(h.lease, a.To)
		h.subscribe(ctx, a.To)
	case handling.Decide:
		h.goCall(func() { h.run.decide(a.Err) })
	case handling.Bury:
		h.goCall(func() { h.run.bury(a) })
	case handling.Skipped:
		h.handle.Emit(telemetry.RecordsSkipped{
			Client: h.handle.Name(), Subscription: h.sub.Name, Topic: h.key.Topic, Partition: h.key.Partition, First: a.First, Last: a.Last, Err: a.Err,
		})
	case handling.Paused:
		h.tellFailed(a.Err)
		h.handle.Emit(telemetry.PartitionPaused{Client: h.handle.Name(), Subscription: h.sub.Name, Topic: h.key.Topic, Partition: h.key.Partition, Err: a.Err})
	case handling.Renew:
		h.renew(ctx, a)
	case handling.Choose:
		h.goCall(func() { h.run.choose(a.Err) })
	case handling.Stop:
		h.tellFailed(a.Err)
		h.progress.Stop(a.Err)
		h.toConsumer(ctx, &protocol.Unsubscribe{Subscriber: ctx.Self()})
		h.goCall(func() { h.run.terminate(a.Err) })
	}
}

func (h *handler) subscribe(ctx actor.Context, begin behaviors.Position) {
	h.consumer = h.progress.Consumer()
	h.ref++
	h.toConsumer(ctx, &protocol.Subscribe{Ref: h.ref, Subscriber: ctx.Self(), Begin: begin})
}

func (h *handler) toConsumer(ctx actor.Context, m any) {
	if h.consumer != nil {
		ctx.Send(h.consumer, m)
	}
}

// renew has a fresh worker made, when the old one has ended, and lets go of what
// that one had.
func (h *handler) renew(ctx actor.Context, a handling.Renew) {
	old, reason := h.run, h.reason
	if a.To != nil {
		h.progress.Seek(h.lease, *a.To)
	}
	h.toConsumer(ctx, &protocol.Unsubscribe{Subscriber: ctx.Self()})
	h.consumer, h.ref = nil, h.ref+1
	h.start(ctx, func() { old.terminate(reason) })
}

// heard takes note of a failure, and tells of it if this worker is to try again.
func (h *handler) heard(o handling.Outcome) {
	h.reason = o.Err
	if o.Err != nil && o.Decision.Kind() == behaviors.KindRetry {
		h.tellFailed(o.Err)
	}
}

// fail ends this incarnation; the supervisor decides about the next.
func (h *handler) fail(ctx actor.Context, err error) {
	h.reason = err
	h.tellFailed(err)
	supervisor.Exit(ctx, err)
}

func (h *handler) tellFailed(err error) {
	h.handle.Emit(telemetry.WorkerFailed{
		Client: h.handle.Name(), Subscription: h.sub.Name, Topic: h.key.Topic, Partition: h.key.Partition, Err: err, Stack: stackOf(err),
	})
}

// stop waits, within a limit, for a handler that is running: its ctx has ended,
// and a set that it still finishes is acked rather than handled twice. After the
// limit it is abandoned, and its lease with it.
func (h *handler) stop() {
	if h.call == nil || h.run == nil {
		return
	}
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	if !h.await(limit) {
		return
	}
	if o := h.run.outcome; o != nil {
		if o.Err != nil {
			h.reason = o.Err
		}
		for _, a := range h.core.Handled(time.Now(), *o) {
			if floor, ok := a.(handling.Floor); ok {
				h.progress.Ack(h.lease, floor.Next, floor.Records)
			}
		}
	}
	if h.core.State() != handling.Ended {
		h.goCall(func() { h.run.terminate(h.reason) })
		h.await(limit)
	}
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
	attrs := []supervisor.Attr{number("handled", h.progress.Handled()), number("restarts", int64(h.progress.Restarts())), word("state", h.core.State())}
	if next, ok := h.progress.Next(); ok {
		attrs = append(attrs, number("next", next))
	}
	return attrs
}
