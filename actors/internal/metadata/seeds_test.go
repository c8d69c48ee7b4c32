package metadata

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func resolving(static ...Broker) *Core {
	cfg := testConfig()
	cfg.Seeds, cfg.Resolves = static, true
	return New(cfg, first)
}

func host(name string) Broker { return Broker{Host: name, Port: 9092} }

func TestNobodyIsAskedForAddressesWhereNobodyKnows(t *testing.T) {
	c := New(testConfig(), first)
	require.Empty(t, all[Resolve](c.Start(epoch)))
	require.Empty(t, all[Resolve](c.BrokerDown(epoch, -1, down)))
}

// At the start the addresses are asked for, once, and beside those that are known.
func TestAddressesAreAskedForAtTheStart(t *testing.T) {
	c := resolving()
	only[Resolve](t, c.Start(epoch))
	require.Empty(t, all[Resolve](c.Need(epoch, "x", "t", 0, false)), "one at a time")
	require.Empty(t, all[Resolve](c.Tick(at(time.Hour))), "even if it takes long")
	out := c.Resolved(at(time.Hour), []Broker{host("a"), host("b")}, nil)
	require.Equal(t, seeds, only[SetBrokers](t, out).Brokers)
	require.Equal(t, seeds, c.Seeds())
	require.Empty(t, all[Unresolved](out))
	only[Ask](t, c.BrokerUp(at(time.Hour), -1))
}

// While no broker answers, the addresses are asked for again: after 1, 2, 4 s,
// and so on up to 30. An answer from a broker ends that.
func TestAskingForAddressesBacksOff(t *testing.T) {
	c := resolving(seeds...)
	out, now := c.Start(epoch), epoch
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		only[Resolve](t, out)
		out = c.Resolved(now, nil, down)
		require.Equal(t, Unresolved{down, pause * time.Second}, only[Unresolved](t, out))
		require.Empty(t, all[Resolve](out))
		now = now.Add(pause * time.Second)
		require.Contains(t, out, Action(Wake{now}))
		require.Empty(t, all[Resolve](c.Tick(now.Add(-1))))
		out = c.Tick(now)
	}
	require.Equal(t, seeds, c.Seeds(), "a failure takes nothing away")
	c.Resolved(now, nil, down)
	require.NotEmpty(t, c.Answer(now, only[Ask](t, c.BrokerUp(now, -1)).Number, view(nil), nil))
	require.Empty(t, all[Resolve](c.Tick(now.Add(time.Minute))), "brokers are known")
}

// An address that stays keeps its id, and so its actor; one that goes takes what
// it was asked with it; a new one has an id that nobody had.
func TestOtherAddresses(t *testing.T) {
	c := resolving(seeds...)
	c.Start(epoch)
	asked := only[Ask](t, c.BrokerUp(epoch, -1))
	c.BrokerUp(epoch, -2)
	out := c.Resolved(epoch, []Broker{host("c"), host("b")}, nil)
	want := []Broker{{ID: -3, Host: "c", Port: 9092}, seeds[1]}
	require.Equal(t, want, only[SetBrokers](t, out).Brokers)
	require.Equal(t, int32(-2), only[Ask](t, out).Broker, "the round goes on with who is left")
	require.Nil(t, c.Answer(epoch, asked.Number, view(nil), nil), "from an address that is none any more")
	require.Empty(t, all[SetBrokers](c.Resolved(at(time.Minute), []Broker{host("b"), host("c")}, nil)), "the same ones")
	out = c.Resolved(at(2*time.Minute), []Broker{host("a")}, nil)
	require.Equal(t, []Broker{{ID: -4, Host: "a", Port: 9092}}, only[SetBrokers](t, out).Brokers)
	require.ErrorIs(t, only[Report](t, out).Err, errSeedGone)
}

