package metadata

import (
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire"
)

// Config is what the core has to know. All durations must be positive, but
// for Refresh, where 0 turns refreshing by time off.
type Config struct {
	Seeds      []Broker      // bootstrap addresses, with ids below 0
	Resolves   bool          // there is somebody to ask for more of them
	Refresh    time.Duration // age at which everything in use is asked for again
	Hedge      time.Duration // a second broker is asked when the first has not answered by then
	Timeout    time.Duration // how long somebody waits for a topic or leader before an error is told
	BackoffMin time.Duration // between asking for one topic again; doubles up to BackoffMax
	BackoffMax time.Duration
	// UnknownTTL is how long an answer that a topic or partition is not there is
	// told again without asking.
	UnknownTTL time.Duration
	AutoCreate bool // ask the broker to create topics that it does not know
	// Idle is how long a topic is asked for with the others after somebody needed
	// it last, unless Uses says that it is in use for longer. Uses is an input, as
	// time is; without it nothing is forgotten.
	Idle time.Duration
	Uses func(topic string) bool
}

// Core is the state machine. Its methods take an event and return what has to
// be done about it, in order. It is not safe for concurrent use.
type Core struct {
	cfg     Config
	pick    func(n int) int // random choice, an input like time
	cluster *Cluster

	boot     bootstrap
	seeding  bool                   // bootstrap addresses are among the brokers
	up       map[int32]bool         // brokers with a living actor
	failed   map[int32]bool         // brokers that failed since the last good answer
	asked    map[int]int32          // requests under way, by number: who was asked
	round    []string               // the topics of this round
	full     bool                   // it asks for all that are in use
	begun    time.Time              // when it began
	hedgeAt  time.Time              // zero: no hedge due
	number   int                    // of the last request
	topics   map[string]*topicState // topics in use
	waiters  []waiter               // in the order of their arrival
	failures int                    // rounds in a row without an answer
	lastErr  error                  // why the last of them had none
	notUntil time.Time              // no round begins before
	fresh    time.Time              // last answer to a full round
}

type topicState struct {
	dirty    bool
	repeats  int // pauses in a row, each longer than the one before
	notUntil time.Time
	known    time.Time // when it was last answered about
	needed   time.Time // when somebody asked for it last
}

type waiter struct {
	ref       any
	topic     string
	partition int32 // -1: the topic as a whole
	since     time.Time
	after     int   // answered by requests numbered above this
	atLeast   int32 // or by a leader of this epoch or a later one; 0: by none
}

// New makes a core that knows only its seeds. pick chooses one of n.
func New(cfg Config, pick func(n int) int) *Core {
	return &Core{
		cfg: cfg, pick: pick, boot: newBootstrap(cfg.Seeds), cluster: &Cluster{Topics: map[string]*Topic{}}, seeding: true,
		up: map[int32]bool{}, failed: map[int32]bool{}, asked: map[int]int32{}, topics: map[string]*topicState{},
	}
}

// Resume gives a core of a restarted actor what its predecessor knew.
func (c *Core) Resume(cluster *Cluster) {
	if cluster != nil {
		c.cluster = cluster
		c.seeding = len(cluster.Brokers) == 0
		for name := range cluster.Topics {
			c.topic(name).dirty = true
		}
	}
}

// Action is something to be done: one of the types below.
type Action interface{ action() }

// Ask sends a metadata request for Topics (none: the brokers alone) to Broker.
type Ask struct {
	Number     int
	Broker     int32
	Topics     []string
	AutoCreate bool
}

// Publish makes Cluster the view that everybody sees, and SetBrokers of it the
// brokers that have an actor.
type Publish struct{ Cluster *Cluster }

// SetBrokers names the brokers that must have an actor; others end.
type SetBrokers struct{ Brokers []Broker }

// Tell answers a waiter: Err is nil when the view has what was asked for.
type Tell struct {
	Ref any
	Err error
}

// Wake asks for a Tick at a time. Only the earliest of all that were asked for
// since the last Tick counts.
type Wake struct{ At time.Time }

// Report tells of a round that failed.
type Report struct {
	Err   error
	Retry time.Duration
}

func (Ask) action()        {}
func (Publish) action()    {}
func (SetBrokers) action() {}
func (Tell) action()       {}
func (Wake) action()       {}
func (Report) action()     {}

