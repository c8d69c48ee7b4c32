package behaviors

import (
	"context"
	"errors"
)

// Worker is the behavior that a user implements to consume: one value for
// every assigned partition, made by NewWorker and run under a supervisor.
//
// HandleMessageSet is called for one set after another, never concurrently for
// one partition, on a goroutine that belongs to the worker. Returning nil acks
// the set. An error or a panic is for the subscription's OnError to decide about.
// Without one it ends this worker alone: its supervisor starts a fresh one, made by
// NewWorker again, and records from the last ack on are handed out again. Returning
// AckLater leaves the ack to Assignment.Ack. ctx
// ends when the worker is stopped; a call that goes on past the stop limit is
// abandoned and its result ignored.
type Worker interface {
	HandleMessageSet(ctx context.Context, set *MessageSet) error
}

// AckLater as the result of HandleMessageSet says that the set was taken, and
// will be acked by Assignment.Ack. The next set comes after that, or, with
// Consume.PrefetchCount, while no more records than that are not acked.
var AckLater = errors.New("moldau: the set will be acked later")

// WorkerFunc makes a function a Worker.
type WorkerFunc func(ctx context.Context, set *MessageSet) error

// HandleMessageSet calls the function.
func (f WorkerFunc) HandleMessageSet(ctx context.Context, set *MessageSet) error { return f(ctx, set) }

// MessageHandler is for users who want single records. ForEach makes a Worker
// of it.
type MessageHandler interface {
	HandleMessage(ctx context.Context, r Record) error
}

// MessageFunc makes a function a MessageHandler.
type MessageFunc func(ctx context.Context, r Record) error

// HandleMessage calls the function.
func (f MessageFunc) HandleMessage(ctx context.Context, r Record) error { return f(ctx, r) }

// ForEach makes a Worker that hands every record of a set to h, in order. The
// first error ends the set, as a RecordError: the records before it are acked.
func ForEach(h MessageHandler) Worker {
	return WorkerFunc(func(ctx context.Context, set *MessageSet) error {
		for r := range set.Records() {
			if err := h.HandleMessage(ctx, r); err != nil {
				return &RecordError{r.Offset, err}
			}
		}
		return set.Err()
	})
}

// Terminator is implemented by a Worker that wants to know of its end. It is
// called once, after the last HandleMessageSet returned, with the reason: nil
// for an ordinary stop. It is not called when a handler had to be abandoned.
type Terminator interface {
	Terminate(reason error)
}

// OffsetResetter is implemented by a Worker that says where to go on when there is
// no record at its position, with Consume.Reset: ResetSubscriber. It is called on
// the worker's goroutine once all that was handed out before is acked. why is of
// class wire.OffsetOutOfRange or a *TruncatedError. An error or a panic ends the
// worker, as one of HandleMessageSet does.
type OffsetResetter interface {
	ResetOffset(ctx context.Context, why error) (Position, error)
}

// Assignment tells a worker which partition it works on.
type Assignment struct {
	// Subscription is the name of the subscription that the worker belongs to.
	Subscription string
	// Topic and Partition are what it consumes.
	Topic     string
	Partition int32
	// Restarts is how often the workers of this partition were restarted.
	Restarts int
	// Ack acks everything up to an offset, for a worker that returned AckLater.
	// It may be called from any goroutine, does not block, and does nothing once
	// this worker has ended.
	Ack func(offset int64)
	// Fail tells of a failure from outside of a call, as of goroutines that the worker
	// runs: it is decided about as one of HandleMessageSet. If err is a *RecordError,
	// all records before it are acked. Afterwards a fresh worker is made. It may be
	// called from any goroutine, does not block, and does nothing once this worker has
	// ended.
	Fail func(err error)
}

// CommittedOffset tells where a partition is read from that has no ack yet in
// this client: a user's own record of what was processed. It is called on the
// worker's own goroutine before NewWorker, and again at restarts until there is
// an ack; not, though, once a broker has told the offset of the Latest, Earliest
// or Since that it gave. An error or a panic is a failed start.
type CommittedOffset func(ctx context.Context, topic string, partition int32) (Position, error)

// NewWorker makes the worker of an assigned partition. It is called on the
// worker's own goroutine at its first start and at every restart. An error or
// a panic is a failed start: it is tried again as the restart limits say.
type NewWorker func(a Assignment) (Worker, error)
