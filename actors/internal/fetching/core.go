// Package fetching is the pure core of a broker's fetch connections: which
// partitions are asked for on which of the two, and for how long the broker
// may hold the request. It does no I/O and reads no clock.
//
// The cold connection carries partitions that had nothing lately; its request
// may be parked at the broker for the whole of max wait. The hot one carries
// partitions that want more data now and is never parked for long. So a
// partition that becomes ready to read on never queues behind a parked poll.
//
// Hot requests are whole, as every offset in them is new. The cold partitions
// are a fetch session (KIP-227): a request names only what joined or left since
// the last one, so that ten thousand idle partitions cost one small request.
//
// Who is to join the session while its request is parked goes round on the hot
// lane until then. So the request is parked for as long as the hot one after
// somebody joined, and for twice as long each time that nobody did.
package fetching

import (
	"cmp"
	"slices"
	"time"
)

// Lane is one of the two fetch connections.
type Lane int

// The lanes.
const (
	Hot Lane = iota
	Cold
)

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
	Epoch    int32 // of the leader, as far as it is known
	Read     int32 // leader epoch of the last batch that was read; -1: not known
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

type state uint8

const (
	resting state = iota // nothing is wanted, its consumer is busy with what it has
	ready                // to be asked for by the next hot request
	asked                // in the hot request
	joining              // to be asked for by the next cold request
	parked               // in the cold session
)

// id tells wants apart: two subscriptions may read one partition.
type id struct {
	Key
	consumer any
}

type entry struct {
	want    Want
	state   state
	empties int
	newer   bool // want came while an older one was asked for
	turn    int  // of the hot request that last asked for it
}

func (e *entry) id() id { return id{e.want.Key, e.want.Consumer} }

// Core is the state machine.
type Core struct {
	cfg     Config
	entries map[id]*entry
	ready   map[id]*entry
	joining map[id]*entry
	parked  map[Key][]*entry // who waits for a partition of the session, all at one offset
	leaving []Key            // parked before; the session has them still
	late    int              // of those that are asked for, how many are to join the session
	busy    [2]bool
	session session
	wait    time.Duration // of the last cold request
	turn    int           // rotates the order of partitions, so that none is last for ever
}

// New makes a core without wants.
func New(cfg Config) *Core {
	return &Core{cfg: cfg, entries: map[id]*entry{}, ready: map[id]*entry{}, joining: map[id]*entry{}, parked: map[Key][]*entry{}}
}

// Request is a fetch to be sent. For the hot lane Wants are all that is asked
// for. For the cold one they are what joins the session, unless Epoch is 0 or
// less: then they are all.
type Request struct {
	Lane    Lane
	MaxWait time.Duration
	Wants   []Want
	Forget  []Key
	Session int32
	Epoch   int32
}

// Add registers a want, in place of an older one of the same consumer. One that
// is being asked for is answered with its old number, which the consumer no
// longer listens to; the new one is asked for after it.
func (c *Core) Add(w Want) []Request {
	key := id{w.Key, w.Consumer}
	e := c.entries[key]
	if e == nil {
		e = &entry{}
		c.entries[key] = e
	}
	e.want = w
	switch e.state {
	case resting:
		c.makeReady(e)
	case asked:
		e.newer = true
	case parked: // its offset may be another now
		c.unpark(e)
		c.makeReady(e)
	}
	return c.plan()
}

// Remove forgets a consumer's want when it ends.
func (c *Core) Remove(key Key, consumer any) {
	e := c.entries[id{key, consumer}]
	if e == nil {
		return
	}
	switch e.state {
	case parked:
		c.unpark(e)
	case asked:
		c.returned(e)
	}
	delete(c.entries, e.id())
	delete(c.ready, e.id())
	delete(c.joining, e.id())
}

// HotDone tells that the hot request was answered or failed: answered says
// which partitions' consumers were told something. The others stay wanted.
func (c *Core) HotDone(sent []Want, answered func(Key) bool) []Request {
	c.busy[Hot] = false
	for _, w := range sent {
		e := c.entries[id{w.Key, w.Consumer}]
		if e == nil || e.state != asked {
			continue
		}
		c.returned(e)
		told := answered(w.Key)
		switch {
		case told && !e.newer:
			e.state, e.empties = resting, 0
		case told:
			e.empties = 0
			c.makeReady(e)
		default:
			e.empties++
			c.makeReady(e)
		}
		e.newer = false
	}
	return c.plan()
}

// ColdDone tells that the cold request was answered, as HotDone, in a session
// that the broker named (0: it keeps none).
func (c *Core) ColdDone(answered []Key, session int32) []Request {
	c.busy[Cold] = false
	c.session.answered(session)
	for _, key := range answered {
		for _, e := range c.parked[key] {
			e.state, e.empties = resting, 0
		}
		c.leave(key)
	}
	return c.plan()
}

// ColdLost tells that the cold request failed or that the broker does not know
// the session any more. With told, every consumer of Parked was told so;
// without, all are asked for again.
func (c *Core) ColdLost(told bool) []Request {
	c.busy[Cold] = false
	c.session, c.leaving = session{}, nil
	for key, group := range c.parked {
		for _, e := range group {
			e.state, e.empties = resting, 0
			if !told {
				e.empties = coldAfter
				c.makeReady(e)
			}
		}
		delete(c.parked, key)
	}
	return c.plan()
}

