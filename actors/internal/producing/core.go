// Package producing is the pure core of the producer actor: which batches of
// its partition are sent, in which order, to whom, and what a failed one
// becomes. It does no I/O and reads no clock.
//
// Batches are sent, settled and sent again in the order of the slot. After any
// failure nothing is sent until every batch on the wire is answered; then all
// that is not settled goes out again, from the first on. With idempotence the
// broker drops what it has already and refuses what would leave a gap; without
// it Config.MaxInFlight should be one, as the order is lost else.
package producing

import (
	"errors"
	"fmt"
	"time"

	"github.com/moldau-go/moldau/actors/internal/backoff"
	"github.com/moldau-go/moldau/wire"
)

// Config is what the core has to know.
type Config struct {
	Linger          time.Duration // not positive: none
	DeliveryTimeout time.Duration
	BackoffMin      time.Duration
	BackoffMax      time.Duration
	// MaxInFlight is how many batches may be on the wire once the broker knows
	// the sequence; until the first ack it is one.
	MaxInFlight int
	// Idempotent: batches are numbered, and a gap has to be mended by a Bump.
	Idempotent bool
	// Forget is after how long without an ack the broker may have forgotten the
	// sequence, so that one batch alone is sent again first.
	Forget time.Duration
}

// Batch is a batch that was taken from the slot.
type Batch struct {
	ID     uint64
	Opened time.Time
	Unsure bool // a predecessor may have had it written
}

type phase uint8

const (
	waiting  phase = iota // to be sent
	flying                // on the wire
	answered              // its outcome is known, those before it are not settled
)

type item struct {
	Batch
	phase    phase
	node     int32 // where it flies
	numbered bool  // it was sent at least once, so it has its place in the sequence
	attempts int
	base     int64
	err      error
	lastErr  error
}

// Core is the state machine of one partition's producer.
type Core struct {
	cfg    Config
	spread func() float64

	leader  int32     // -1: not known
	failed  int32     // the leader that was given up last
	asking  bool      // for the leader
	askAt   time.Time // not before
	pause   time.Time // before sending again
	fails   int       // in a row
	ready   int
	opened  time.Time // of the batch that lingers
	items   []*item   // taken and not settled, in order
	flying  int
	broken  bool      // the sequence has a gap: Bump before sending on
	lastAck time.Time // zero: the broker does not know the sequence
}

// New makes a core that first sends what its predecessor left unsettled.
// spread returns numbers from 0 to 1.
func New(cfg Config, left []Batch, spread func() float64) *Core {
	c := &Core{cfg: cfg, spread: spread, leader: -1, failed: -1}
	for _, b := range left {
		c.items = append(c.items, &item{Batch: b, numbered: b.Unsure})
	}
	return c
}

// Action is something to be done: one of the types below.
type Action interface{ action() }

// Take asks for the slot's next batch; the answer is Taken.
type Take struct{}

// Send sends a batch to a broker; the answer is Answer or BrokerDown. A batch
// without a number gets the next one.
type Send struct {
	ID   uint64
	Node int32
}

// Settle ends a batch.
type Settle struct {
	ID   uint64
	Base int64
	Err  error
}

// Bump begins a new epoch, with sequence 0, for the batches named, which were
// surely not written, and for all that come.
type Bump struct{ IDs []uint64 }

// FindLeader asks for the leader; the answer is Leader or NoLeader. Stale says
// that the one that is known does not work.
type FindLeader struct{ Stale bool }

// Retried tells of a batch that will be sent again.
type Retried struct {
	ID      uint64
	Attempt int
	Err     error
}

// Wake asks for a Tick; only the earliest one counts.
type Wake struct{ At time.Time }

func (Take) action()       {}
func (Send) action()       {}
func (Settle) action()     {}
func (Bump) action()       {}
func (FindLeader) action() {}
func (Retried) action()    {}
func (Wake) action()       {}

// Start is the first event.
func (c *Core) Start(now time.Time) []Action { return c.next(now, nil) }

// Plain turns idempotence off: the brokers do not have it.
func (c *Core) Plain(maxInFlight int) {
	c.cfg.Idempotent, c.cfg.MaxInFlight, c.broken = false, maxInFlight, false
}

// Look tells what the slot holds: batches that are ready, and when the one
// that lingers was opened (zero: none does).
func (c *Core) Look(now time.Time, ready int, opened time.Time) []Action {
	c.ready, c.opened = ready, opened
	return c.next(now, nil)
}

// Taken is the answer to Take; false when the slot had nothing.
func (c *Core) Taken(now time.Time, b Batch, ok bool) []Action {
	if ok {
		c.items = append(c.items, &item{Batch: b, numbered: b.Unsure})
	}
	return c.next(now, nil)
}