// Addresses that come when brokers are known already are kept for later.
func TestAddressesThatComeLate(t *testing.T) {
	c := resolving(seeds[0])
	c.Start(epoch)
	c.Answer(epoch, only[Ask](t, c.BrokerUp(epoch, -1)).Number, view(nil), nil)
	require.Empty(t, all[SetBrokers](c.Resolved(epoch, []Broker{host("a"), host("z")}, nil)))
	for _, n := range nodes {
		c.BrokerUp(epoch, n.ID)
	}
	now := at(5 * time.Minute)
	out := c.Tick(now)
	for range nodes {
		require.Empty(t, all[Resolve](out))
		out = c.Answer(now, only[Ask](t, out).Number, nil, down)
	}
	only[Resolve](t, out)
	require.Equal(t, append(slices.Clone(nodes), seeds[0], Broker{ID: -2, Host: "z", Port: 9092}), only[SetBrokers](t, out).Brokers)
}

// Brokers that do not even refuse cost a timeout each. The bootstrap addresses
// come back before all of them have been tried, and are hedged to.
func TestSeedsComeBackWithinALongRound(t *testing.T) {
	c := known(t, nil)
	start := at(5 * time.Minute)
	only[Ask](t, c.Tick(start))
	only[Ask](t, c.Tick(start.Add(500*time.Millisecond)))
	late := start.Add(10 * time.Second)
	require.Empty(t, all[SetBrokers](c.Answer(late, 2, nil, down)))
	out := c.Answer(late, 3, nil, down)
	require.Len(t, only[SetBrokers](t, out).Brokers, len(nodes)+len(seeds))
	require.Equal(t, int32(3), only[Ask](t, out).Broker)
	c.BrokerUp(late, -1)
	require.Equal(t, int32(-1), only[Ask](t, c.Tick(late.Add(500*time.Millisecond))).Broker)
}

// Whatever is known of the cluster is of no use once every broker is another
// one. The bootstrap addresses lead to the new ones, whether they are a fixed
// list or asked for.
func TestEveryBrokerIsReplaced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := testConfig()
		cfg.Resolves = rapid.Bool().Draw(t, "asked for")
		c := New(cfg, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
		s := &shell{t: t, core: c, now: epoch, up: map[int32]bool{}, asked: map[int]Ask{}, waiting: map[int]time.Time{}}
		s.do(c.Start(epoch))
		s.recover()
		lives := func(b Broker) bool { return b.Host == "new" || b.Seed() && !cfg.Resolves }
		s.waiting[1] = s.now
		s.do(c.Need(s.now, 1, "t", 0, true))
		for range 60 {
			for _, b := range s.wanted {
				s.up[b.ID] = true
				s.do(c.BrokerUp(s.now, b.ID))
			}
			for number, ask := range s.asked {
				i := slices.IndexFunc(s.wanted, func(b Broker) bool { return b.ID == ask.Broker })
				if i >= 0 && lives(s.wanted[i]) {
					clear(s.asked)
					s.do(c.Answer(s.now, number, view(map[string][]int32{"t": {1}}), nil))
					return
				}
				delete(s.asked, number)
				s.do(c.Answer(s.now, number, nil, down))
				break
			}
			if s.resolving {
				s.resolving = false
				s.do(c.Resolved(s.now, []Broker{host("new")}, nil))
			}
			s.advance(s.now.Add(100 * time.Millisecond))
		}
		require.Fail(t, fmt.Sprintf("nobody lives among %v", s.wanted))
	})
}

var errNoRegistry = errors.New("the registry is away")

// resolved answers a Resolve with what somebody may make of it.
func (s *shell) resolved() {
	if !s.resolving {
		return
	}
	s.resolving = false
	var list []Broker
	for _, name := range []string{"a", "b", "x", "y"} {
		if rapid.Bool().Draw(s.t, name) {
			list = append(list, host(name))
		}
	}
	var err error
	if len(list) == 0 || rapid.IntRange(0, 3).Draw(s.t, "wrong") == 0 {
		err = errNoRegistry
	}
	s.do(s.core.Resolved(s.now, list, err))
}
