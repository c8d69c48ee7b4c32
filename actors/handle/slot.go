package handle

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Slot is where records of one partition wait for its producer. Callers append
// to it, the producer actor that holds the lease takes batches from it and
// settles them. It survives every restart of that actor.
type Slot struct {
	topic     *Topic
	partition int32
	batchSize int
	pool      *chunkPool
	clock     *clock
	room      quota

	// filling is held while records are encoded. Its holder may lose the processor in
	// the midst of that, so the producer does not wait for him: wanted asks him to tell
	// it when he is done. Taken before mu, if both are.
	filling sync.Mutex
	wanted  atomic.Bool

	mu        sync.Mutex
	open      *Batch   // being filled, under filling; it and closed change under both locks
	sealed    []*Batch // full, in order
	taken     []*Batch // handed to the producer, not settled, in order
	lease     uint64
	producer  *actor.PID
	notify    func(here bool)
	signalled bool       // the producer has been told and has not looked since
	closed    error      // what comes fails with it
	failed    error      // what was not settled when it was closed failed with it
	queue     queue      // messages that wait for room
	sequence  place      // of the next batch; given: an id is chosen
	spent     place      // the id whose epochs are used up
	calls     []madeCall // to be made, in order
	calling   bool       // a goroutine makes them
}

func newSlot(t *Topic, partition int32) *Slot {
	s := &Slot{topic: t, partition: partition, batchSize: t.config.BatchBytes, pool: t.handle.pool, clock: &t.handle.clock}
	s.room.begin(t)
	return s
}

// Topic is the topic's name.
func (s *Slot) Topic() string { return s.topic.name }

// Partition is the partition's number.
func (s *Slot) Partition() int32 { return s.partition }

// Look is what a producer sees when it looks at its slot.
type Look struct {
	Ready  int       // batches that can be taken at once
	Opened time.Time // age of the batch that lingers; zero if none does
}

// seal ends the filling of the batch that is open; both locks are held.
func (s *Slot) seal() {
	s.sealed = append(s.sealed, s.open)
	s.open = nil
}

// sealNow is seal for who fills.
func (s *Slot) sealNow() {
	s.mu.Lock()
	s.seal()
	s.mu.Unlock()
}

// show makes a new batch that has records the open one, for who fills. From now on
// it may be waited for, so it is not to be taken back.
func (s *Slot) show(b *Batch) {
	s.topic.watch()
	s.mu.Lock()
	s.open = b
	if !s.topic.handle.pressure.lingers(b.opened) {
		b.due.Store(true)
	}
	s.mu.Unlock()
}

// filled ends the filling, and tells the producer if that is worth it.
func (s *Slot) filled(worth, here bool) {
	s.filling.Unlock()
	if s.wanted.Load() && s.wanted.Swap(false) || worth {
		s.mu.Lock()
		s.signal(true, here)
	}
}

// signal tells the producer, once until it looks, and unlocks. here says that the
// caller is going to wait for the outcome.
func (s *Slot) signal(worth, here bool) {
	notify := s.notify
	if !worth || s.signalled || notify == nil {
		s.mu.Unlock()
		return
	}
	s.signalled = true
	s.mu.Unlock()
	notify(here)
}

// hurry ends the linger of the batch with the given outcome, for a caller who
// waits for it; nil: of whichever is open.
func (s *Slot) hurry(o *Outcome) {
	if s == nil {
		return
	}
	s.mu.Lock()
	worth := s.open != nil && (o == nil || s.open.outcome == o) && !s.open.due.Swap(true)
	s.signal(worth, o != nil)
}

// Attach gives the slot to a new incarnation of its producer. It returns the
// lease that the other calls need, and the batches that the predecessor had
// taken and not settled: whether they were written is not known. notify is
// called, from any goroutine, when there is something to look at; here says
// that the caller is going to wait for what comes of it.
func (s *Slot) Attach(producer *actor.PID, notify func(here bool)) (lease uint64, unsure []*Batch) {
	s.mu.Lock()
	s.lease++
	lease = s.lease
	s.producer, s.notify, s.signalled = producer, notify, false
	unsure = slices.Clone(s.taken)
	s.mu.Unlock()
	return lease, unsure
}

// Detach ends a lease; the slot goes on accepting.
func (s *Slot) Detach(lease uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == lease {
		s.producer, s.notify = nil, nil
	}
}

// Producer is the PID that holds the lease, nil between two.
func (s *Slot) Producer() *actor.PID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.producer
}