// Refused tells of a batch that was taken and cannot be sent; it fails in turn.
func (c *Core) Refused(now time.Time, b Batch, err error) []Action {
	c.items = append(c.items, &item{Batch: b, phase: answered, base: -1, err: err})
	return c.next(now, c.settle(nil))
}

// Leader tells who leads the partition. A new one is not made to wait for what
// the old one did.
func (c *Core) Leader(now time.Time, node int32) []Action {
	if node != c.failed {
		c.pause = time.Time{}
	}
	c.leader, c.asking = node, false
	return c.next(now, nil)
}

// NoLeader tells that the leader could not be found.
func (c *Core) NoLeader(now time.Time, err error) []Action {
	c.asking = false
	var out []Action
	c.slowDown(now)
	c.askAt = c.pause
	if i := c.first(waiting); i >= 0 {
		out = c.fail(c.items[i], err, false, out)
	}
	return c.next(now, c.settle(out))
}

// BrokerDown tells that a broker's actor ended with what it was given.
func (c *Core) BrokerDown(now time.Time, node int32, err error) []Action {
	if c.leader == node {
		c.giveUp()
	}
	var out []Action
	for _, it := range c.items {
		if it.phase == flying && it.node == node {
			out = c.fail(it, err, true, out)
		}
	}
	if len(out) > 0 {
		c.slowDown(now)
	}
	return c.next(now, c.settle(out))
}

// Answer is the outcome of Send. written says that the broker may have had the
// batch. An error that may pass is tried again until the delivery timeout; any
// other fails the batch.
func (c *Core) Answer(now time.Time, id uint64, base int64, err error, written bool) []Action {
	it := c.find(id)
	if it == nil || it.phase != flying {
		return nil
	}
	if code(err) == wire.DuplicateSequenceNumber {
		base, err = -1, nil // written before, too long ago for the broker to know where
	}
	if err == nil {
		c.flying--
		it.phase, it.base = answered, base
		c.fails, c.lastAck = 0, now
		return c.next(now, c.settle(nil))
	}
	out := c.fail(it, err, written, nil)
	if it.phase == waiting {
		c.slowDown(now)
	}
	return c.next(now, c.settle(out))
}

func (c *Core) giveUp() {
	if c.leader >= 0 {
		c.failed, c.leader = c.leader, -1
	}
}

// Tick is the time that Wake asked for.
func (c *Core) Tick(now time.Time) []Action { return c.next(now, nil) }

// fail decides about a batch after an error.
func (c *Core) fail(it *item, err error, written bool, out []Action) []Action {
	if it.phase == flying {
		c.flying--
	}
	it.phase, it.lastErr = waiting, err
	if wire.RefreshMetadata(err) {
		c.giveUp()
	}
	switch {
	case c.cfg.Idempotent && outOfSequence(err):
		return c.gap(it, err, out)
	case wire.Retriable(err):
		it.Unsure = it.Unsure || written && !wire.SafeToRetry(err)
		it.attempts++
		return append(out, Retried{ID: it.ID, Attempt: it.attempts, Err: err})
	}
	it.phase, it.base, it.err = answered, -1, err
	c.broken = c.broken || c.cfg.Idempotent && it.numbered
	return out
}

// gap decides about a batch that the broker refused because of its place in
// the sequence. Behind one that is not settled that is to be expected. The
// first one gets a new number, unless it may have been written already: then it
// is not known what became of it, and it must not be written a second time.
func (c *Core) gap(it *item, err error, out []Action) []Action {
	it.attempts++
	if c.items[0] != it {
		return append(out, Retried{ID: it.ID, Attempt: it.attempts, Err: err})
	}
	c.broken = true
	if !it.Unsure {
		return append(out, Retried{ID: it.ID, Attempt: it.attempts, Err: err})
	}
	it.phase, it.base = answered, -1
	it.err = fmt.Errorf("moldau: whether the batch was written is not known: %w", err)
	return out
}

func outOfSequence(err error) bool {
	switch code(err) {
	case wire.OutOfOrderSequenceNumber, wire.UnknownProducerID, wire.InvalidProducerEpoch:
		return true
	}
	return false
}

func code(err error) wire.Code {
	if coded := (*wire.Error)(nil); errors.As(err, &coded) {
		return coded.Code
	}
	return 0
}

func (c *Core) slowDown(now time.Time) {
	c.fails++
	c.pause = now.Add(backoff.After(c.fails, c.cfg.BackoffMin, c.cfg.BackoffMax, c.spread()))
}

