// Package fetching is the pure core of a broker's fetch connections: which
// partitions are asked for on which of the two, and for how long the broker
// may hold the request. It does no I/O and reads no clock.
//
// The cold connection carries partitions that had nothing lately; its request
// may be parked at the broker for the whole of max wait. The hot one carries
// partitions that want more data now and is never parked for long. So a
// partition that becomes ready to read on never queues behind a parked poll.
package fetching

import (
	"slices"
	"time"
)

// Lane is one of the two fetch connections.
type Lane int

// The lanes.
const (
	Hot Lane = iota
	Cold
	lanes
)

// Lanes is how many there are.
const Lanes = int(lanes)

// Key names a partition.
type Key struct {
	Topic     string
	Partition int32
}

// Want is a consumer's wish: records of a partition from an offset on.
type Want struct {
	Key
	Number   uint64 // chosen by the consumer, returned with the answer
	Offset   int64
	Epoch    int32
	MaxBytes int32
	Consumer any
}

// Config is what the core has to know.
type Config struct {
	MaxWait time.Duration // for the cold lane
	HotWait time.Duration // for the hot lane
}

// coldAfter is how many empty answers in a row make a partition cold.
const coldAfter = 2

type entry struct {
	want    Want
	lane    Lane // on which it is being asked for; -1: on none
	empties int
}

// Core is the state machine.
type Core struct {
	cfg     Config
	entries map[Key]*entry
	busy    [lanes]bool
	turn    int // rotates the order of partitions, so that none is last for ever
}

// New makes a core without wants.
func New(cfg Config) *Core { return &Core{cfg: cfg, entries: map[Key]*entry{}} }

// Request is a fetch to be sent.
type Request struct {
	Lane    Lane
	MaxWait time.Duration
	Wants   []Want
}

// Add registers a want, in place of an older one for the partition. A want
// that is being asked for is answered with its old number, which the consumer
// no longer listens to, so the new one waits for that.
func (c *Core) Add(w Want) []Request {
	e := c.entries[w.Key]
	if e == nil {
		e = &entry{lane: -1}
		c.entries[w.Key] = e
	}
	e.want = w
	return c.plan()
}

// Remove forgets a partition when its consumer ends.
func (c *Core) Remove(key Key, consumer any) {
	if e := c.entries[key]; e != nil && (e.want.Consumer == nil || e.want.Consumer == consumer) {
		delete(c.entries, key)
	}
}

// Done tells that a request was answered or failed: answered are the
// partitions that had something to say to their consumer (data or an error);
// all others stay wanted.
func (c *Core) Done(lane Lane, asked []Want, answered func(Key) bool) []Request {
	c.busy[lane] = false
	for _, w := range asked {
		e := c.entries[w.Key]
		if e == nil {
			continue
		}
		if e.lane == lane {
			e.lane = -1
		}
		switch {
		case !answered(w.Key):
			e.empties++
		case e.want.Number == w.Number && e.want.Consumer == w.Consumer:
			// The entry stays to remember that the partition is a busy one.
			e.empties = 0
			e.want.Consumer = nil
		default:
			e.empties = 0
		}
	}
	return c.plan()
}

// Wants are all that are registered, for when the broker is lost.
func (c *Core) Wants() []Want {
	var list []Want
	for _, e := range c.entries {
		if e.want.Consumer != nil {
			list = append(list, e.want)
		}
	}
	slices.SortFunc(list, func(a, b Want) int { return order(a.Key, b.Key) })
	return list
}

// Next plans again, after a lane became usable.
func (c *Core) Next() []Request { return c.plan() }

// plan fills the lanes that are free.
func (c *Core) plan() []Request {
	var out []Request
	if !c.busy[Cold] {
		if wants := c.collect(Cold, func(e *entry) bool { return e.empties >= coldAfter }); len(wants) > 0 {
			out = append(out, Request{Lane: Cold, MaxWait: c.cfg.MaxWait, Wants: wants})
		}
	}
	if !c.busy[Hot] {
		if wants := c.collect(Hot, func(*entry) bool { return true }); len(wants) > 0 {
			out = append(out, Request{Lane: Hot, MaxWait: c.cfg.HotWait, Wants: wants})
		}
	}
	return out
}

func (c *Core) collect(lane Lane, fits func(*entry) bool) []Want {
	var wants []Want
	for _, e := range c.entries {
		if e.want.Consumer != nil && e.lane < 0 && fits(e) {
			wants = append(wants, e.want)
			e.lane = lane
		}
	}
	if len(wants) == 0 {
		return nil
	}
	c.busy[lane] = true
	slices.SortFunc(wants, func(a, b Want) int { return order(a.Key, b.Key) })
	c.turn++
	return rotate(wants, c.turn%len(wants))
}

// rotate begins the list at n, so that no partition is served last every time
// when bytes are short.
func rotate(wants []Want, n int) []Want {
	return append(slices.Clone(wants[n:]), wants[:n]...)
}

func order(a, b Key) int {
	if a.Topic != b.Topic {
		if a.Topic < b.Topic {
			return -1
		}
		return 1
	}
	return int(a.Partition) - int(b.Partition)
}
