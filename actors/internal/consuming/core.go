// Package consuming is the pure core of the consumer actor: where it stands in
// its partition, when more is fetched and when the next message set is handed
// to its subscriber. It does no I/O and reads no clock.
package consuming

import (
	"time"

	"github.com/moldau-go/moldau/actors/internal/backoff"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
)

// Config is what the core has to know.
type Config struct {
	PrefetchBytes int // fetched and not yet handed out, before fetching pauses
	PrefetchCount int // records handed out and not acked; 0: one set at a time
	Reset         Reset
	ResetBack     time.Duration // of ResetSince
	ReplicaTime   time.Duration // how long a replica is read before the leader is asked again
	BackoffMin    time.Duration
	BackoffMax    time.Duration
}

// Set is a message set that was fetched: a number for the shell to find it by.
type Set struct {
	ID    uint64
	Bytes int
	Count int   // of records
	Last  int64 // acking this acks the set
}

// Answer is what became of a Want.
type Answer struct {
	Sets  []Set // to be handed out; none where the subscriber is to see nothing
	Next  int64 // the position after them
	Epoch int32 // leader epoch of the last batch, -1: there was none
	// Replica is a node to be read from instead of the leader (KIP-392); -1: none.
	Replica int32
	// Diverged is the end of what the broker's log has in common with what was
	// read, and Epoch that of the last batch before it (KIP-320); -1: all of it.
	Diverged int64
	Err      error
}

// Core is the state machine of one partition's consumer.
type Core struct {
	cfg    Config
	spread func() float64

	subscribed bool
	paused     bool
	leader     int32     // -1: not known
	asking     bool      // for the leader
	askAt      time.Time // not before
	failed     int32     // the leader that was given up last
	replica    int32     // to be read from instead of the leader; -1: none
	leaderAt   time.Time // when the leader is asked again whether that replica is right
	begin      behaviors.Position
	resolved   bool
	next       int64 // position of the next fetch, when resolved
	epoch      int32 // of the batch before it; -1: not known
	want       uint64
	asked      int32 // the node that was asked last
	wanting    bool
	resolving  bool  // a ListOffsets is under way
	reset      error // why, if it is for a position out of range
	upper      bool  // it is for the newer end
	refused    error // the subscriber has to choose a position
	told       bool  // so
	pause      time.Time
	fails      int

	queue  []Set
	bytes  int
	handed []Set
	out    int // records in handed
}

// New makes a core without subscriber. spread returns numbers from 0 to 1.
func New(cfg Config, spread func() float64) *Core {
	return &Core{cfg: cfg, spread: spread, leader: -1, failed: -1, replica: -1, epoch: -1}
}

// Subscribe begins, or begins again, at a position. What was fetched and not
// acked is forgotten.
func (c *Core) Subscribe(now time.Time, begin behaviors.Position) []Action {
	out := c.forget()
	c.subscribed, c.begin, c.resolved = true, begin, false
	if offset, ok := begin.Offset(); ok {
		c.next, c.resolved = offset, true
	}
	return c.step(now, out)
}

// Unsubscribe stops fetching.
func (c *Core) Unsubscribe() []Action {
	c.subscribed, c.paused = false, false
	return c.forget()
}

// Pause stops handing out and fetching until Resume, over Subscribe too. What is
// fetched stays.
func (c *Core) Pause() { c.paused = true }

// Resume ends a Pause.
func (c *Core) Resume(now time.Time) []Action {
	c.paused = false
	return c.step(now, nil)
}