// settle tells the outcomes that are known, in order.
func (c *Core) settle(out []Action) []Action {
	n := 0
	for n < len(c.items) && c.items[n].phase == answered {
		it := c.items[n]
		out = append(out, Settle{ID: it.ID, Base: it.base, Err: it.err})
		n++
	}
	c.items = append(c.items[:0], c.items[n:]...)
	return out
}

// next does what can be done now, and asks to be woken for what comes.
func (c *Core) next(now time.Time, out []Action) []Action {
	out = c.expire(now, out)
	first := c.first(waiting)
	if first < 0 {
		return c.take(now, out)
	}
	if end := c.items[first].Opened.Add(c.cfg.DeliveryTimeout); end.After(now) {
		out = append(out, Wake{end})
	}
	if c.leader < 0 {
		out = c.findLeader(now, out)
	}
	if c.resending() && c.flying > 0 {
		return out // the answers of what is on the wire come first
	}
	if c.pause.After(now) {
		return append(out, Wake{c.pause})
	}
	if c.leader < 0 {
		return out
	}
	if c.broken {
		out = c.bump(out)
	}
	return c.send(now, out)
}

// send puts what waits on the wire. No more may be unsettled than the broker
// remembers, or it could not tell one that is sent again from a gap.
func (c *Core) send(now time.Time, out []Action) []Action {
	for i, it := range c.items {
		if i >= c.limit(now) {
			break
		}
		if it.phase == waiting {
			it.phase, it.numbered, it.node = flying, true, c.leader
			c.flying++
			out = append(out, Send{ID: it.ID, Node: c.leader})
		}
	}
	return out
}

// resending says that something that waits was sent before, or that there is a
// gap: what is new must not overtake it.
func (c *Core) resending() bool {
	for _, it := range c.items {
		if it.phase == waiting && (it.attempts > 0 || it.Unsure) {
			return true
		}
	}
	return c.broken
}

// limit is how many batches may be unsettled.
func (c *Core) limit(now time.Time) int {
	if c.cfg.Idempotent && (c.lastAck.IsZero() || now.Sub(c.lastAck) > c.cfg.Forget) {
		return 1
	}
	return c.cfg.MaxInFlight
}

// bump begins a new epoch. Batches that may have been written keep their
// numbers: if they were, the broker says so, and if not, they fail.
func (c *Core) bump(out []Action) []Action {
	c.broken, c.lastAck = false, time.Time{}
	var ids []uint64
	for _, it := range c.items {
		if it.phase == waiting && !it.Unsure {
			it.numbered = false
			ids = append(ids, it.ID)
		}
	}
	return append(out, Bump{ids})
}

// take asks for the next batch if there is one to be sent and room for it.
func (c *Core) take(now time.Time, out []Action) []Action {
	if c.broken && c.flying == 0 {
		out = c.bump(out)
	}
	if c.broken || len(c.items) >= c.limit(now) {
		return out
	}
	due := c.ready > 0
	if !due && !c.opened.IsZero() {
		if at := c.opened.Add(max(c.cfg.Linger, 0)); at.After(now) {
			return append(out, Wake{at})
		}
		due = true
	}
	if !due {
		return out
	}
	c.ready, c.opened = 0, time.Time{} // Taken is followed by a fresh Look
	return append(out, Take{})
}

// findLeader asks for the leader: at once after an error of the old one, after a
// pause when it could not be found.
func (c *Core) findLeader(now time.Time, out []Action) []Action {
	if c.asking {
		return out
	}
	if c.askAt.After(now) {
		return append(out, Wake{c.askAt})
	}
	c.asking = true
	return append(out, FindLeader{Stale: c.fails > 0})
}

// expire fails batches that are past their time and not on the wire, in order.
func (c *Core) expire(now time.Time, out []Action) []Action {
	for len(c.items) > 0 && c.items[0].phase == waiting && now.Sub(c.items[0].Opened) >= c.cfg.DeliveryTimeout && c.flying == 0 {
		it := c.items[0]
		it.phase, it.base, it.err = answered, -1, c.expired(it)
		c.broken = c.broken || c.cfg.Idempotent && it.numbered
		out = c.settle(out)
	}
	return out
}

func (c *Core) expired(it *item) error {
	err := error(&wire.Error{Code: wire.RequestTimedOut, Cause: fmt.Errorf("not acked within the delivery timeout of %v", c.cfg.DeliveryTimeout)})
	if it.lastErr != nil {
		err = fmt.Errorf("%w; the last attempt failed with: %w", err, it.lastErr)
	}
	return err
}

func (c *Core) first(p phase) int {
	for i, it := range c.items {
		if it.phase == p {
			return i
		}
	}
	return -1
}

func (c *Core) find(id uint64) *item {
	for _, it := range c.items {
		if it.ID == id {
			return it
		}
	}
	return nil
}
