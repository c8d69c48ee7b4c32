package handle

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrStopped is what a record or call fails with when its client, or the
// owner of the client's tree, has ended.
var ErrStopped = errors.New("moldau: the client is stopped")

// Outcome is what becomes of a batch, for all its records together. It refers
// to no buffer and is left to the garbage collector.
type Outcome struct {
	settled atomic.Bool // base and err are there; cheaper to ask than done
	done    chan struct{}
	slot    *Slot // to hurry the batch on; immutable
	base    int64
	err     error
	open    int    // parts of the batch without outcome; it has none: 0
	parts   []part // outcomes of the parts; instead of base and err
	// calls are made when the outcome is there. They are added under the slot's
	// lock while the batch is open.
	calls []call
}

// settle publishes base and err.
func (o *Outcome) settle() {
	o.settled.Store(true)
	close(o.done)
}

// call is the callback of a run of n records.
type call struct {
	index, n int32
	made     func(offset int64, err error)
}

// Pending is one record's claim to its outcome. It is a small value, may be
// copied, kept and waited for by anyone any number of times, and stays valid
// after Stop. The zero value is not valid.
type Pending struct {
	outcome *Outcome
	index   int32
}

// Failed is a Pending that has failed already.
func Failed(err error) Pending {
	o := &Outcome{done: make(chan struct{}), err: err}
	o.settle()
	return Pending{outcome: o}
}

// NotAccepted is why a record was not accepted; nil for one that was.
func (p Pending) NotAccepted() error {
	if p.outcome.slot == nil {
		return p.outcome.err
	}
	return nil
}

// Wait blocks until the record is acked, and returns its offset (-1 where the
// broker does not tell one), or until it has failed for good, and returns why.
// When ctx ends first its error is returned and nothing else happens: the
// record stays accepted. A waiting caller ends the batch's linger.
func (p Pending) Wait(ctx context.Context) (int64, error) {
	if p.outcome.settled.Load() {
		return p.result()
	}
	p.outcome.slot.hurry(p.outcome)
	select {
	case <-p.outcome.done:
		return p.result()
	case <-ctx.Done():
		return -1, fmt.Errorf("moldau: the record's outcome is still open: %w", context.Cause(ctx))
	}
}

// Done is closed once the outcome is there.
func (p Pending) Done() <-chan struct{} { return p.outcome.done }

// Err is the error that the record failed with; nil while the outcome is open
// and after an ack.
func (p Pending) Err() error {
	if p.outcome.settled.Load() {
		_, err := p.result()
		return err
	}
	return nil
}

func (p Pending) result() (int64, error) { return p.outcome.of(p.index) }

// uniform says that all records of the batch share one outcome, once it is there.
func (o *Outcome) uniform() bool { return o.parts == nil }

// of is the outcome of one record, once it is there.
func (o *Outcome) of(index int32) (int64, error) {
	if o.parts != nil {
		return o.ofPart(index)
	}
	if o.err != nil {
		return -1, o.err
	}
	if o.base < 0 {
		return -1, nil
	}
	return o.base + int64(index), nil
}

// ofRun is the offset of the first of n records, or their first error, once it is
// there.
func (o *Outcome) ofRun(index, n int32) (int64, error) {
	base, err := o.of(index)
	for i := int32(1); i < n && err == nil && o.parts != nil; i++ {
		_, err = o.of(index + i)
	}
	if err != nil {
		return -1, err
	}
	return base, nil
}