// Cluster is the present view.
func (c *Core) Cluster() *Cluster { return c.cluster }

// Start is the first event.
func (c *Core) Start(now time.Time) []Action {
	return c.next(now, []Action{Publish{c.cluster}, c.brokers()})
}

// BrokerUp tells of a broker whose actor can be asked.
func (c *Core) BrokerUp(now time.Time, id int32) []Action {
	c.up[id] = true
	return c.next(now, nil)
}

// BrokerDown tells of a broker whose actor ended; what it was asked fails.
func (c *Core) BrokerDown(now time.Time, id int32, err error) []Action {
	delete(c.up, id)
	var out []Action
	for number, broker := range c.asked {
		if broker == id {
			out = c.fail(now, number, err, out)
		}
	}
	return c.next(now, out)
}

// Need registers somebody who waits for a partition's leader, or with
// partition -1 for a topic. stale says that the view's present answer did not
// work, so only a newer one is an answer; otherwise what is known is told at
// once. The Tell comes within Config.Timeout.
func (c *Core) Need(now time.Time, ref any, topic string, partition int32, stale bool) []Action {
	return c.need(now, waiter{ref: ref, topic: topic, partition: partition, since: now, after: c.number}, stale)
}

// NeedNewer is Need with stale for who knows the epoch of the leader that does
// not work: one of epoch atLeast, or a later one, is an answer at once.
func (c *Core) NeedNewer(now time.Time, ref any, topic string, partition, atLeast int32) []Action {
	w := waiter{ref: ref, topic: topic, partition: partition, since: now, after: c.number, atLeast: atLeast}
	if c.newer(w) {
		return []Action{Tell{ref, nil}}
	}
	return c.need(now, w, true)
}

func (c *Core) need(now time.Time, w waiter, stale bool) []Action {
	state := c.topic(w.topic)
	state.needed = now
	if !stale {
		w.after = -1
		done, err := c.settles(w, 0, now)
		if done && (err == nil || now.Sub(state.known) < c.cfg.UnknownTTL) {
			return []Action{Tell{w.ref, err}}
		}
	}
	if now.Sub(state.notUntil) > c.cfg.BackoffMax {
		state.repeats = 0 // what was hard to find then is another matter
	}
	state.dirty = true
	c.waiters = append(c.waiters, w)
	return c.next(now, nil)
}

// forgetIdle drops the topics that nobody uses any more.
func (c *Core) forgetIdle(now time.Time) {
	if c.cfg.Uses == nil {
		return
	}
	for name, state := range c.topics {
		if now.Sub(state.needed) >= c.cfg.Idle && !c.cfg.Uses(name) {
			delete(c.topics, name)
		}
	}
}

// Answer is the outcome of Ask.
func (c *Core) Answer(now time.Time, number int, resp *kmsg.MetadataResponse, err error) []Action {
	if _, asked := c.asked[number]; !asked {
		return nil // a hedge that lost, or a broker that was written off
	}
	if err == nil && len(resp.Brokers) == 0 {
		err = &wire.Error{Code: wire.LeaderNotAvailable, API: int16(kmsg.Metadata)} // a broker that is itself just starting
	}
	if err != nil {
		return c.next(now, c.fail(now, number, err, nil))
	}
	clear(c.asked)
	clear(c.failed)
	c.failures, c.lastErr, c.hedgeAt, c.notUntil = 0, nil, time.Time{}, time.Time{}
	before := c.cluster
	c.cluster = before.merge(resp)
	maps.DeleteFunc(c.cluster.Topics, func(name string, _ *Topic) bool { return c.topics[name] == nil })
	c.seeding, c.boot.resolves = false, 0
	if c.full {
		c.fresh = now
	}
	c.dropMoved(before)
	c.settleTopics(now, before)
	out := []Action{Publish{c.cluster}, c.brokers()}
	return c.next(now, c.tell(now, number, out))
}

// Tick is the time that Wake asked for.
func (c *Core) Tick(now time.Time) []Action {
	return c.next(now, c.tell(now, 0, nil))
}

func (c *Core) topic(name string) *topicState {
	state := c.topics[name]
	if state == nil {
		state = &topicState{dirty: true}
		c.topics[name] = state
	}
	return state
}

