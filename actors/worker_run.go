package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/handling"
	"github.com/moldau-go/moldau/behaviors"
)

// HandlerPanic is what a worker failed with that panicked.
type HandlerPanic struct {
	Value any
	Stack []byte
}

// Error names the value.
func (e *HandlerPanic) Error() string { return fmt.Sprintf("moldau: the worker panicked: %v", e.Value) }

// Unwrap gives the value of the panic, if it is an error.
func (e *HandlerPanic) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errGoexit is a worker that ended its goroutine, as testing's FailNow does.
var errGoexit = errors.New("moldau: the worker called runtime.Goexit")

// The messages by which the goroutine of user code tells the handler of its end;
// run says of which worker, where another may have taken its place.
type (
	// workerReady tells that the user's worker is made, or why it could not be.
	workerReady struct {
		run *workerRun
		err error
	}
	// setHandled tells that the user's worker is done with a set.
	setHandled struct {
		run     *workerRun
		outcome handling.Outcome
	}
	// decided is what to do about a failure from outside of a call.
	decided struct{ outcome handling.Outcome }
	// positionChosen is what an OffsetResetter said.
	positionChosen struct {
		to  behaviors.Position
		err error
	}
)

// ackLater is the ack of a worker that had put it off.
type ackLater struct {
	run    *workerRun
	offset int64
}

// workerFailed is a failure that a worker tells from outside of a call.
type workerFailed struct {
	run *workerRun
	err error
}

// seekTo makes the handler go to another position.
type seekTo struct{ to behaviors.Position }

// workerRun is the user's code of one worker. Its methods run on the goroutine of
// a call; the actor reads its fields after the call has ended.
type workerRun struct {
	life       context.Context
	system     *actor.ActorSystem
	handle     *handle.Handle
	sub        *handle.Subscription
	progress   *handle.Progress
	committed  behaviors.CommittedOffset // nil: begin is known
	begin      behaviors.Position
	assignment behaviors.Assignment
	before     func() // ends the worker of before
	tell       func(any)
	worker     behaviors.Worker
	outcome    *handling.Outcome // of the last set
}

// newWorkerRun is the user's code of a partition from begin on.
func newWorkerRun(ctx actor.Context, h *handler, begin behaviors.Position, restarts int) *workerRun {
	system, self := ctx.ActorSystem(), ctx.Self()
	r := &workerRun{
		life: h.life, system: system, handle: h.handle, sub: h.sub, progress: h.progress, begin: begin,
		tell: func(m any) { system.Root.Send(self, m) },
	}
	r.assignment = behaviors.Assignment{
		Subscription: h.sub.Name, Topic: h.key.Topic, Partition: h.key.Partition, Restarts: restarts,
		Ack:  func(offset int64) { r.tell(&ackLater{r, offset}) },
		Fail: func(err error) { r.tell(&workerFailed{r, err}) },
	}
	return r
}

func (r *workerRun) start() {
	if r.before != nil {
		r.before()
		r.before = nil
	}
	r.guarded(func() (err error) {
		if r.committed != nil {
			if r.begin, err = r.committed(r.life, r.assignment.Topic, r.assignment.Partition); err != nil {
				return err
			}
		}
		worker, err := r.sub.NewWorker(r.assignment)
		if err == nil && worker == nil {
			err = errors.New("moldau: NewWorker returned neither a worker nor an error")
		}
		if err == nil {
			r.worker = worker
		}
		return err
	}, func(err error) { r.tell(&workerReady{r, err}) })
}

// terminate tells the worker of its end.
func (r *workerRun) terminate(reason error) {
	if t, ok := r.worker.(behaviors.Terminator); ok {
		r.guarded(func() error { t.Terminate(reason); return nil }, func(error) {})
	}
}

func (r *workerRun) call(set *behaviors.MessageSet) {
	r.guarded(func() error {
		err := r.worker.HandleMessageSet(r.life, set)
		if bad := set.Err(); bad != nil && (err == nil || errors.Is(err, behaviors.AckLater)) {
			return bad
		}
		return err
	}, func(err error) {
		o := handling.Outcome{Record: -1}
		switch {
		case errors.Is(err, behaviors.AckLater):
			o.Result = handling.Later
		case err != nil:
			o = r.failed(set.First(), err)
		}
		r.outcome = &o
		r.tell(&setHandled{r, o})
	})
}

// failed has the user decide about a failure at an offset, unless the worker is
// being ended.
func (r *workerRun) failed(offset int64, err error) handling.Outcome {
	o := handling.Outcome{Result: handling.Failed, Err: err, Record: -1, Panicked: stackOf(err) != "" || errors.Is(err, errGoexit)}
	if record := (*behaviors.RecordError)(nil); errors.As(err, &record) {
		o.Record, offset = record.Offset, record.Offset
	}
	if r.sub.OnError == nil || r.life.Err() != nil {
		return o
	}
	failure := behaviors.Failure{
		Subscription: r.sub.Name, Topic: r.assignment.Topic, Partition: r.assignment.Partition,
		Offset: offset, Attempts: r.progress.Failing(offset), Err: err,
	}
	r.guarded(func() error {
		o.Decision = r.sub.OnError.Decide(failure)
		return nil
	}, func(bad error) {
		if bad != nil {
			o.Err = errors.Join(err, fmt.Errorf("OnError: %w", bad))
		}
	})
	return o
}

// decide has the user decide about a failure from outside of a call.
func (r *workerRun) decide(err error) {
	next, _ := r.progress.Next()
	r.tell(&decided{r.failed(next, err)})
}

// chooses says whether the worker can choose a position.
func (r *workerRun) chooses() bool {
	_, ok := r.worker.(behaviors.OffsetResetter)
	return ok
}

// choose asks the worker for a position.
func (r *workerRun) choose(why error) {
	var to behaviors.Position
	r.guarded(func() (err error) {
		to, err = r.worker.(behaviors.OffsetResetter).ResetOffset(r.life, why)
		return err
	}, func(err error) { r.tell(&positionChosen{to, err}) })
}

// guarded runs user code and tells its outcome, whatever it does. Nothing may be
// touched after that: the next call may have begun.
func (r *workerRun) guarded(call func() error, tell func(error)) {
	err := errGoexit
	defer func() {
		if value := recover(); value != nil {
			err = &HandlerPanic{Value: value, Stack: debug.Stack()}
		}
		tell(err)
	}()
	err = call()
}
