package producing

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire"
)

var (
	epoch     = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	notLeader = &wire.Error{Code: wire.NotLeaderOrFollower}
	notEnough = &wire.Error{Code: wire.NotEnoughReplicas}
	badAcks   = &wire.Error{Code: wire.InvalidRequiredAcks}
)

var testConfig = Config{Linger: 5 * time.Millisecond, DeliveryTimeout: 10 * time.Second, BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second, MaxInFlight: 1}

func newCore(unsure ...Batch) *Core { return New(testConfig, unsure, func() float64 { return 0 }) }

func only[A Action](t *testing.T, actions []Action) A {
	t.Helper()
	var found []A
	for _, a := range actions {
		if a, ok := a.(A); ok {
			found = append(found, a)
		}
	}
	var none A
	require.Len(t, found, 1, "one %T in %#v", none, actions)
	return found[0]
}

func has[A Action](actions []Action) bool {
	for _, a := range actions {
		if _, ok := a.(A); ok {
			return true
		}
	}
	return false
}

func at(d time.Duration) time.Time { return epoch.Add(d) }

func TestLingerIsExact(t *testing.T) {
	c := newCore()
	require.Empty(t, c.Start(epoch))
	require.Equal(t, []Action{Wake{at(5 * time.Millisecond)}}, c.Look(epoch, 0, epoch))
	require.Equal(t, []Action{Wake{at(5 * time.Millisecond)}}, c.Tick(at(5*time.Millisecond-1)), "a nanosecond early")
	require.Equal(t, []Action{Take{}}, c.Tick(at(5*time.Millisecond)))
}

func TestReadyBatchesDoNotLinger(t *testing.T) {
	c := newCore()
	require.Equal(t, []Action{Take{}}, c.Look(epoch, 1, epoch))
	require.Equal(t, []Action{Take{}}, New(Config{DeliveryTimeout: time.Minute, Linger: -1, MaxInFlight: 1}, nil, nil).Look(epoch, 0, epoch), "no linger at all")
	require.Empty(t, newCore().Look(epoch, 0, time.Time{}), "an empty slot asks for nothing")
}

func TestTakenNothing(t *testing.T) {
	c := newCore()
	c.Look(epoch, 1, time.Time{})
	require.Empty(t, c.Taken(epoch, Batch{}, false))
	require.Equal(t, []Action{Take{}}, c.Look(epoch, 1, time.Time{}))
}

// sending is a core with batch 1 on its way to node 3.
func sending(t *testing.T) *Core {
	t.Helper()
	c := newCore()
	c.Look(epoch, 1, time.Time{})
	require.Equal(t, FindLeader{}, only[FindLeader](t, c.Taken(epoch, Batch{ID: 1, Opened: epoch}, true)))
	require.False(t, has[FindLeader](c.Look(epoch, 1, epoch)), "asked once")
	require.Equal(t, Send{ID: 1, Node: 3}, only[Send](t, c.Leader(epoch, 3)))
	return c
}

func TestOneBatchAtATime(t *testing.T) {
	c := sending(t)
	require.Empty(t, c.Look(epoch, 5, epoch))
	require.Empty(t, c.Tick(at(time.Hour)), "what is on the wire has the connection's deadline")
	require.Nil(t, c.Answer(at(1), 99, 7, nil, true), "not ours")
	require.Equal(t, []Action{Settle{ID: 1, Base: 7}, Take{}}, c.Answer(at(1), 1, 7, nil, true))
	require.Nil(t, c.Answer(at(1), 1, 8, nil, true), "only one answer counts")
}

func TestRetriesKeepTheBatch(t *testing.T) {
	c := sending(t)
	now := epoch
	for attempt, pause := range []time.Duration{50, 100, 200, 400, 800, 1000, 1000} {
		out := c.Answer(now, 1, -1, notEnough, true)
		require.Equal(t, Retried{ID: 1, Attempt: attempt + 1, Err: notEnough}, only[Retried](t, out))
		require.Contains(t, out, Action(Wake{now.Add(pause * time.Millisecond)}))
		require.Contains(t, out, Action(Wake{at(10 * time.Second)}), "the delivery timeout")
		require.False(t, has[Send](c.Tick(now.Add(pause*time.Millisecond-1))))
		now = now.Add(pause * time.Millisecond)
		require.Equal(t, Send{ID: 1, Node: 3, Alone: true}, only[Send](t, c.Tick(now)), "the leader is still the leader")
	}
}

func TestLeaderErrorFindsTheLeaderAnew(t *testing.T) {
	c := sending(t)
	c.Answer(epoch, 1, -1, notLeader, true)
	now := at(50 * time.Millisecond)
	require.Equal(t, []Action{Send{ID: 1, Node: 4}}, sends(append(c.Tick(now), c.Leader(now, 4)...)))
}

func sends(actions []Action) []Action {
	var out []Action
	for _, a := range actions {
		if s, ok := a.(Send); ok {
			out = append(out, s)
		}
	}
	return out
}

func TestFatalErrorFailsTheBatchAlone(t *testing.T) {
	c := sending(t)
	c.Look(epoch, 1, time.Time{})
	require.Equal(t, []Action{Settle{ID: 1, Base: -1, Err: badAcks}, Take{}}, c.Answer(epoch, 1, -1, badAcks, true))
	require.Equal(t, Send{ID: 2, Node: 3}, only[Send](t, c.Taken(epoch, Batch{ID: 2, Opened: epoch}, true)), "without a pause")
	foreign := errors.New("no wire error")
	require.Equal(t, Settle{ID: 2, Base: -1, Err: foreign}, only[Settle](t, c.Answer(epoch, 2, -1, foreign, true)))
}