// Parked are the wants of the cold session.
func (c *Core) Parked() []Want {
	var list []Want
	for _, group := range c.parked {
		for _, e := range group {
			list = append(list, e.want)
		}
	}
	return inOrder(list)
}

// Waiting are the wants that an answer of the cold lane for a partition is for.
func (c *Core) Waiting(key Key) []Want {
	group := c.parked[key]
	wants := make([]Want, len(group))
	for i, e := range group {
		wants[i] = e.want
	}
	return wants
}

// makeReady puts a want where its next request is.
func (c *Core) makeReady(e *entry) {
	if e.empties >= coldAfter {
		e.state = joining
		c.joining[e.id()] = e
		return
	}
	e.state = ready
	c.ready[e.id()] = e
}

// returned takes back what the hot request counted.
func (c *Core) returned(e *entry) {
	if e.empties >= coldAfter {
		c.late--
	}
}

// unpark takes one want out of the session, and its partition with the last.
func (c *Core) unpark(e *entry) {
	key := e.want.Key
	group := slices.DeleteFunc(c.parked[key], func(other *entry) bool { return other == e })
	if len(group) == 0 {
		c.leave(key)
		return
	}
	c.parked[key] = group
}

func (c *Core) leave(key Key) {
	delete(c.parked, key)
	c.leaving = append(c.leaving, key)
}

// plan fills the lanes that are free. Partitions that would join the session
// are asked for on the hot lane while the cold one is parked; when it comes
// back, it waits for them, so that they do not miss it every time.
func (c *Core) plan() []Request {
	var out []Request
	if !c.busy[Cold] && c.late == 0 && (len(c.joining) > 0 || len(c.parked) > 0) {
		out = append(out, c.cold())
	}
	if !c.busy[Hot] && len(c.ready)+len(c.joining) > 0 {
		out = append(out, c.hot())
	}
	return out
}

// hot asks for every want that is ready; of several for one partition, for the
// one that waited longest.
func (c *Core) hot() Request {
	c.turn++
	var list []*entry
	for _, set := range []map[id]*entry{c.ready, c.joining} {
		for _, e := range set {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int {
		return cmp.Or(compareKeys(a.want.Key, b.want.Key), cmp.Compare(a.turn, b.turn), cmp.Compare(a.want.Number, b.want.Number))
	})
	wants := make([]Want, 0, len(list))
	for i, e := range list {
		if i > 0 && list[i-1].want.Key == e.want.Key {
			continue
		}
		delete(c.ready, e.id())
		delete(c.joining, e.id())
		e.state, e.turn = asked, c.turn
		if e.empties >= coldAfter {
			c.late++
		}
		wants = append(wants, e.want)
	}
	c.busy[Hot] = true
	return Request{Lane: Hot, MaxWait: c.cfg.HotWait, Wants: c.rotated(wants), Epoch: -1}
}

// cold sends the session on, with those that join it: a partition once, for all
// who want it from one offset on.
func (c *Core) cold() Request {
	r := Request{Lane: Cold, Session: c.session.id, Epoch: c.session.epoch}
	joined := false
	for key, e := range c.joining {
		group := c.parked[e.want.Key]
		if len(group) > 0 && group[0].want.Offset != e.want.Offset {
			continue // it stays on the hot lane
		}
		if len(group) == 0 {
			r.Wants = append(r.Wants, e.want)
		}
		e.state, joined = parked, true
		c.parked[e.want.Key] = append(group, e)
		delete(c.joining, key)
	}
	if c.session.whole() {
		r.Wants = r.Wants[:0]
		for _, group := range c.parked {
			r.Wants = append(r.Wants, group[0].want)
		}
	} else {
		r.Forget = slices.DeleteFunc(c.leaving, func(k Key) bool { return len(c.parked[k]) > 0 })
	}
	c.leaving = nil
	c.busy[Cold] = true
	r.MaxWait = c.patience(joined)
	r.Wants = c.rotated(inOrder(r.Wants))
	return r
}

// patience is how long the next cold request may be parked. Where it has to name
// every partition each time, it is sent as rarely as possible.
func (c *Core) patience(joined bool) time.Duration {
	switch {
	case c.session.refused:
		c.wait = c.cfg.MaxWait
	case joined:
		c.wait = c.cfg.HotWait
	default:
		c.wait = max(2*c.wait, c.cfg.HotWait)
	}
	c.wait = min(c.wait, c.cfg.MaxWait)
	return c.wait
}

// rotated begins a list elsewhere each time, so that no partition is served
// last every time when bytes are short.
func (c *Core) rotated(wants []Want) []Want {
	if len(wants) < 2 {
		return wants
	}
	n := c.turn % len(wants)
	return append(slices.Clone(wants[n:]), wants[:n]...)
}

func inOrder(wants []Want) []Want {
	slices.SortFunc(wants, func(a, b Want) int { return compareKeys(a.Key, b.Key) })
	return wants
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
