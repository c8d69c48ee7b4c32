package handle

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/behaviors"
)

// Partition names a partition of a topic.
type Partition struct {
	Topic     string
	Partition int32
}

// Subscription is what a user subscribed to, and how far each partition is
// acked. It survives its subscriber, workers and consumers.
type Subscription struct {
	// Name tells it apart in the client.
	Name string
	// Topic is what is read.
	Topic string
	// Partitions are the partitions to read; nil for all.
	Partitions []int32
	// Begin is where a partition is read from that has no ack yet.
	Begin behaviors.Position
	// Committed tells, if not nil, where a partition begins instead of Begin. It
	// is asked at a start at which Progress.Attach knows no offset.
	Committed behaviors.CommittedOffset
	// NewWorker makes the worker of a partition.
	NewWorker behaviors.NewWorker
	// OnError decides about failures of a worker; nil: it is restarted.
	OnError behaviors.OnError

	ends     atomic.Bool
	mu       sync.Mutex
	assigned []Partition
	has      map[Partition]bool // what assigned holds
	states   map[Partition]*Progress
}

// Progress is one partition of a subscription, or of a Direct one: where to go
// on, who may ack, and where its consumer is.
type Progress struct {
	mu       sync.Mutex
	floor    int64
	acked    bool
	begun    bool // floor is where it began; nothing is acked yet
	handled  int64
	restarts int
	grown    bool // the partition was added while the subscription ran
	moved    bool // floor is where the consumer went back to; it has handed out nothing from there
	lease    uint64
	consumer *actor.PID
	handler  *actor.PID
	paused   bool
	stopped  error // a decision ended the worker for good
	failedAt int64
	failures int                 // in a row, at failedAt
	sought   *behaviors.Position // where the user wants to go on
	turn     uint64              // of the position to go on from, when it is set anew
}

// End says that the subscription is being stopped: it is registered until its
// actors are gone, but they are not started any more.
func (s *Subscription) End() { s.ends.Store(true) }

// Ends says whether End was called.
func (s *Subscription) Ends() bool { return s.ends.Load() }

// Assign makes the wanted partitions of a topic with count partitions those
// that have a worker, and returns the ones that had none.
func (s *Subscription) Assign(count int32) (fresh []Partition) {
	wanted := s.Partitions
	if wanted == nil {
		for p := range count {
			wanted = append(wanted, p)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.has == nil {
		s.has = map[Partition]bool{}
	}
	later := len(s.assigned) > 0
	for _, p := range wanted {
		if key := (Partition{s.Topic, p}); p >= 0 && p < count && !s.has[key] {
			s.has[key] = true
			s.assigned = append(s.assigned, key)
			fresh = append(fresh, key)
			s.progress(key).added(later)
		}
	}
	return fresh
}

// Assigned are the partitions that have a worker.
func (s *Subscription) Assigned() []Partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.assigned)
}

// Progress is the state of a partition, made at first use.
func (s *Subscription) Progress(p Partition) *Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.progress(p)
}

func (s *Subscription) progress(p Partition) *Progress {
	if s.states == nil {
		s.states = map[Partition]*Progress{}
	}
	state := s.states[p]
	if state == nil {
		state = &Progress{}
		s.states[p] = state
	}
	return state
}

func (p *Progress) added(later bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grown = later
}

// Grown says that the partition was added while the subscription ran.
func (p *Progress) Grown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.grown
}

// forget makes the partition one that has not begun; the lease goes on.
func (p *Progress) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.floor, p.acked, p.begun, p.moved = 0, false, false, false
	p.turn++
}

// Turn counts how often the position was set anew by its subscriber.
func (p *Progress) Turn() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turn
}

// Began sets where the partition began, once it is known: a restart before the
// first ack goes on from there, not from a Latest that has moved. turn is that of
// the subscription whose place it is.
func (p *Progress) Began(turn uint64, offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.turn == turn && !p.acked && !p.begun {
		p.floor, p.begun = offset, true
	}
}

// Attach gives the partition to a new incarnation of its worker, whose acks
// alone count from now on. It tells how many there were before, and the offset
// to go on from, if that is known: after the last ack, or where it began.
func (p *Progress) Attach() (lease uint64, restarts int, next int64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lease, p.moved = p.lease+1, false
	if p.lease > 1 {
		p.restarts++
	}
	return p.lease, p.restarts, p.floor, p.acked || p.begun
}

// Ack sets the offset to go on from after a restart. It never goes backwards,
// and an old lease changes nothing. Between GoBack and GoneBack it leaves the
// floor where it is.
func (p *Progress) Ack(lease uint64, next int64, records int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lease != lease || !p.moved && (p.acked || p.begun) && next < p.floor {
		return false
	}
	if p.failures > 0 && next > p.failedAt {
		p.failures = 0
	}
	if !p.moved {
		p.floor, p.acked = next, true
	}
	p.handled += int64(records)
	return true
}

// GoBack takes the floor back to an offset at which the living consumer reads on,
// as the log was truncated or made anew: what is beyond it there has not been
// handed out. Sets of the log as it was are acked yet, and must not take the floor
// with them, until GoneBack.
func (p *Progress) GoBack(consumer *actor.PID, offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if consumer.Equal(p.consumer) {
		p.floor, p.begun, p.moved = offset, true, true
	}
}

// GoneBack tells that all sets of before are acked, and one from the new position
// on is handed out.
func (p *Progress) GoneBack(consumer *actor.PID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if consumer.Equal(p.consumer) {
		p.moved = false
	}
}

// Next is the offset after the last ack; false before the first.
func (p *Progress) Next() (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.floor, p.acked
}

// Handled is the number of records in sets that were acked whole.
func (p *Progress) Handled() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handled
}

// Restarts is how often the worker was started again.
func (p *Progress) Restarts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restarts
}

// SetConsumer tells where the partition's consumer is.
func (p *Progress) SetConsumer(pid *actor.PID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.consumer = pid
}

// Consumer is where the partition's consumer is, nil before its first start.
func (p *Progress) Consumer() *actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.consumer
}
