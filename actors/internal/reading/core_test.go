package reading

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire"
)

var (
	epoch     = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	notLeader = &wire.Error{Code: wire.NotLeaderOrFollower, API: 1}
	broken    = &wire.ConnError{Stage: wire.StageRead}
	final     = errors.New("what was read is garbage")
)

func at(d time.Duration) time.Time { return epoch.Add(d) }

type gaveUp struct {
	attempts int
	last     error
}

func (g *gaveUp) Error() string { return fmt.Sprint(g.attempts, g.last) }

func config() Config {
	return Config{
		Patience: time.Minute, RetryMin: 50 * time.Millisecond, RetryMax: time.Second, LookMin: 5 * time.Millisecond, LookMax: 100 * time.Millisecond,
		Bytes: 100, MostBytes: 1000, Again: wire.Retriable, Spread: func() float64 { return 0 },
		Outdated: func(attempt int, last error) bool { return attempt > 1 || !errors.Is(last, wire.ErrConnection) },
		GaveUp:   func(attempts int, last error) error { return &gaveUp{attempts, last} },
	}
}

// leads says that partition p is led by node p modulo 2.
func leads(p int32) (int32, bool) { return p % 2, true }

func one(t *testing.T, c *Core, now time.Time) *Fetch {
	t.Helper()
	out := c.Step(now, leads)
	require.Len(t, out, 1)
	require.IsType(t, &Fetch{}, out[0])
	return out[0].(*Fetch)
}

func TestOneRequestOfEachLeader(t *testing.T) {
	c := New(config(), []Span{{0, 0, 10}, {1, 5, 10}, {2, 0, 10}, {3, 10, 10}})
	out := c.Step(epoch, leads)
	require.Equal(t, []Action{
		&Fetch{Node: 0, Wants: []Want{{0, 0, 100}, {2, 0, 100}}, At: epoch, Until: at(time.Minute)},
		&Fetch{Node: 1, Wants: []Want{{1, 5, 100}}, At: epoch, Until: at(time.Minute)},
	}, out)
	require.Empty(t, c.Step(epoch, leads))
	require.Zero(t, c.Wake(epoch))
	require.NoError(t, c.Fetched(at(1), out[0].(*Fetch), []Got{{Partition: 0, Next: 4, Bytes: 50, Stable: 10}, {Partition: 2, Stable: 10}}))
	require.Equal(t, []Want{{2, 0, 100}, {0, 4, 100}}, one(t, c, at(1)).Wants, "who was not served goes first")
	require.NoError(t, c.Fetched(at(2), out[1].(*Fetch), []Got{{Partition: 1, Next: 12, Bytes: 50, Stable: 12}}))
	require.Empty(t, c.Step(at(2), leads), "it is at its end")
	require.Equal(t, int64(10), c.Next(1))
	require.False(t, c.Done())
}

func TestLeadersAreLookedUp(t *testing.T) {
	c := New(config(), []Span{{0, 0, 10}, {1, 0, 10}})
	nobody := func(int32) (int32, bool) { return 0, false }
	out := c.Step(epoch, nobody)
	require.Equal(t, []Action{&LookUp{Partitions: []int32{0, 1}, Until: at(time.Minute)}}, out)
	require.Empty(t, c.Step(epoch, nobody))
	require.NoError(t, c.LookedUp(at(1), out[0].(*LookUp), func(p int32) error {
		if p == 1 {
			return notLeader
		}
		return nil
	}))
	f := one(t, c, at(1))
	require.Equal(t, []Want{{0, 0, 100}}, f.Wants)
	require.Equal(t, at(1+50*time.Millisecond), c.Wake(at(1)))
	out = c.Step(c.Wake(at(1)), leads)
	require.Equal(t, []Action{&LookUp{Stale: true, Partitions: []int32{1}, Until: at(time.Minute)}}, out)
	require.ErrorIs(t, c.LookedUp(at(2), out[0].(*LookUp), func(int32) error { return final }), final)
}

