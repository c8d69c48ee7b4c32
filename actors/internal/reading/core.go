// Package reading is the pure core of a Reader: which partitions of a topic are
// asked for next, of whom, when one is at its end, and when a failure is final. It
// does no I/O and reads no clock; every event carries the time.
package reading

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/moldau-go/moldau/actors/internal/backoff"
)

// Forever as the End of a Span: the partition is read on as it grows.
const Forever = math.MaxInt64

// Config are the settings of a Core.
type Config struct {
	// Waits: an End that the partition has not reached yet is waited for. Without
	// it, a partition that does not get there within Patience is given up.
	Waits bool
	// Patience is how long a partition may fail in a row.
	Patience time.Duration
	// RetryMin and RetryMax are the pauses after failures, LookMin and LookMax the
	// least times from one look at the end of a partition to the next.
	RetryMin, RetryMax, LookMin, LookMax time.Duration
	// Bytes is what is asked of a partition, MostBytes what may be asked of one whose
	// next batch does not fit.
	Bytes, MostBytes int32
	// Again says which errors another attempt may help against, Outdated after which
	// the leader is looked up anew.
	Again    func(error) bool
	Outdated func(attempt int, last error) bool
	// GaveUp makes the error of a partition whose Patience is over.
	GaveUp func(attempts int, last error) error
	// Spread returns numbers from 0 to 1.
	Spread func() float64
}

// Span is what is to be read of a partition: from Next to the offset before End.
type Span struct {
	Partition int32
	Next, End int64
}

// Want is a place to read on from.
type Want struct {
	Partition int32
	Offset    int64
	Bytes     int32
}

// Action is something to be done: LookUp or Fetch.
type Action interface{ action() }

// LookUp asks for the leaders of partitions; the outcome goes to LookedUp.
type LookUp struct {
	Stale      bool // the leaders that are known do not work
	Partitions []int32
	Until      time.Time
}

// Fetch asks a broker for records; the outcome goes to Fetched.
type Fetch struct {
	Node  int32
	Wants []Want
	At    time.Time // now
	Until time.Time
}

func (*LookUp) action() {}
func (*Fetch) action()  {}

// Got is what a Fetch brought of a partition.
type Got struct {
	Partition int32
	Next      int64 // the offset to go on from
	Bytes     int   // whether or not there are records to see in them
	Stable    int64 // nothing can be read from here on at present
	Need      int   // a whole batch takes so many bytes; 0: there was one, or nothing
	Err       error
}

// Core reads partitions of a topic: one request of each leader is under way at a
// time. It is not safe for concurrent use.
type Core struct {
	cfg     Config
	parts   []*part // who was served last is at the end
	looking bool
	flying  map[int32]bool // nodes with a request under way
}

type part struct {
	Span
	bytes int32
	busy  bool
	stale bool
	last  error
	fails int       // in a row
	looks int       // answers in a row that had nothing for anybody
	holes int       // of those: although there should have been something
	begun time.Time // the first attempt since it got on last; zero: none
	pause time.Time // no attempt before
	quiet time.Time // since when there is nothing to be read; zero: unknown
}

// New is a core that reads spans.
func New(cfg Config, spans []Span) *Core {
	c := &Core{cfg: cfg, flying: map[int32]bool{}}
	for _, s := range spans {
		c.parts = append(c.parts, &part{Span: s, bytes: cfg.Bytes})
	}
	return c
}

// Done says that all partitions are read to their end.
func (c *Core) Done() bool {
	return !slices.ContainsFunc(c.parts, func(p *part) bool { return !p.done() })
}

func (p *part) done() bool { return p.Next >= p.End }

// Next is the offset that a partition is asked for next, at most its End.
func (c *Core) Next(partition int32) int64 {
	p := c.part(partition)
	return min(p.Next, p.End)
}

// End is the End of a partition's span.
func (c *Core) End(partition int32) int64 { return c.part(partition).End }

func (c *Core) part(partition int32) *part {
	return c.parts[slices.IndexFunc(c.parts, func(p *part) bool { return p.Partition == partition })]
}

// Wake is when Step may have more to do than now; zero if no time changes that.
func (c *Core) Wake(now time.Time) (at time.Time) {
	for _, p := range c.parts {
		if !p.done() && !p.busy && p.pause.After(now) && (at.IsZero() || p.pause.Before(at)) {
			at = p.pause
		}
	}
	return at
}

// Quiet is since when there is nothing to be read in any partition; false while
// something comes, or is not known not to.
func (c *Core) Quiet() (since time.Time, ok bool) {
	for _, p := range c.parts {
		switch {
		case p.done():
		case p.quiet.IsZero():
			return time.Time{}, false
		case p.quiet.After(since):
			since = p.quiet
		}
	}
	return since, !since.IsZero()
}

