// Package outbox is the pure core of one connection's produce queue: which
// batches go into the next request, and when a request may go. It does no I/O
// and reads no clock.
package outbox

import "time"

// Config bounds requests.
type Config struct {
	MaxRequests int // under way at once
	MaxBytes    int // of records in one request; one batch may always go
	// Busy is how many requests under way keep a broker busy: with so many, what
	// comes in waits for an answer, so that it shares the next request with others,
	// but not for longer than Gather. Requests that are few and large cost both
	// sides less; where answers take long it is MaxRequests that counts. 0: none do.
	Busy   int
	Gather time.Duration
}

// Item is a batch that waits.
type Item struct {
	Ref       any // what it is to the caller
	Topic     string
	Partition int32
	Size      int // bytes
	Added     time.Time
	Deadline  time.Time // it is not sent from then on
	With      any       // comparable: a request has batches of the same alone
}

type key struct {
	topic     string
	partition int32
}

// Core is the queue.
type Core struct {
	cfg     Config
	queue   []Item
	flying  int
	opening bool      // the connection is asked for
	until   time.Time // nothing is sent before
	first   time.Time // no deadline is before
}

// New makes an empty queue.
func New(cfg Config) *Core { return &Core{cfg: cfg} }

// Add puts a batch at the end.
func (c *Core) Add(i Item) {
	if len(c.queue) == 0 || i.Deadline.Before(c.first) {
		c.first = i.Deadline
	}
	c.queue = append(c.queue, i)
}

// Open says that the connection is needed now; Opened or Failed answers.
func (c *Core) Open(now time.Time) bool {
	if c.opening || len(c.queue) == 0 || !c.may(now) {
		return false
	}
	c.opening = true
	return true
}

// Opened tells that the connection is there, so that Next may be asked.
func (c *Core) Opened() { c.opening = false }

// Failed tells that it cannot be had, or that the owner ends: everything that
// waits is given back.
func (c *Core) Failed() []Item {
	c.opening = false
	items := c.queue
	c.queue = nil
	return items
}

// may says whether a request may be sent.
func (c *Core) may(now time.Time) bool {
	return c.flying < c.cfg.MaxRequests && !c.until.After(now) && !c.gathering(now)
}

// gathering says that what waits is to share a request with what comes yet.
func (c *Core) gathering(now time.Time) bool {
	return c.cfg.Busy > 0 && c.flying >= c.cfg.Busy && len(c.queue) > 0 && now.Before(c.queue[0].Added.Add(c.cfg.Gather))
}

// Next takes what the next request carries, nothing if none may go: of every
// partition the first batch that waits, of those that go together with the oldest,
// and no more bytes than a request may have. Call Sent if it is sent.
func (c *Core) Next(now time.Time) (items []Item) {
	if !c.may(now) {
		return nil
	}
	size := 0
	seen := make(map[key]bool, len(c.queue))
	rest := c.queue[:0]
	for _, i := range c.queue {
		k := key{i.Topic, i.Partition}
		if seen[k] || len(items) > 0 && (size+i.Size > c.cfg.MaxBytes || i.With != items[0].With) {
			seen[k] = true // nothing behind it may overtake it
			rest = append(rest, i)
			continue
		}
		seen[k] = true
		size += i.Size
		items = append(items, i)
	}
	clear(c.queue[len(rest):])
	c.queue = rest
	return items
}

// Sent tells of a request that is under way; Done of its end.
func (c *Core) Sent() { c.flying++ }

// Done tells of a request that has ended.
func (c *Core) Done() { c.flying-- }

// Throttle lets nothing go for a time: the broker asked for it (KIP-219). What is
// under way is not touched.
func (c *Core) Throttle(now time.Time, wait time.Duration) {
	if until := now.Add(wait); until.After(c.until) {
		c.until = until
	}
}

// Expired takes out what has waited to its deadline.
func (c *Core) Expired(now time.Time) (items []Item) {
	rest := c.queue[:0]
	for _, i := range c.queue {
		if !i.Deadline.After(now) {
			items = append(items, i)
			continue
		}
		if len(rest) == 0 || i.Deadline.Before(c.first) {
			c.first = i.Deadline
		}
		rest = append(rest, i)
	}
	clear(c.queue[len(rest):])
	c.queue = rest
	return items
}

// Wake is when to look again though nothing happens: the end of a throttle or of
// gathering, or a deadline, which may be that of one that was sent; zero for never.
func (c *Core) Wake(now time.Time) time.Time {
	at := c.first
	switch {
	case len(c.queue) == 0:
		return time.Time{}
	case c.until.After(now):
		at = c.until
	case c.flying < c.cfg.MaxRequests && c.gathering(now):
		at = c.queue[0].Added.Add(c.cfg.Gather)
	}
	if c.first.Before(at) {
		return c.first
	}
	return at
}

// Waiting is how many batches wait.
func (c *Core) Waiting() int { return len(c.queue) }
