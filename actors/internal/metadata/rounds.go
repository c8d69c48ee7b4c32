package metadata

import (
	"slices"
	"time"
)

// next begins what is due, and asks to be woken for the next thing that is:
// a round, a hedge, a look for bootstrap addresses, or the end of the longest wait.
func (c *Core) next(now time.Time, out []Action) []Action {
	out = c.resolve(now, c.advance(now, out))
	if len(c.waiters) > 0 {
		out = append(out, Wake{c.waiters[0].since.Add(c.cfg.Timeout)})
	}
	return out
}

func (c *Core) advance(now time.Time, out []Action) []Action {
	if len(c.asked) > 0 {
		return c.hedge(now, out)
	}
	due, topics, full := c.due(now)
	if due.IsZero() {
		return out
	}
	if due.After(now) {
		return append(out, Wake{due})
	}
	broker, ok := c.choose()
	if !ok {
		return out // BrokerUp brings us back
	}
	c.round, c.full, c.begun = topics, full, now
	c.hedgeAt = now.Add(c.cfg.Hedge)
	return append(c.ask(broker, out), Wake{c.hedgeAt})
}

// due says when the next round begins, for which topics, and whether these are
// all that are in use; zero: never.
func (c *Core) due(now time.Time) (at time.Time, topics []string, full bool) {
	if c.fresh.IsZero() || c.cfg.Refresh > 0 && now.Sub(c.fresh) >= c.cfg.Refresh {
		c.forgetIdle(now)
		return later(now, c.notUntil), c.inUse(func(*topicState) bool { return true }), true
	}
	var first time.Time
	for _, state := range c.topics {
		if at := later(later(now, state.notUntil), c.notUntil); state.dirty && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		if c.cfg.Refresh > 0 {
			first = c.fresh.Add(c.cfg.Refresh)
		}
		return first, nil, false // the Tick then finds that all are due
	}
	return first, c.inUse(func(state *topicState) bool { return state.dirty && !state.notUntil.After(first) }), false
}

func (c *Core) inUse(filter func(*topicState) bool) []string {
	var names []string
	for name, state := range c.topics {
		if filter(state) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// hedge asks a second broker when the first takes its time.
func (c *Core) hedge(now time.Time, out []Action) []Action {
	if c.hedgeAt.IsZero() {
		return out
	}
	if c.hedgeAt.After(now) {
		return append(out, Wake{c.hedgeAt})
	}
	if broker, ok := c.choose(); ok { // if not, BrokerUp makes up for it
		c.hedgeAt = time.Time{}
		out = c.ask(broker, out)
	}
	return out
}

func (c *Core) ask(broker int32, out []Action) []Action {
	c.number++
	c.asked[c.number] = broker
	// A round for all that is in use must not bring back a topic that was deleted.
	return append(out, Ask{Number: c.number, Broker: broker, Topics: c.round, AutoCreate: c.cfg.AutoCreate && (!c.full || c.fresh.IsZero())})
}

// choose picks a broker that is up, is not being asked and has not failed
// since the last good answer: known brokers before bootstrap addresses, but for
// a hedge, which would else wait behind the next of those that are all gone.
func (c *Core) choose() (int32, bool) {
	var known, seeds []int32
	for id := range c.up {
		if c.failed[id] || c.isAsked(id) {
			continue
		}
		if id < 0 {
			seeds = append(seeds, id)
		} else {
			known = append(known, id)
		}
	}
	if len(known) == 0 || len(seeds) > 0 && len(c.asked) > 0 {
		known = seeds
	}
	if len(known) == 0 {
		return 0, false
	}
	slices.Sort(known)
	return known[c.pick(len(known))], true
}

func (c *Core) isAsked(id int32) bool {
	for _, broker := range c.asked {
		if broker == id {
			return true
		}
	}
	return false
}

// fail takes a request out of the round. The round goes on with the next
// broker; when none is left, it is over, and bootstrap addresses come back. They
// do so within a round that takes long: brokers that do not even refuse cost a
// timeout each.
func (c *Core) fail(now time.Time, number int, err error, out []Action) []Action {
	c.failed[c.asked[number]] = true
	delete(c.asked, number)
	if len(c.asked) > 0 {
		return out
	}
	if now.Sub(c.begun) >= c.cfg.Timeout {
		out = c.seed(out)
	}
	if broker, ok := c.choose(); ok {
		c.hedgeAt = now.Add(c.cfg.Hedge)
		return append(c.ask(broker, out), Wake{c.hedgeAt})
	}
	clear(c.failed)
	c.round, c.hedgeAt = nil, time.Time{}
	retry := c.backoff(c.failures)
	c.failures++
	c.lastErr = err
	c.notUntil = now.Add(retry)
	return append(c.seed(out), Report{Err: err, Retry: retry})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