// Look clears the signal and tells what can be taken.
func (s *Slot) Look(lease uint64) Look {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != lease {
		return Look{}
	}
	s.signalled = false
	look := Look{Ready: len(s.sealed)}
	switch {
	case s.open == nil:
	case s.open.due.Load():
		look.Ready++
	default:
		look.Opened = s.open.opened
	}
	return look
}

// Take hands out the next batch: the oldest sealed one, or the open one, which
// ends its linger. It is nil when there is nothing, the lease is over, or the open
// one is being filled: then the producer is told when it is not. The batch is
// held: call Release.
func (s *Slot) Take(lease uint64) *Batch {
	s.mu.Lock()
	if len(s.sealed) == 0 && s.open != nil {
		s.mu.Unlock()
		if !s.stopFilling() {
			return nil
		}
		defer s.filling.Unlock()
		s.mu.Lock()
		if len(s.sealed) == 0 && s.open != nil && s.lease == lease {
			s.seal()
		}
	}
	defer s.mu.Unlock()
	if s.lease != lease || len(s.sealed) == 0 {
		return nil
	}
	b := s.sealed[0]
	s.sealed = slices.Delete(s.sealed, 0, 1)
	s.taken = append(s.taken, b)
	b.sum.Add(b.chunks[len(b.chunks)-1].buf) // the others were added when they were full
	b.holds.Add(1)
	return b
}

// stopFilling takes the filling lock if nobody has it. If somebody has, he is going
// to tell the producer: he sees that he is wanted, or was done before the second try.
func (s *Slot) stopFilling() bool {
	if s.filling.TryLock() {
		return true
	}
	s.wanted.Store(true)
	if !s.filling.TryLock() {
		return false
	}
	s.wanted.Store(false)
	return true
}

// Settle ends a batch that was taken: acked from offset base on (-1: not
// told), or failed with err. Settling under an old lease, or twice, does
// nothing and reports false.
func (s *Slot) Settle(lease uint64, b *Batch, base int64, err error) bool {
	s.mu.Lock()
	at := slices.Index(s.taken, b)
	if s.lease != lease || at < 0 {
		s.mu.Unlock()
		return false
	}
	s.taken = slices.Delete(s.taken, at, at+1)
	s.finish(b, base, err)
	s.mu.Unlock()
	return true
}

// SettleFirst is Settle for an ack of the oldest batch that was taken, from any
// goroutine: its callers need not wait for the producer's turn. Of any other
// batch it reports false, as acks are told in order.
func (s *Slot) SettleFirst(lease uint64, b *Batch, base int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease != lease || len(s.taken) == 0 || s.taken[0] != b {
		return false
	}
	s.taken = slices.Delete(s.taken, 0, 1)
	s.finish(b, base, nil)
	return true
}

// finish publishes an outcome; the lock is held. Memory is given back before a
// callback is made, so that one may produce.
func (s *Slot) finish(b *Batch, base int64, err error) {
	o := b.outcome
	s.room.leave(int(b.count))
	whole := o.told(b, base, err)
	if whole {
		o.settle()
	}
	b.Release()
	if whole {
		s.callBack(o)
	}
}

// callBack makes the callbacks of an outcome that is there; the lock is held.
func (s *Slot) callBack(o *Outcome) {
	for _, c := range o.calls {
		s.calls = append(s.calls, madeCall{c, o})
	}
	o.calls = nil
	if len(s.calls) > 0 && !s.calling {
		s.calling = true
		go s.makeCalls()
	}
}

// flush ends the linger and returns the batch that is settled last of what was
// accepted before; nil if all is settled. Batches settle in order.
func (s *Slot) flush() *Outcome {
	s.hurry(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.last(); last != nil {
		return last.outcome
	}
	return nil
}

// last is the youngest batch, nil if there is none.
func (s *Slot) last() *Batch {
	if s.open != nil {
		return s.open
	}
	if n := len(s.sealed); n > 0 {
		return s.sealed[n-1]
	}
	if n := len(s.taken); n > 0 {
		return s.taken[n-1]
	}
	return nil
}

// close fails everything that is not settled with err, and what comes with later.
func (s *Slot) close(err, later error) {
	s.filling.Lock()
	defer s.filling.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return
	}
	s.closed, s.failed = later, err
	s.lease++ // the producer can settle nothing any more
	if s.open != nil {
		s.seal()
	}
	left := append(s.taken, s.sealed...)
	s.taken, s.sealed, s.notify = nil, nil, nil
	for _, b := range left {
		s.finish(b, -1, err)
	}
	if s.queue.moving {
		s.room.client.pool.budget.release(0) // who waits looks again
	}
}