// Step is what to do now. leader tells who leads a partition, if that is known.
func (c *Core) Step(now time.Time, leader func(partition int32) (int32, bool)) (out []Action) {
	look, fetches := &LookUp{}, map[int32]*Fetch{}
	for _, p := range c.parts {
		if p.done() || p.busy || p.pause.After(now) {
			continue
		}
		node, known := leader(p.Partition)
		if p.stale || !known {
			if !c.looking {
				c.begin(now, p, &look.Until)
				look.Stale = look.Stale || p.stale
				look.Partitions = append(look.Partitions, p.Partition)
			}
			continue
		}
		if c.flying[node] {
			continue
		}
		f := fetches[node]
		if f == nil {
			f = &Fetch{Node: node, At: now}
			fetches[node], out = f, append(out, f)
		}
		c.begin(now, p, &f.Until)
		f.Wants = append(f.Wants, Want{p.Partition, p.Next, p.bytes})
	}
	for node := range fetches {
		c.flying[node] = true
	}
	if len(look.Partitions) > 0 {
		c.looking = true
		out = append(out, look)
	}
	return out
}

// begin notes an attempt. It ends with the first partition whose patience does.
func (c *Core) begin(now time.Time, p *part, until *time.Time) {
	p.busy = true
	if p.begun.IsZero() {
		p.begun = now
	}
	if end := p.begun.Add(c.cfg.Patience); until.IsZero() || end.Before(*until) {
		*until = end
	}
}

// LookedUp is the outcome of a LookUp: failure tells why a partition's leader is
// not known, nil if it is. The error is final.
func (c *Core) LookedUp(now time.Time, l *LookUp, failure func(partition int32) error) (final error) {
	c.looking = false
	for _, number := range l.Partitions {
		p := c.part(number)
		p.busy, p.stale = false, false
		if err := failure(number); err != nil {
			final = first(final, c.fail(now, p, err))
		}
	}
	return final
}

// Fetched is the outcome of a Fetch, an answer for each Want. The error is final:
// what could be read before the place that it is about has been got.
func (c *Core) Fetched(now time.Time, f *Fetch, got []Got) (final error) {
	delete(c.flying, f.Node)
	empty := true
	for _, g := range got {
		empty = empty && g.Bytes == 0
	}
	for _, g := range got {
		p := c.part(g.Partition)
		p.busy = false
		switch {
		case g.Need > 0 && p.bytes < c.cfg.MostBytes:
			p.bytes = int32(min(max(2*int64(p.bytes), int64(g.Need)), int64(c.cfg.MostBytes)))
		case g.Err != nil:
			final = first(final, c.fail(now, p, g.Err))
		case g.Next > p.Next:
			*p = part{Span: Span{p.Partition, g.Next, p.End}, bytes: c.cfg.Bytes}
		default:
			final = first(final, c.nothing(now, f, p, g, empty))
		}
	}
	c.rotate(got)
	return final
}

// rotate lets those go first that were not served: brokers fill an answer in the
// order of the request.
func (c *Core) rotate(got []Got) {
	served := map[int32]bool{}
	for _, g := range got {
		served[g.Partition] = g.Bytes > 0
	}
	slices.SortStableFunc(c.parts, func(a, b *part) int {
		switch {
		case served[a.Partition] == served[b.Partition]:
			return 0
		case served[b.Partition]:
			return -1
		}
		return 1
	})
}

// fail decides about a failure: nil if it is tried again after a pause.
func (c *Core) fail(now time.Time, p *part, err error) error {
	over := !now.Before(p.begun.Add(c.cfg.Patience))
	if !over && !c.cfg.Again(err) {
		return err
	}
	p.fails++
	if !over || p.last == nil {
		p.last = err // what comes when the time is over says no more than that
	}
	if over {
		return c.cfg.GaveUp(p.fails, p.last)
	}
	p.quiet = time.Time{}
	p.stale = c.cfg.Outdated(p.fails, err)
	p.pause = now.Add(backoff.After(p.fails, c.cfg.RetryMin, c.cfg.RetryMax, c.cfg.Spread()))
	return nil
}

// holeLooks is how many answers in a row have to lack what should be there before
// it is taken to be gone. One is not enough: brokers also answer so when they could
// not get at it in time.
const holeLooks = 3

// nothing is an answer without news of a partition. If it had news of others, they
// may have taken the room, and it says nothing.
func (c *Core) nothing(now time.Time, f *Fetch, p *part, g Got, empty bool) error {
	p.fails, p.last = 0, nil
	stuck := p.End != Forever && !c.cfg.Waits
	if !stuck {
		p.begun = time.Time{}
	}
	if !empty {
		return nil
	}
	p.looks++
	p.pause = f.At.Add(backoff.After(p.looks, c.cfg.LookMin, c.cfg.LookMax, 0))
	if p.quiet.IsZero() {
		p.quiet = f.At
	}
	if g.Stable < p.End {
		p.holes = 0
		if stuck {
			p.fails, p.last = p.looks, &ShrunkError{Partition: p.Partition, Stable: g.Stable, End: p.End}
		}
		if stuck && !now.Before(p.begun.Add(c.cfg.Patience)) {
			return c.cfg.GaveUp(p.fails, p.last)
		}
		return nil
	}
	// Compaction and markers of transactions leave holes. Behind the last batch of a
	// partition there is nothing that would lead over one.
	if p.holes++; p.holes >= holeLooks {
		p.Next = p.End
	}
	return nil
}

// ShrunkError is a partition that ends before the end that it had.
type ShrunkError struct {
	Partition   int32
	Stable, End int64
}

// Error says how far it could be read.
func (e *ShrunkError) Error() string {
	return fmt.Sprintf("partition %d was to be read to offset %d and ends at %d by now: a leader without all records may have been elected", e.Partition, e.End, e.Stable)
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
