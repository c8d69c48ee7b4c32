package producing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire"
)

var (
	gap  = coded(wire.OutOfOrderSequenceNumber)
	lost = errLost
	// later says nothing about the leader, nor about others
	later = coded(wire.ThrottlingQuotaExceeded)
)

// pipelined is an idempotent core with batches 2, 3 and 4 on the wire behind
// the first ack.
func pipelined(t *testing.T) *Core {
	t.Helper()
	cfg := testConfig
	cfg.Idempotent, cfg.MaxInFlight, cfg.Forget = true, 3, time.Minute
	c := New(cfg, []Batch{{ID: 1, Opened: epoch}, {ID: 2, Opened: epoch}, {ID: 3, Opened: epoch}, {ID: 4, Opened: epoch}}, func() float64 { return 0 })
	c.Start(epoch)
	require.Len(t, sends(c.Leader(epoch, 3)), 1, "one alone, until the broker knows the sequence")
	require.Len(t, sends(c.Answer(epoch, 1, 0, nil, true)), 3)
	return c
}

func TestAfterAFailureAllGoesOutAgainInOrder(t *testing.T) {
	c := pipelined(t)
	require.Empty(t, sends(c.Answer(epoch, 2, -1, later, true)))
	require.Empty(t, sends(c.Answer(epoch, 3, -1, gap, true)), "it is to be expected behind one that failed")
	require.Empty(t, sends(c.Tick(at(time.Second))), "4 is still on the wire")
	out := c.Answer(at(time.Second), 4, -1, gap, true)
	require.False(t, has[Settle](out))
	out = c.Tick(at(3 * time.Second))
	require.False(t, has[Bump](out), "no number is lost")
	require.Equal(t, []Action{Send{ID: 2, Node: 3}, Send{ID: 3, Node: 3}, Send{ID: 4, Node: 3}}, sends(out))
}

func TestAGapAtTheFirstBatchIsMended(t *testing.T) {
	c := pipelined(t)
	c.Answer(epoch, 2, -1, gap, true)
	c.Answer(epoch, 3, -1, gap, true)
	c.Answer(epoch, 4, -1, gap, true)
	out := c.Tick(at(3 * time.Second))
	require.Equal(t, Bump{IDs: []uint64{2, 3, 4}}, only[Bump](t, out), "surely not written: new numbers")
	require.Equal(t, []Action{Send{ID: 2, Node: 3}}, sends(out), "in a new epoch, one alone at first")
}

// A batch that may have been written is never written under another number.
func TestAnUnsureBatchIsNeverRenumbered(t *testing.T) {
	c := pipelined(t)
	for id := uint64(2); id <= 4; id++ {
		c.Answer(epoch, id, -1, lost, true)
	}
	c.Leader(at(time.Second), 4)
	out := c.Tick(at(3 * time.Second))
	require.NotEmpty(t, append(sends(out), Send{}))
	settle := only[Settle](t, c.Answer(at(3*time.Second), 2, -1, gap, true))
	require.Equal(t, uint64(2), settle.ID)
	require.ErrorContains(t, settle.Err, "not known")
	for id := uint64(3); id <= 4; id++ {
		out = append(out, c.Answer(at(3*time.Second), id, -1, gap, true)...)
	}
	out = append(out, c.Tick(at(9*time.Second))...)
	for _, a := range out {
		if b, ok := a.(Bump); ok {
			require.NotContains(t, b.IDs, uint64(3))
			require.NotContains(t, b.IDs, uint64(4))
		}
	}
}

func TestWhatWasNotSentIsNotUnsure(t *testing.T) {
	c := pipelined(t)
	for id := uint64(2); id <= 4; id++ {
		c.Answer(epoch, id, -1, lost, false) // it never left
	}
	c.Leader(at(time.Second), 4)
	c.Tick(at(3 * time.Second))
	for id := uint64(2); id <= 4; id++ {
		require.False(t, has[Settle](c.Answer(at(3*time.Second), id, -1, gap, true)))
	}
	require.Equal(t, Bump{IDs: []uint64{2, 3, 4}}, only[Bump](t, c.Tick(at(6*time.Second))))
}

func TestADuplicateIsAnAck(t *testing.T) {
	c := pipelined(t)
	require.Equal(t, Settle{ID: 2, Base: -1}, only[Settle](t, c.Answer(epoch, 2, -1, coded(wire.DuplicateSequenceNumber), true)))
}

func TestOutcomesAreToldInOrder(t *testing.T) {
	c := pipelined(t)
	c.Answer(epoch, 2, -1, later, true)
	require.False(t, has[Settle](c.Answer(epoch, 3, 7, nil, true)), "2 comes first")
	c.Answer(epoch, 4, 8, nil, true)
	require.Equal(t, []Action{Send{ID: 2, Node: 3}}, sends(c.Tick(at(time.Second))))
	var ids []uint64
	for _, a := range c.Answer(at(time.Second), 2, 6, nil, true) {
		if s, ok := a.(Settle); ok {
			ids = append(ids, s.ID)
		}
	}
	require.Equal(t, []uint64{2, 3, 4}, ids)
}