func (c *Core) forget() (out []Action) {
	if c.wanting {
		out = append(out, Unwant{c.asked})
	}
	for _, s := range c.queue {
		out = append(out, Drop{s.ID})
	}
	c.queue, c.bytes, c.handed, c.out = nil, 0, nil, 0
	c.wanting, c.resolving, c.reset, c.refused, c.told, c.epoch = false, false, nil, nil, false, -1
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

// BrokerDown tells that a broker's actor ended with all that it was asked, or that
// there is none.
func (c *Core) BrokerDown(now time.Time, node int32, err error) []Action {
	if node != c.leader && node != c.replica {
		return nil
	}
	lost := node == c.leader
	if lost {
		c.failed, c.leader = node, -1
	}
	if node == c.replica {
		c.replica = -1
	}
	if (c.wanting || c.resolving) && c.asked == node {
		c.wanting, c.resolving, lost = false, false, true
		c.want++
	}
	if !c.subscribed {
		return nil
	}
	if !lost {
		return c.step(now, nil)
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
		return c.found(now, offset)
	}
	c.fails, c.resolved, c.next = 0, true, offset
	return c.step(now, nil)
}

// Fetched is the outcome of a Want.
func (c *Core) Fetched(now time.Time, number uint64, a Answer) (out []Action) {
	if !c.wanting || number != c.want {
		for _, set := range a.Sets {
			out = append(out, Drop{set.ID})
		}
		return out
	}
	c.wanting = false
	switch {
	case a.Err != nil:
		return c.fetchFailed(now, a.Err)
	case a.Diverged >= 0:
		return c.diverged(now, a.Diverged, a.Epoch)
	}
	c.fails, c.pause = 0, time.Time{}
	c.next = a.Next
	if a.Epoch >= 0 {
		c.epoch = a.Epoch
	}
	if a.Replica >= 0 {
		c.replica, c.leaderAt = a.Replica, now.Add(c.cfg.ReplicaTime)
	}
	for _, set := range a.Sets {
		c.queue = append(c.queue, set)
		c.bytes += set.Bytes
	}
	return c.step(now, nil)
}

// fetchFailed decides about an error of the partition. What a replica says of a
// position counts for nothing: it may be behind.
func (c *Core) fetchFailed(now time.Time, err error) []Action {
	if c.asked == c.replica {
		c.replica = -1
		return c.step(now, c.fail(now, err, nil))
	}
	if isOutOfRange(err) && c.leader >= 0 {
		return c.outOfRange(now, err)
	}
	return c.step(now, c.fail(now, err, nil))
}

// Ack tells that the subscriber is done with everything up to an offset.
func (c *Core) Ack(now time.Time, offset int64) []Action {
	done := 0
	for done < len(c.handed) && c.handed[done].Last <= offset {
		c.out -= c.handed[done].Count
		done++
	}
	if done == 0 {
		return nil
	}
	c.handed = append(c.handed[:0], c.handed[done:]...)
	return c.step(now, nil)
}

// Tick is the time that Wake asked for.
func (c *Core) Tick(now time.Time) []Action { return c.step(now, nil) }

// Handed is the last offset that is handed out and not acked; false if none is.
func (c *Core) Handed() (last int64, ok bool) {
	if len(c.handed) == 0 {
		return 0, false
	}
	return c.handed[len(c.handed)-1].Last, true
}

// Position is where the next fetch begins, for inspection.
func (c *Core) Position() int64 { return c.next }

// Buffered is how many bytes are fetched and not handed out.
func (c *Core) Buffered() int { return c.bytes }

// Paused says whether Pause holds.
func (c *Core) Paused() bool { return c.paused }

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
	if !c.subscribed || c.paused {
		return out
	}
	out = c.hand(out)
	if c.refused != nil {
		if !c.told && len(c.queue)+len(c.handed) == 0 {
			c.told = true
			out = append(out, Refused{c.refused})
		}
		return out
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
	return append(out, c.ask(now))
}

// hand gives out what may be out at once.
func (c *Core) hand(out []Action) []Action {
	for len(c.queue) > 0 {
		set := c.queue[0]
		if len(c.handed) > 0 && c.out+max(set.Count, 1) > c.cfg.PrefetchCount {
			return out
		}
		c.queue = c.queue[1:]
		c.bytes -= set.Bytes
		c.handed = append(c.handed, set)
		c.out += set.Count
		out = append(out, Hand{set.ID})
	}
	return out
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
func (c *Core) ask(now time.Time) Action {
	if !c.resolved {
		timestamp, _ := c.begin.Timestamp()
		return c.resolve(timestamp)
	}
	c.want++
	c.wanting, c.asked = true, c.leader
	if c.replica >= 0 && now.Before(c.leaderAt) {
		c.asked = c.replica
	} else {
		c.replica = -1
	}
	return Want{Node: c.asked, Number: c.want, Offset: c.next, Epoch: c.epoch}
}

func (c *Core) resolve(timestamp int64) Action {
	c.want++
	c.resolving, c.asked = true, c.leader
	return Resolve{Node: c.leader, Timestamp: timestamp}
}
