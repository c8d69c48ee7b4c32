package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/moldau-go/moldau/actors/protocol"
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

// workerRun is the user's code of one incarnation. Its methods run on the
// goroutine of a call; the actor reads its fields after the call has ended.
type workerRun struct {
	life       context.Context
	newWorker  behaviors.NewWorker
	committed  behaviors.CommittedOffset // nil: begin is known
	begin      behaviors.Position
	assignment behaviors.Assignment
	tell       func(any)
	worker     behaviors.Worker
	failure    error
	finished   *protocol.MessageSet // the last set that was handled well
}

func (r *workerRun) start() {
	r.guarded(func() (err error) {
		if r.committed != nil {
			if r.begin, err = r.committed(r.life, r.assignment.Topic, r.assignment.Partition); err != nil {
				return err
			}
		}
		worker, err := r.newWorker(r.assignment)
		if err == nil && worker == nil {
			err = errors.New("moldau: NewWorker returned neither a worker nor an error")
		}
		if err == nil {
			r.worker = worker
		}
		return err
	}, func(err error) {
		r.failure = err
		r.tell(&workerReady{r.begin, err})
	})
}

func (r *workerRun) terminate() {
	if t, ok := r.worker.(behaviors.Terminator); ok {
		r.guarded(func() error { t.Terminate(r.failure); return nil }, func(error) {})
	}
}

func (r *workerRun) handle(m *protocol.MessageSet) {
	r.guarded(func() error {
		err := r.worker.HandleMessageSet(r.life, m.Set)
		if bad := m.Set.Err(); bad != nil && (err == nil || errors.Is(err, behaviors.AckLater)) {
			return bad
		}
		return err
	}, func(err error) {
		r.failure = err
		switch {
		case err == nil:
			r.finished = m
		case errors.Is(err, behaviors.AckLater):
			r.failure = nil
		}
		r.tell(&setHandled{m, err})
	})
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
