// Package consuming is the pure core of the consumer actor: where it stands in
// its partition, when more is fetched and when the next message set is handed
// to its subscriber. It does no I/O and reads no clock.
package consuming

import (
	"errors"
	"time"

	"github.com/moldau-go/moldau/actors/internal/backoff"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// Config is what the core has to know.
type Config struct {
	PrefetchBytes int // fetched and not yet handed out, before fetching pauses
	BackoffMin    time.Duration
	BackoffMax    time.Duration
}

// Set is a message set that was fetched: a number for the shell to find it by.
type Set struct {
	ID    uint64
	Bytes int
	Last  int64 // acking this acks the set
}

// Core is the state machine of one partition's consumer.
type Core struct {
	cfg    Config
	spread func() float64

	subscribed bool
	leader     int32     // -1: not known
	asking     bool      // for the leader
	askAt      time.Time // not before
	failed     int32     // the leader that was given up last
	resolving  bool      // a ListOffsets is under way
	begin      behaviors.Position
	resolved   bool
	next       int64 // position of the next fetch, when resolved
	want       uint64
	wanting    bool
	pause      time.Time
	fails      int

	queue  []Set
	bytes  int
	handed *Set
}

// New makes a core without subscriber. spread returns numbers from 0 to 1.
func New(cfg Config, spread func() float64) *Core {
	return &Core{cfg: cfg, spread: spread, leader: -1, failed: -1}
}

// Action is something to be done: one of the types below.
type Action interface{ action() }

// FindLeader asks for the leader; the answer is Leader or NoLeader.
type FindLeader struct{ Stale bool }

// Resolve asks a broker for the offset of a position; the answer is Resolved.
type Resolve struct {
	Node      int32
	Timestamp int64
}

// Want registers with a broker for records from an offset on; the answer is
// Fetched, with the same number.
type Want struct {
	Node   int32
	Number uint64
	Offset int64
}

// Unwant takes the last Want back.
type Unwant struct{ Node int32 }

// Hand gives a set to the subscriber.
type Hand struct{ ID uint64 }

// Drop forgets a set that was not handed out.
type Drop struct{ ID uint64 }

// Failed tells of an error; it is tried again.
type Failed struct{ Err error }

// Moved tells of a position that left the partition's range.
type Moved struct{ From, To int64 }

// Wake asks for a Tick; only the earliest one counts.
type Wake struct{ At time.Time }

func (FindLeader) action() {}
func (Resolve) action()    {}
func (Want) action()       {}
func (Unwant) action()     {}
func (Hand) action()       {}
func (Drop) action()       {}
func (Failed) action()     {}
func (Moved) action()      {}
func (Wake) action()       {}

// Subscribe begins, or begins again, at a position. What was fetched and not
// acked is forgotten.
func (c *Core) Subscribe(now time.Time, begin behaviors.Position) []Action {
	out := c.reset(nil)
	c.subscribed, c.begin, c.resolved = true, begin, false
	if offset, ok := begin.Offset(); ok {
		c.next, c.resolved = offset, true
	}
	return c.step(now, out)
}

// Unsubscribe stops fetching.
func (c *Core) Unsubscribe() []Action {
	c.subscribed = false
	return c.reset(nil)
}

func (c *Core) reset(out []Action) []Action {
	if c.wanting {
		out = append(out, Unwant{c.leader})
	}
	for _, s := range c.queue {
		out = append(out, Drop{s.ID})
	}
	c.queue, c.bytes, c.handed, c.wanting, c.resolving = nil, 0, nil, false, false
	c.want++ // answers to what was asked so far are not ours any more
	return out
}

// Leader tells who leads the partition.
func (c *Core) Leader(now time.Time, node int32) []Action {
	if node != c.failed {
		c.pause = time.Time{} // a new leader is not made to wait for what the old one did
	}
	c.asking, c.leader = false, node
	return c.step(now, nil)
}

// NoLeader tells that the leader could not be found.
func (c *Core) NoLeader(now time.Time, err error) []Action {
	c.asking = false
	if !c.subscribed {
		return nil
	}
	out := c.fail(now, err, nil)
	c.askAt = c.pause
	return c.step(now, out)
}

// BrokerDown tells that a broker's actor ended with all that it was asked.
func (c *Core) BrokerDown(now time.Time, node int32, err error) []Action {
	if c.leader != node {
		return nil
	}
	c.failed, c.leader, c.wanting, c.resolving = node, -1, false, false
	c.want++
	if !c.subscribed {
		return nil
	}
	return c.step(now, c.fail(now, err, nil))
}

// Number is what the outcome of a Resolve must carry to be heard.
func (c *Core) Number() uint64 { return c.want }

// Begins is where to begin, given what a broker told of the position: before that
// for one made by Last. If that is before the oldest record, the first fetch tells,
// and goes there. It leaves alone what was asked for a position out of range.
func (c *Core) Begins(told int64) int64 {
	if back, ok := c.begin.Back(); ok && !c.resolved {
		return max(told-back, 0)
	}
	return told
}

// Resolved is the outcome of Resolve, with an offset of Begins.
func (c *Core) Resolved(now time.Time, number uint64, offset int64, err error) []Action {
	if !c.resolving || number != c.want {
		return nil
	}
	c.resolving = false
	if err != nil {
		return c.step(now, c.fail(now, err, nil))
	}
	if c.resolved { // it was out of range
		out := []Action{Moved{c.next, offset}}
		c.next = offset
		return c.step(now, out)
	}
	c.fails, c.resolved, c.next = 0, true, offset
	return c.step(now, nil)
}

// Fetched is the outcome of a Want: a set to be queued (ID 0: nothing that the
// subscriber is to see) and the position after it, or an error.
func (c *Core) Fetched(now time.Time, number uint64, set Set, next int64, err error) []Action {
	if !c.wanting || number != c.want {
		if set.ID != 0 {
			return []Action{Drop{set.ID}}
		}
		return nil
	}
	c.wanting = false
	if err != nil {
		return c.step(now, c.fetchFailed(now, err))
	}
	c.fails, c.pause = 0, time.Time{}
	c.next = next
	if set.ID != 0 {
		c.queue = append(c.queue, set)
		c.bytes += set.Bytes
	}
	return c.step(now, nil)
}

// fetchFailed decides about an error of the partition. A position out of range
// goes to the oldest record: whether it was overtaken by retention, or the topic
// was made anew, nothing is skipped.
func (c *Core) fetchFailed(now time.Time, err error) []Action {
	var coded *wire.Error
	if errors.As(err, &coded) && coded.Code == wire.OffsetOutOfRange && c.leader >= 0 {
		out := c.fail(now, err, nil) // a pause before the next fetch, should this go on
		c.resolving = true
		c.want++
		return append(out, Resolve{Node: c.leader, Timestamp: earliestTimestamp})
	}
	return c.fail(now, err, nil)
}

// earliestTimestamp asks ListOffsets for the oldest record.
const earliestTimestamp = -2

// Ack tells that the subscriber is done with everything up to an offset.
func (c *Core) Ack(now time.Time, offset int64) []Action {
	if c.handed == nil || offset < c.handed.Last {
		return nil
	}
	c.handed = nil
	return c.step(now, nil)
}

// Tick is the time that Wake asked for.
func (c *Core) Tick(now time.Time) []Action { return c.step(now, nil) }

// Handed is the last offset of the set that is handed out; false if none is.
func (c *Core) Handed() (last int64, ok bool) {
	if c.handed == nil {
		return 0, false
	}
	return c.handed.Last, true
}

// Position is where the next fetch begins, for inspection.
func (c *Core) Position() int64 { return c.next }

// Buffered is how many bytes are fetched and not handed out.
func (c *Core) Buffered() int { return c.bytes }

func (c *Core) fail(now time.Time, err error, out []Action) []Action {
	c.fails++
	c.pause = now.Add(backoff.After(c.fails, c.cfg.BackoffMin, c.cfg.BackoffMax, c.spread()))
	if wire.RefreshMetadata(err) && c.leader >= 0 {
		c.failed, c.leader = c.leader, -1
	}
	return append(out, Failed{err})
}

// step does what can be done now.
func (c *Core) step(now time.Time, out []Action) []Action {
	if !c.subscribed {
		return out
	}
	if c.handed == nil && len(c.queue) > 0 {
		set := c.queue[0]
		c.queue = c.queue[1:]
		c.bytes -= set.Bytes
		c.handed = &set
		out = append(out, Hand{set.ID})
	}
	if c.wanting || c.resolving || c.bytes >= c.cfg.PrefetchBytes {
		return out
	}
	if c.leader < 0 {
		return c.findLeader(now, out)
	}
	if c.pause.After(now) {
		return append(out, Wake{c.pause})
	}
	return c.ask(out)
}

// findLeader asks for the leader: at once after an error of the old one, after a
// pause when it could not be found.
func (c *Core) findLeader(now time.Time, out []Action) []Action {
	switch {
	case c.asking:
		return out
	case c.askAt.After(now):
		return append(out, Wake{c.askAt})
	}
	c.asking = true
	return append(out, FindLeader{Stale: c.fails > 0})
}

// ask resolves the position, or wants more.
func (c *Core) ask(out []Action) []Action {
	c.want++
	if !c.resolved {
		timestamp, _ := c.begin.Timestamp()
		c.resolving = true
		return append(out, Resolve{Node: c.leader, Timestamp: timestamp})
	}
	c.wanting = true
	return append(out, Want{Node: c.leader, Number: c.want, Offset: c.next})
}
