package metadata

import (
	"errors"
	"slices"
	"time"

	"github.com/moldau-go/moldau/actors/internal/backoff"
)

// Resolve asks for the bootstrap addresses of now; Resolved brings them. It is
// asked once at a time, while no known broker answers.
type Resolve struct{}

// Unresolved tells of an answer to Resolve that was wrong, in part or as a
// whole. The next Resolve comes after Retry at the soonest.
type Unresolved struct {
	Err   error
	Retry time.Duration
}

func (Resolve) action()    {}
func (Unresolved) action() {}

// The pauses between two Resolves that did not help.
const (
	resolveMin = time.Second
	resolveMax = 30 * time.Second
)

// errSeedGone is what a bootstrap address was asked that is none any more.
var errSeedGone = errors.New("the address was taken from the bootstrap addresses")

// bootstrap is what the core remembers of the bootstrap addresses.
type bootstrap struct {
	seeds     []Broker
	last      int32 // the id that was given last; each address has one of its own
	resolving bool
	resolves  int       // in a row, without an answer from a broker
	notUntil  time.Time // no Resolve before
}

func newBootstrap(seeds []Broker) bootstrap {
	b := bootstrap{seeds: seeds}
	for _, s := range seeds {
		b.last = min(b.last, s.ID)
	}
	return b
}

// Seeds are the bootstrap addresses as they are known now.
func (c *Core) Seeds() []Broker { return c.boot.seeds }

// Resolved is the outcome of Resolve: the addresses, whose ids do not matter,
// and what was wrong. With none, those that were known stay.
func (c *Core) Resolved(now time.Time, seeds []Broker, err error) []Action {
	b := &c.boot
	b.resolving = false
	b.resolves++
	retry := backoff.After(b.resolves, resolveMin, resolveMax, 0)
	b.notUntil = now.Add(retry)
	var out []Action
	if err != nil {
		out = append(out, Unresolved{Err: err, Retry: retry})
	}
	if len(seeds) > 0 {
		out = c.reseed(now, seeds, out)
	}
	return c.next(now, out)
}

// reseed puts other addresses in place of those that are known. An address that
// stays keeps its id, and so its actor and connections; a new one has a new id.
func (c *Core) reseed(now time.Time, seeds []Broker, out []Action) []Action {
	before, changed := c.boot.seeds, len(seeds) != len(c.boot.seeds)
	c.boot.seeds = nil
	for _, s := range seeds {
		i := slices.IndexFunc(before, func(b Broker) bool { return b.Host == s.Host && b.Port == s.Port })
		if i >= 0 {
			s.ID = before[i].ID
		} else {
			changed = true
			c.boot.last--
			s.ID = c.boot.last
		}
		c.boot.seeds = append(c.boot.seeds, s)
	}
	if !changed || !c.seeding {
		return out
	}
	return c.dropSeeds(now, before, append(out, c.brokers()))
}

// dropSeeds forgets the addresses that are gone, whose actors end.
func (c *Core) dropSeeds(now time.Time, before []Broker, out []Action) []Action {
	gone := map[int32]bool{}
	for _, b := range before {
		if !slices.Contains(c.boot.seeds, b) {
			gone[b.ID] = true
			delete(c.up, b.ID) // all of them, before anybody is asked in their place
			delete(c.failed, b.ID)
		}
	}
	for number, broker := range c.asked {
		if gone[broker] {
			out = c.fail(now, number, errSeedGone, out)
		}
	}
	return out
}

// resolve asks for bootstrap addresses while they are needed.
func (c *Core) resolve(now time.Time, out []Action) []Action {
	b := &c.boot
	if !c.cfg.Resolves || !c.seeding || b.resolving {
		return out
	}
	if b.notUntil.After(now) {
		return append(out, Wake{b.notUntil})
	}
	b.resolving = true
	return append(out, Resolve{})
}

// seed brings the bootstrap addresses back beside the known brokers.
func (c *Core) seed(out []Action) []Action {
	if c.seeding {
		return out
	}
	c.seeding = true
	return append(out, c.brokers())
}