func TestDeliveryTimeout(t *testing.T) {
	c := sending(t)
	c.Answer(at(9900*time.Millisecond), 1, -1, notEnough, true)
	require.False(t, has[Settle](c.Tick(at(10*time.Second-1))), "within its time it was sent again")
	settle := only[Settle](t, c.Answer(at(10*time.Second), 1, -1, notEnough, true))
	require.ErrorIs(t, settle.Err, wire.ErrTimeout)
	require.ErrorIs(t, settle.Err, wire.ErrNotEnoughReplicas, "why the last attempt failed")
	require.Equal(t, int64(-1), settle.Base)
	require.ErrorContains(t, settle.Err, "10s")
}

func TestDeliveryTimeoutWithoutLeader(t *testing.T) {
	c := newCore()
	c.Look(epoch, 1, time.Time{})
	c.Taken(epoch, Batch{ID: 1, Opened: epoch}, true)
	require.Equal(t, Retried{ID: 1, Attempt: 1, Err: notLeader}, only[Retried](t, c.NoLeader(epoch, notLeader)))
	require.Equal(t, FindLeader{Stale: true}, only[FindLeader](t, c.Tick(at(50*time.Millisecond))))
	settle := only[Settle](t, c.Tick(at(10*time.Second)))
	require.ErrorIs(t, settle.Err, wire.ErrTimeout)
	require.ErrorIs(t, settle.Err, wire.ErrNotLeader)
}

func TestTooOldToBeSent(t *testing.T) {
	c := newCore()
	c.Look(epoch, 1, time.Time{})
	out := c.Taken(at(10*time.Second), Batch{ID: 1, Opened: epoch}, true)
	require.ErrorIs(t, only[Settle](t, out).Err, wire.ErrTimeout)
	require.False(t, has[FindLeader](out))
}

func TestUnauthorizedTopicFailsItsBatch(t *testing.T) {
	c := newCore()
	c.Look(epoch, 1, time.Time{})
	c.Taken(epoch, Batch{ID: 1, Opened: epoch}, true)
	denied := &wire.Error{Code: wire.TopicAuthorizationFailed}
	require.Equal(t, Settle{ID: 1, Base: -1, Err: denied}, only[Settle](t, c.NoLeader(epoch, denied)))
}

func TestBrokerDown(t *testing.T) {
	c := sending(t)
	require.Nil(t, c.BrokerDown(epoch, 2, notLeader), "another broker")
	require.Equal(t, Retried{ID: 1, Attempt: 1, Err: notLeader}, only[Retried](t, c.BrokerDown(epoch, 3, notLeader)))
	require.Nil(t, c.Answer(epoch, 1, -1, notLeader, true), "an error that comes after its broker's end")
	now := at(50 * time.Millisecond)
	require.Equal(t, []Action{Send{ID: 1, Node: 3}}, sends(append(c.Tick(now), c.Leader(now, 3)...)))
}

// What the connection of an actor that ended still had to say may come behind the
// news of its end.
func TestAnAckAfterItsBrokersEnd(t *testing.T) {
	c := sending(t)
	c.BrokerDown(epoch, 3, notLeader)
	require.Equal(t, Settle{ID: 1, Base: 5}, only[Settle](t, c.Answer(epoch, 1, 5, nil, true)))
	c = sending(t)
	c.BrokerDown(epoch, 3, notLeader)
	only[Send](t, append(c.Tick(at(time.Second)), c.Leader(at(time.Second), 4)...))
	require.Nil(t, c.LateAck(at(time.Second), 1, 5), "it is on the wire again")
	require.Equal(t, Settle{ID: 1, Base: 5}, only[Settle](t, c.Answer(at(time.Second), 1, -1, notEnough, true)), "whatever comes of that")
	c = sending(t)
	c.BrokerDown(epoch, 3, notLeader)
	only[Send](t, append(c.Tick(at(time.Second)), c.Leader(at(time.Second), 4)...))
	c.LateAck(at(time.Second), 1, 5)
	require.Equal(t, Settle{ID: 1, Base: 5}, only[Settle](t, c.BrokerDown(at(time.Second), 4, notLeader)))
}

func TestBrokerDownWhileIdle(t *testing.T) {
	c := sending(t)
	c.Answer(epoch, 1, 0, nil, true)
	require.Empty(t, c.BrokerDown(epoch, 3, notLeader))
	c.Look(epoch, 1, time.Time{})
	require.Equal(t, FindLeader{}, only[FindLeader](t, c.Taken(epoch, Batch{ID: 2, Opened: epoch}, true)))
}

func TestUnsureBatchesGoFirst(t *testing.T) {
	c := newCore(Batch{ID: 1, Opened: epoch}, Batch{ID: 2, Opened: epoch})
	require.True(t, has[FindLeader](c.Start(epoch)))
	require.False(t, has[Take](c.Look(epoch, 3, epoch)), "nothing new before what is unsure")
	require.Equal(t, int64(1), int64(only[Send](t, c.Leader(epoch, 3)).ID))
	require.Equal(t, int64(2), int64(only[Send](t, c.Answer(epoch, 1, 0, nil, true)).ID))
	require.True(t, has[Take](c.Answer(epoch, 2, 1, nil, true)))
}

func TestUnsureBatchesExpireTogether(t *testing.T) {
	c := newCore(Batch{ID: 1, Opened: epoch}, Batch{ID: 2, Opened: epoch})
	var ids []uint64
	for _, a := range c.Start(at(time.Minute)) {
		if s, ok := a.(Settle); ok {
			ids = append(ids, s.ID)
			require.ErrorIs(t, s.Err, wire.ErrTimeout)
		}
	}
	require.Equal(t, []uint64{1, 2}, ids)
}