func TestAfterALongSilenceOneGoesAlone(t *testing.T) {
	c := pipelined(t)
	for id := uint64(2); id <= 4; id++ {
		c.Answer(epoch, id, int64(id), nil, true)
	}
	now := at(time.Minute + 1)
	require.True(t, has[Take](c.Look(now, 2, time.Time{})))
	require.Len(t, sends(c.Taken(now, Batch{ID: 5, Opened: now}, true)), 1)
	require.False(t, has[Take](c.Look(now, 1, time.Time{})), "the broker may have forgotten us")
	require.True(t, has[Take](c.Answer(now, 5, 9, nil, true)))
}

func TestPlainIsOneAtATime(t *testing.T) {
	c := pipelined(t)
	c.Plain(1)
	for id := uint64(2); id <= 4; id++ {
		c.Answer(epoch, id, int64(id), nil, true)
	}
	c.Look(epoch, 5, time.Time{})
	require.Len(t, sends(c.Taken(epoch, Batch{ID: 5, Opened: epoch}, true)), 1)
	require.False(t, has[Take](c.Look(epoch, 4, time.Time{})))
}

// An error of the leader asks for the leader at once; the pause is between
// asking again, not before asking.
func TestALeaderErrorAsksAtOnce(t *testing.T) {
	c := sending(t)
	require.Equal(t, FindLeader{Stale: true}, only[FindLeader](t, c.Answer(epoch, 1, -1, notLeader, true)))
}

// A batch that is refused for good says nothing about the next one.
func TestAFatalErrorDoesNotPause(t *testing.T) {
	c := sending(t)
	c.Look(epoch, 1, time.Time{})
	c.Answer(epoch, 1, -1, badAcks, true)
	require.Equal(t, Send{ID: 2, Node: 3}, only[Send](t, c.Taken(epoch, Batch{ID: 2, Opened: epoch}, true)))
}

// A batch that is past its time behind one on the wire is not looked at until
// that is answered: a Wake in the past would make the actor spin.
func TestNoWakeInThePast(t *testing.T) {
	cfg := testConfig
	cfg.Idempotent, cfg.MaxInFlight, cfg.Forget = true, 5, time.Minute
	c := New(cfg, []Batch{{ID: 1, Opened: epoch, Unsure: true}, {ID: 2, Opened: epoch, Unsure: true}}, func() float64 { return 0 })
	c.Start(epoch)
	only[Send](t, c.Leader(epoch, 3))
	now := at(11 * time.Second)
	for _, a := range c.Tick(now) {
		if w, ok := a.(Wake); ok {
			require.True(t, w.At.After(now), "wakes at %v, and it is %v", w.At, now)
		}
	}
}

// A broker's end fails what it was given, also when the core has learned
// meanwhile that it does not lead any more.
func TestABrokerThatEndsAfterALeaderError(t *testing.T) {
	cfg := testConfig
	cfg.Idempotent, cfg.MaxInFlight, cfg.Forget = true, 5, time.Minute
	c := New(cfg, []Batch{{ID: 1, Opened: epoch}, {ID: 2, Opened: epoch}, {ID: 3, Opened: epoch}}, func() float64 { return 0 })
	c.Start(epoch)
	c.Leader(epoch, 3)
	require.Len(t, sends(c.Answer(epoch, 1, 0, nil, true)), 2)
	c.Answer(epoch, 2, -1, notLeader, true)
	c.BrokerDown(epoch, 3, notLeader) // with batch 3 in its hands
	var out []Action
	for i := range 30 { // a minute, in which every question is answered
		now := at(time.Duration(i) * 2 * time.Second)
		out = append(out, c.Tick(now)...)
		out = append(out, c.Leader(now, 4)...)
	}
	require.True(t, has[Send](out) || has[Settle](out), "it waits for ever for an answer that cannot come")
}

// Brokers remember five batches: one that is sent again must be among the last
// five, or it cannot be told from a gap. What is answered and waits behind it
// counts.
func TestNoMoreUnsettledThanBrokersRemember(t *testing.T) {
	cfg := testConfig
	cfg.Idempotent, cfg.MaxInFlight, cfg.Forget = true, 2, time.Minute
	c := New(cfg, []Batch{{ID: 1, Opened: epoch}, {ID: 2, Opened: epoch}, {ID: 3, Opened: epoch}}, func() float64 { return 0 })
	c.Start(epoch)
	c.Leader(epoch, 3)
	require.Len(t, sends(c.Answer(epoch, 1, 0, nil, true)), 2)
	c.Answer(epoch, 2, -1, later, true)
	c.Answer(epoch, 3, 2, nil, true) // answered, and not settled before 2 is
	c.Look(epoch, 9, time.Time{})
	require.Len(t, sends(c.Tick(at(50*time.Millisecond))), 1)
	require.False(t, has[Take](c.Look(at(50*time.Millisecond), 9, time.Time{})), "2, 3 and another")
}
