package behaviors

import (
	"fmt"
	"math"
	"time"
)

// Failure is an error or a panic of a worker's code, for an OnError to decide about.
type Failure struct {
	// Subscription, Topic and Partition say whose worker it is.
	Subscription string
	Topic        string
	Partition    int32
	// Offset is the record that failed, if a RecordError names it; else the first
	// offset that is not acked.
	Offset int64
	// Attempts is how often it has failed at this place, from 1, restarts of the
	// worker included.
	Attempts int
	// Err is the error. One of a panic has the value and, as *moldau.HandlerPanic,
	// the stack.
	Err error
}

// RecordError is the failure of one record. As the result of HandleMessageSet, or
// told by Assignment.Fail, it says also that all records before it are done with:
// they are acked.
type RecordError struct {
	Offset int64
	Err    error
}

// Error implements error.
func (e *RecordError) Error() string { return fmt.Sprintf("record at offset %d: %v", e.Offset, e.Err) }

// Unwrap is the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// OnError decides what becomes of a failure. It is called on the worker's own
// goroutine, and must be safe for concurrent use, as the workers of a subscription
// share it. A panic of it is a failure that restarts the worker.
type OnError interface {
	Decide(f Failure) Decision
}

// OnErrorFunc makes a function an OnError.
type OnErrorFunc func(f Failure) Decision

// Decide calls the function.
func (f OnErrorFunc) Decide(failure Failure) Decision { return f(failure) }

// Decision is what is done about a failure: data that the worker's actor carries
// out. It is an OnError itself, which decides so about every failure. The zero
// value is Restart.
type Decision struct {
	kind  DecisionKind
	delay time.Duration
	topic string
}

// DecisionKind tells decisions apart.
type DecisionKind uint8

// The kinds of Decision; the values and functions beside them say what they do.
const (
	KindRestart DecisionKind = iota
	KindRetry
	KindSkip
	KindDeadLetter
	KindPause
	KindStop
)

var (
	// Restart ends the worker, and its supervisor starts a fresh one: three times in
	// ten seconds at once, then with a delay. What was not acked comes again. It is
	// what happens without an OnError.
	Restart = Decision{}
	// Skip goes on behind the record that a RecordError names, or else behind the
	// set, as if it were acked. An event tells of it.
	Skip = Decision{kind: KindSkip}
	// Pause keeps the partition where it is until Subscription.Resume, and then tries
	// again. An event tells of it.
	Pause = Decision{kind: KindPause}
	// Stop ends the worker of the partition for good; others go on. An event tells of
	// it. The partition is read again by a new subscription, from its last ack.
	Stop = Decision{kind: KindStop}
)

// RetryAfter tries again after a pause: the rest of the set, from the record on that
// a RecordError names, with the same worker; after a panic with a fresh one.
func RetryAfter(pause time.Duration) Decision {
	return Decision{kind: KindRetry, delay: max(pause, 0)}
}

// DeadLetter writes the record that a RecordError names, or else all of the set, to
// a topic, and goes on behind it once that is acked; until then it is tried again.
// Key, value, timestamp and headers stay, and headers are added: moldau-topic,
// moldau-partition, moldau-offset, moldau-subscription, moldau-attempts and
// moldau-error.
func DeadLetter(topic string) Decision { return Decision{kind: KindDeadLetter, topic: topic} }

// Decide implements OnError.
func (d Decision) Decide(Failure) Decision { return d }

// Kind is what is to be done.
func (d Decision) Kind() DecisionKind { return d.kind }

// Delay is the pause of RetryAfter.
func (d Decision) Delay() time.Duration { return d.delay }

// Topic is where DeadLetter writes to.
func (d Decision) Topic() string { return d.topic }

// String names the decision.
func (d Decision) String() string {
	switch d.kind {
	case KindRetry:
		return "retry after " + d.delay.String()
	case KindSkip:
		return "skip"
	case KindDeadLetter:
		return "dead letter to " + d.topic
	case KindPause:
		return "pause"
	case KindStop:
		return "stop"
	}
	return "restart"
}

// Retries is an OnError that tries again a number of times, with pauses that double,
// and then has another one decide.
type Retries struct {
	// Times is how often a failure is tried again; 0: for ever.
	Times int
	// Min is the first pause, Max the longest. Default 100 ms and 10 s.
	Min, Max time.Duration
	// Last decides when it has failed Times times more. Default Restart.
	Last OnError
}

// Retry tries a failure again, times times, after 100 ms, 200 ms and so on up to
// 10 s. As in Retry(5).Then(DeadLetter("orders.dead")).
func Retry(times int) Retries {
	if times <= 0 {
		return Retries{Times: math.MinInt}
	}
	return Retries{Times: times}
}

// Then has an OnError decide after the last try.
func (r Retries) Then(last OnError) Retries {
	r.Last = last
	return r
}

// Decide implements OnError.
func (r Retries) Decide(f Failure) Decision {
	if r.Times != 0 && f.Attempts > r.Times {
		if r.Last == nil {
			return Restart
		}
		return r.Last.Decide(f)
	}
	pause, most := r.Min, r.Max
	if pause <= 0 {
		pause = 100 * time.Millisecond
	}
	if most <= 0 {
		most = 10 * time.Second
	}
	for range min(f.Attempts-1, 62) {
		if pause >= most/2 {
			return RetryAfter(most)
		}
		pause *= 2
	}
	return RetryAfter(min(pause, most))
}
