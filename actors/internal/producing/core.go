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
	// Gone is how long every look at the cluster must have said that the topic is
	// not there, until its records fail. Zero: as long as their time allows.
	Gone time.Duration
	// Safe: what may have been written is never sent again; it fails.
	Safe bool
	// MaxRetries is how often a batch is sent again; 0: as its time allows.
	MaxRetries int
	// LeaderAcks: the leader answers without waiting for replicas.
	LeaderAcks bool
}

// Batch is a batch that was taken from the slot.
type Batch struct {
	ID       uint64
	Opened   time.Time
	Count    int   // records
	Size     int   // bytes
	Unsure   bool  // an earlier attempt may have had it written
	Numbered bool  // it has its place in the sequence
	Err      error // it cannot be sent, and fails in turn
}

type phase uint8

const (
	waiting  phase = iota // to be sent
	flying                // on the wire
	answered              // its outcome is known, those before it are not settled
	parting               // to be cut
)

type item struct {
	Batch
	phase    phase
	node     int32 // where it flies
	numbered bool  // it has its place in the sequence
	again    bool  // it was sent before, and nothing must overtake it
	acked    bool  // an attempt that was taken for lost wrote it, at base
	attempts int
	same     int // times in a row that it failed as it did last
	base     int64
	err      error
	lastErr  error
	rejected []Rejection // records that fail when it is parted
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
	alone   bool      // the last answer was one that others would have had to wait for
	lastAck time.Time // zero: the broker does not know the sequence
	gone    time.Time // since when the topic is said not to be there; zero: it is
	goneErr error
}

// New makes a core that first sends what its predecessor left unsettled.
// spread returns numbers from 0 to 1.
func New(cfg Config, left []Batch, spread func() float64) *Core {
	c := &Core{cfg: cfg, spread: spread, leader: -1, failed: -1}
	for _, b := range left {
		c.add(b)
	}
	return c
}

// add appends a batch that was taken. What a predecessor may have had written is
// not sent again where that is not allowed.
func (c *Core) add(b Batch) {
	it := &item{Batch: b, numbered: b.Numbered || b.Unsure}
	c.items = append(c.items, it)
	switch {
	case b.Err != nil:
		c.end(it, b.Err, nil)
	case b.Unsure && c.cfg.Safe:
		c.end(it, orUnsure(it, errCrashed), nil)
	}
}

var errCrashed = errors.New("its producer ended while it was on the wire, and it is not sent again")

// Start is the first event.
func (c *Core) Start(now time.Time) []Action { return c.next(now, c.settle(nil)) }

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
		c.add(b)
	}
	return c.next(now, c.settle(nil))
}

// Leader tells who leads the partition. A new one is not made to wait for what
// the old one did.
func (c *Core) Leader(now time.Time, node int32) []Action {
	if node != c.failed {
		c.pause = time.Time{}
	}
	c.leader, c.asking, c.gone = node, false, time.Time{}
	return c.next(now, nil)
}

// NoLeader tells that the leader could not be found. A topic that is not there
// may be one that is just being made, so that has to be said for a while.
func (c *Core) NoLeader(now time.Time, err error) []Action {
	c.asking = false
	var out []Action
	c.slowDown(now)
	c.askAt = c.pause
	switch {
	case !errors.Is(err, wire.ErrUnknownTopic):
		c.gone = time.Time{}
	case c.gone.IsZero():
		c.gone = now
	}
	c.goneErr = err
	if i := c.first(waiting); i >= 0 && !c.isGone(now) {
		out = c.fail(c.items[i], err, false, out)
	}
	return c.next(now, c.settle(out))
}

// isGone says whether the topic is taken not to exist.
func (c *Core) isGone(now time.Time) bool {
	return c.cfg.Gone > 0 && !c.gone.IsZero() && now.Sub(c.gone) >= c.cfg.Gone
}

// bury fails what waits for a topic that is gone. What comes later is not sent
// there either, but asks whether it is back.
func (c *Core) bury(now time.Time, out []Action) []Action {
	if !c.isGone(now) || !c.askAt.After(now) {
		return out
	}
	for _, it := range c.items {
		if it.phase == waiting {
			c.end(it, orUnsure(it, c.goneErr), nil)
		}
	}
	return c.settle(out)
}

// BrokerDown tells that a broker's actor ended with what it was given.
func (c *Core) BrokerDown(now time.Time, node int32, err error) []Action {
	if c.leader == node {
		c.giveUp()
	}
	var out []Action
	lost := false
	for _, it := range c.items {
		if it.phase == flying && it.node == node {
			lost = true
			if it.acked {
				c.flying--
				it.phase = answered
				continue
			}
			out = c.fail(it, err, true, out)
		}
	}
	if lost {
		c.slowDown(now)
	}
	return c.next(now, c.settle(out))
}

// Answer is the outcome of Send. written says that the broker may have had the
// batch. An error that may pass is tried again until the delivery timeout; any
// other fails the batch.
func (c *Core) Answer(now time.Time, id uint64, base int64, err error, written bool) []Action {
	it := c.find(id)
	switch {
	case err == nil && it != nil && it.phase == waiting:
		return c.LateAck(now, id, base)
	case it == nil || it.phase != flying:
		return nil
	case err != nil && it.acked:
		return c.ack(now, it, it.base)
	case err == nil:
		return c.ack(now, it, base)
	case reactionTo(err).reaction == acked:
		return c.ack(now, it, -1) // written before, too long ago for the broker to know where
	}
	out := c.fail(it, err, written, nil)
	if it.phase == waiting || mayPass(err) {
		c.slowDown(now)
	}
	return c.next(now, c.settle(out))
}

// LateAck is the ack of an attempt that was given up for lost, as its broker's
// actor had ended. If the batch is on the wire again, that is waited for.
func (c *Core) LateAck(now time.Time, id uint64, base int64) []Action {
	switch it := c.find(id); {
	case it != nil && it.phase == waiting:
		return c.ack(now, it, base)
	case it != nil && it.phase == flying:
		it.acked, it.base = true, base
	}
	return nil
}

func (c *Core) ack(now time.Time, it *item, base int64) []Action {
	if it.phase == flying {
		c.flying--
	}
	it.phase, it.base = answered, base
	c.fails, c.lastAck, c.alone = 0, now, false
	return c.next(now, c.settle(nil))
}

func (c *Core) giveUp() {
	if c.leader >= 0 {
		c.failed, c.leader = c.leader, -1
	}
}

// Tick is the time that Wake asked for.
func (c *Core) Tick(now time.Time) []Action { return c.next(now, nil) }

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
	out = c.bury(now, c.expire(now, out))
	if i := c.first(parting); i >= 0 {
		it := c.items[i]
		return append(out, Part{ID: it.ID, Unsure: it.Unsure, Rejected: it.rejected}) // Parted is to come
	}
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
			out = append(out, Send{ID: it.ID, Node: c.leader, Alone: c.alone})
		}
	}
	return out
}

// resending says that something that waits was sent before, or that there is a
// gap: what is new must not overtake it.
func (c *Core) resending() bool {
	for _, it := range c.items {
		if it.phase == waiting && (it.again || it.Unsure) {
			return true
		}
	}
	return c.broken
}

// limit is how many batches may be unsettled.
func (c *Core) limit(now time.Time) int {
	if c.alone {
		return 1
	}
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
		out = c.settle(c.end(it, &expiredError{after: c.cfg.DeliveryTimeout, last: it.lastErr, unsure: it.Unsure}, out))
	}
	return out
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