func TestFailuresAreTriedAgain(t *testing.T) {
	c := New(config(), []Span{{0, 0, 10}})
	require.NoError(t, c.Fetched(at(1), one(t, c, epoch), []Got{{Err: broken}}))
	require.Empty(t, c.Step(at(1), leads))
	f := one(t, c, at(time.Second)) // a connection that broke once says nothing of the leader
	require.NoError(t, c.Fetched(at(time.Second), f, []Got{{Err: broken}}))
	out := c.Step(at(2*time.Second), leads)
	require.IsType(t, &LookUp{}, out[0])
	require.NoError(t, c.LookedUp(at(2*time.Second), out[0].(*LookUp), func(int32) error { return nil }))
	f = one(t, c, at(59*time.Second))
	require.Equal(t, at(time.Minute), f.Until)
	err := c.Fetched(at(time.Minute), f, []Got{{Err: final}})
	require.Equal(t, &gaveUp{3, broken}, err, "what ends an attempt with the time is not the reason")

	c = New(config(), []Span{{0, 0, 10}})
	require.NoError(t, c.Fetched(at(time.Second), one(t, c, epoch), []Got{{Err: broken}}))
	require.NoError(t, c.Fetched(at(5*time.Second), one(t, c, at(2*time.Second)), []Got{{Next: 3, Bytes: 1, Stable: 10}}))
	f = one(t, c, at(6*time.Second))
	require.Equal(t, at(66*time.Second), f.Until, "patience is new once it got on")
	require.Equal(t, final, c.Fetched(at(7*time.Second), f, []Got{{Err: final}}))
}

func TestALargerBatchIsAskedFor(t *testing.T) {
	c := New(config(), []Span{{0, 0, 10}})
	require.NoError(t, c.Fetched(epoch, one(t, c, epoch), []Got{{Need: 450, Err: final}}))
	f := one(t, c, epoch)
	require.Equal(t, int32(450), f.Wants[0].Bytes)
	require.NoError(t, c.Fetched(epoch, f, []Got{{Need: 5000, Err: final}}))
	f = one(t, c, epoch)
	require.Equal(t, int32(1000), f.Wants[0].Bytes)
	require.Equal(t, final, c.Fetched(epoch, f, []Got{{Need: 5000, Err: final}}))
}

// A hole up to the end is believed after three answers, if they say nothing of
// anybody.
func TestHolesAtTheEnd(t *testing.T) {
	c := New(config(), []Span{{0, 3, 10}, {2, 0, 10}})
	now := epoch
	for range 10 { // others take the room
		f := one(t, c, now)
		require.NoError(t, c.Fetched(now, f, []Got{{Partition: 0, Stable: 12}, {Partition: 2, Next: c.Next(2) + 1, Bytes: 10, Stable: 12}}))
	}
	require.Equal(t, int64(3), c.Next(0))
	for i := range holeLooks {
		require.False(t, c.Done())
		require.NoError(t, c.Fetched(now.Add(time.Second), one(t, c, now), []Got{{Partition: 0, Stable: 12}}), i)
		now = now.Add(time.Second)
	}
	require.True(t, c.Done())
	require.Equal(t, int64(10), c.Next(0))
}

func TestAnEndThatIsLost(t *testing.T) {
	c := New(config(), []Span{{0, 3, 10}})
	now := epoch
	var err error
	for err == nil {
		require.False(t, now.After(at(61*time.Second)))
		f := one(t, c, now)
		now = now.Add(500 * time.Millisecond)
		err = c.Fetched(now, f, []Got{{Partition: 0, Stable: 4}})
	}
	var lost *gaveUp
	require.ErrorAs(t, err, &lost)
	require.Equal(t, &ShrunkError{Partition: 0, Stable: 4, End: 10}, lost.last)
}

// Who waits is not impatient, looks less and less often where brokers do not hold
// the request, and knows since when there is nothing.
func TestWaitingAtTheEnd(t *testing.T) {
	cfg := config()
	cfg.Waits = true
	c := New(cfg, []Span{{0, 3, Forever}, {2, 3, 10}})
	now := at(time.Second)
	since := time.Time{}
	for i := range 1000 {
		_, quiet := c.Quiet()
		require.Equal(t, i > 0, quiet)
		f := one(t, c, now)
		if i == 0 {
			since = now
		}
		require.NoError(t, c.Fetched(now, f, []Got{{Partition: 0, Stable: 3}, {Partition: 2, Stable: 3}}))
		wake := c.Wake(now)
		require.WithinRange(t, wake, now.Add(cfg.LookMin), now.Add(cfg.LookMax))
		now = wake
	}
	quiet, _ := c.Quiet()
	require.Equal(t, since, quiet)
	require.NoError(t, c.Fetched(now, one(t, c, now), []Got{{Partition: 0, Next: 4, Bytes: 5, Stable: 4}, {Partition: 2, Stable: 3}}))
	_, ok := c.Quiet()
	require.False(t, ok)
	f := one(t, c, now)
	require.NoError(t, c.Fetched(now, f, []Got{{Partition: 2, Stable: 3}, {Partition: 0, Stable: 4}}))
	_, ok = c.Quiet()
	require.True(t, ok)
	now = now.Add(cfg.LookMax)
	require.NoError(t, c.Fetched(now, one(t, c, now), []Got{{Partition: 0, Stable: 4}, {Partition: 2, Err: broken}}))
	_, ok = c.Quiet()
	require.False(t, ok, "a failure is no silence")
}