// dropMoved forgets the actors of brokers that are gone or have another address
// now, and of the bootstrap addresses: SetBrokers ends them, so they must not be
// asked any more.
func (c *Core) dropMoved(before *Cluster) {
	for id := range c.up {
		now, there := c.cluster.broker(id)
		if was, _ := before.broker(id); !there || now != was {
			delete(c.up, id)
		}
	}
}

// settleTopics marks what the round answered, and slows down asking for
// topics about which nothing new was said.
func (c *Core) settleTopics(now time.Time, before *Cluster) {
	for _, name := range c.round {
		state := c.topics[name]
		if state == nil {
			continue
		}
		state.known = now
		if !state.dirty {
			continue
		}
		state.dirty = false
		if !sameTopic(before.Topics[name], c.cluster.Topics[name]) {
			state.repeats = 0
		}
		state.notUntil = now.Add(c.backoff(state.repeats))
		state.repeats++
	}
	c.round = nil
}

func sameTopic(a, b *Topic) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ID == b.ID && a.Err == b.Err && slices.Equal(a.Partitions, b.Partitions)
}

// tell answers every waiter that request number (0: none) or the time settles.
func (c *Core) tell(now time.Time, number int, out []Action) []Action {
	kept := c.waiters[:0]
	for _, w := range c.waiters {
		state := c.topic(w.topic)
		done, err := c.settles(w, number, now)
		if done && (err != nil || w.after >= 0) && now.Sub(w.since) < c.cfg.Timeout && state.known.Before(w.since) {
			done = false // an answer from before it was asked
		}
		if c.newer(w) {
			done, err = true, nil
		}
		if done {
			if err == nil {
				state.repeats = 0
			}
			out = append(out, Tell{w.ref, err})
			continue
		}
		state.dirty = true
		kept = append(kept, w)
	}
	clear(c.waiters[len(kept):])
	c.waiters = kept
	return out
}

// settles says whether a waiter has its answer. A topic that the cluster does
// not know is an answer at once where nobody creates it; a leader that is not
// elected yet is waited for.
func (c *Core) settles(w waiter, number int, now time.Time) (bool, error) {
	expired := now.Sub(w.since) >= c.cfg.Timeout
	topic := c.cluster.Topics[w.topic]
	if number <= w.after || topic == nil {
		return expired, c.missing(w, topic)
	}
	if topic.Err != 0 && (!topic.Err.Retriable() || expired || (topic.Err == wire.UnknownTopicOrPartition && !c.cfg.AutoCreate)) {
		return true, &wire.Error{Code: topic.Err, API: int16(kmsg.Metadata), Topic: w.topic, Partition: -1}
	}
	if w.partition < 0 {
		return len(topic.Partitions) > 0 || expired, c.missing(w, topic)
	}
	if _, ok := c.cluster.Leader(w.topic, w.partition); ok {
		return true, nil
	}
	if topic.Err == 0 && int(w.partition) >= len(topic.Partitions) {
		return true, &wire.Error{Code: wire.UnknownTopicOrPartition, API: int16(kmsg.Metadata), Topic: w.topic, Partition: w.partition}
	}
	return expired, c.missing(w, topic)
}

// missing is what an expired waiter is told; nil if it has what it wants.
func (c *Core) missing(w waiter, topic *Topic) error {
	if topic != nil && w.partition < 0 && len(topic.Partitions) > 0 {
		return nil
	}
	code := wire.LeaderNotAvailable
	switch {
	case c.lastErr != nil:
		return &Unreachable{Topic: w.topic, Err: c.lastErr}
	case topic == nil:
		code = wire.RequestTimedOut
	}
	return &wire.Error{Code: code, API: int16(kmsg.Metadata), Topic: w.topic, Partition: w.partition}
}

// brokers names the actors that must exist: the known brokers, and the
// bootstrap addresses while none is known or none of the known answers.
func (c *Core) brokers() Action {
	list := slices.Clone(c.cluster.Brokers)
	if c.seeding {
		list = append(list, c.boot.seeds...)
	}
	return SetBrokers{list}
}

func (c *Core) backoff(repeats int) time.Duration {
	d := c.cfg.BackoffMin
	for range min(repeats, 20) {
		if d >= c.cfg.BackoffMax {
			return c.cfg.BackoffMax
		}
		d *= 2
	}
	return min(d, c.cfg.BackoffMax)
}
