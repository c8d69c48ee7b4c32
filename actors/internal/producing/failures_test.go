package producing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire"
)

var tooLarge = coded(wire.MessageTooLarge)

// loaded is an idempotent core with batches 2, 3 and 4, of four records each, on
// the wire behind the first ack.
func loaded(t *testing.T) *Core {
	t.Helper()
	cfg := testConfig
	cfg.Idempotent, cfg.MaxInFlight, cfg.Forget = true, 5, time.Minute
	var left []Batch
	for id := uint64(1); id <= 4; id++ {
		left = append(left, Batch{ID: id, Opened: epoch, Count: 4, Size: 400})
	}
	c := New(cfg, left, func() float64 { return 0 })
	c.Start(epoch)
	c.Leader(epoch, 3)
	require.Len(t, sends(c.Answer(epoch, 1, 0, nil, true)), 3)
	return c
}

func idsOf(actions []Action) (ids []uint64) {
	for _, a := range sends(actions) {
		ids = append(ids, a.(Send).ID)
	}
	return ids
}

func TestASplitTakesOverItsPlace(t *testing.T) {
	c := loaded(t)
	out := c.Answer(epoch, 2, -1, tooLarge, true)
	require.Equal(t, Part{ID: 2}, out[len(out)-1])
	require.Empty(t, sends(c.Parted(epoch, 2, []Batch{{ID: 5, Opened: epoch, Count: 2, Numbered: true}, {ID: 6, Opened: epoch, Count: 2, Numbered: true}})), "3 and 4 are on the wire")
	c.Answer(epoch, 3, -1, gap, true)
	c.Answer(epoch, 4, -1, gap, true)
	out = c.Tick(at(3 * time.Second))
	require.False(t, has[Bump](out), "no number is lost")
	require.Equal(t, []uint64{5, 6, 3, 4}, idsOf(out))
	require.Equal(t, Settle{ID: 5, Base: 4}, only[Settle](t, c.Answer(at(3*time.Second), 5, 4, nil, true)))
}

// A broker looks at sizes before it looks whether the batch is there.
func TestAnUnsureBatchStaysUnsureWhenItIsCut(t *testing.T) {
	c := loaded(t)
	for id := uint64(2); id <= 4; id++ {
		c.Answer(epoch, id, -1, errLost, true)
	}
	c.Leader(epoch, 3)
	now := at(3 * time.Second)
	require.Len(t, idsOf(c.Tick(now)), 3)
	require.True(t, only[Part](t, c.Answer(now, 2, -1, tooLarge, true)).Unsure)
	c.Parted(now, 2, []Batch{{ID: 5, Opened: epoch, Count: 2, Unsure: true}, {ID: 6, Opened: epoch, Count: 2, Unsure: true}})
	c.Answer(now, 3, -1, gap, true)
	c.Answer(now, 4, -1, gap, true)
	now = at(6 * time.Second)
	require.Equal(t, []uint64{5, 6, 3, 4}, idsOf(c.Tick(now)))
	require.ErrorIs(t, only[Settle](t, c.Answer(now, 5, -1, gap, true)).Err, wire.ErrUnsure)
}

func TestASingleRecordThatIsTooLargeSaysSo(t *testing.T) {
	for code, setting := range map[wire.Code]string{wire.MessageTooLarge: "max.message.bytes", wire.RecordListTooLarge: "segment.bytes"} {
		c := New(testConfig, []Batch{{ID: 1, Opened: epoch, Count: 1, Size: 12345}}, nil)
		c.Start(epoch)
		c.Leader(epoch, 3)
		err := only[Settle](t, c.Answer(epoch, 1, -1, coded(code), true)).Err
		require.ErrorIs(t, err, wire.ErrTooLarge)
		require.ErrorContains(t, err, "12345 bytes")
		require.ErrorContains(t, err, "raise the topic's "+setting)
		require.NotErrorIs(t, err, wire.ErrUnsure)
	}
}

func refusal(records ...RefusedRecord) error {
	return &Refusal{Err: &wire.Error{Code: wire.InvalidRecord, Message: "whole"}, Records: records}
}

func TestRejectedRecordsFailAndTheRestGetsANewNumber(t *testing.T) {
	c := loaded(t)
	out := c.Answer(epoch, 2, -1, refusal(RefusedRecord{2, "bad"}, RefusedRecord{2, "twice"}, RefusedRecord{9, "not there"}, RefusedRecord{0, ""}), true)
	rejected := only[Part](t, out).Rejected
	require.Len(t, rejected, 2)
	require.Equal(t, int32(2), rejected[0].Index)
	require.ErrorContains(t, rejected[0].Err, `"bad"`)
	require.ErrorContains(t, rejected[1].Err, `"whole"`)
	c.Parted(epoch, 2, []Batch{{ID: 5, Opened: epoch, Count: 2, Numbered: true}})
	c.Answer(epoch, 3, -1, gap, true)
	out = c.Answer(epoch, 4, -1, gap, true)
	out = append(out, c.Tick(at(3*time.Second))...)
	require.Equal(t, []uint64{5, 3, 4}, only[Bump](t, out).IDs)
	require.Equal(t, []uint64{5}, idsOf(out), "in a new epoch, one alone at first")
}

func TestABatchOfRejectedRecordsIsGone(t *testing.T) {
	c := New(testConfig, []Batch{{ID: 1, Opened: epoch, Count: 2}}, nil)
	c.Start(epoch)
	c.Leader(epoch, 3)
	c.Look(epoch, 1, time.Time{})
	require.Len(t, only[Part](t, c.Answer(epoch, 1, -1, refusal(RefusedRecord{0, ""}, RefusedRecord{1, ""}), true)).Rejected, 2)
	require.True(t, has[Take](c.Parted(epoch, 1, nil)))
}

// safe is a core with the safe policy and batch 1 on the wire.
func safe(t *testing.T) *Core {
	t.Helper()
	cfg := testConfig
	cfg.Safe = true
	c := New(cfg, []Batch{{ID: 1, Opened: epoch, Count: 1}}, func() float64 { return 0 })
	c.Start(epoch)
	only[Send](t, c.Leader(epoch, 3))
	return c
}

func TestRetryPolicies(t *testing.T) {
	for _, c := range []struct {
		err     error
		reached bool
		again   bool
	}{
		{errLost, true, false},
		{errLost, false, true},
		{coded(wire.RequestTimedOut), true, false},
		{coded(wire.NotEnoughReplicas), true, true},
		{coded(wire.NotEnoughReplicasAfterAppend), true, false},
		{coded(wire.NotLeaderOrFollower), true, false},
		{coded(wire.LeaderNotAvailable), true, true},
	} {
		out := safe(t).Answer(epoch, 1, -1, c.err, c.reached)
		require.Equal(t, c.again, has[Retried](out), "%v", c.err)
		if !c.again {
			require.ErrorIs(t, only[Settle](t, out).Err, wire.ErrUnsure)
			require.ErrorIs(t, only[Settle](t, out).Err, c.err)
		}
		require.True(t, has[Retried](sending(t).Answer(epoch, 1, -1, c.err, c.reached)), "the others send it again: %v", c.err)
	}
}

// What was on the wire when its producer crashed is not sent again either, and
// the batch behind it is.
func TestSafeAfterACrash(t *testing.T) {
	cfg := testConfig
	cfg.Safe = true
	c := New(cfg, []Batch{{ID: 1, Opened: epoch, Unsure: true}, {ID: 2, Opened: epoch}}, nil)
	out := c.Start(epoch)
	require.Equal(t, uint64(1), only[Settle](t, out).ID)
	require.ErrorIs(t, only[Settle](t, out).Err, wire.ErrUnsure)
	require.Equal(t, []uint64{2}, idsOf(c.Leader(epoch, 3)))
}

// A batch that is given up does not make the next one fall into the same hole.
func TestSafePausesAfterAFailure(t *testing.T) {
	c := safe(t)
	c.Look(epoch, 1, time.Time{})
	c.Answer(epoch, 1, -1, coded(wire.RequestTimedOut), true)
	require.Empty(t, sends(c.Taken(epoch, Batch{ID: 2, Opened: epoch}, true)))
	require.Equal(t, []uint64{2}, idsOf(c.Tick(at(50*time.Millisecond))))
}

func TestMaxRetries(t *testing.T) {
	cfg := testConfig
	cfg.MaxRetries = 3
	c := New(cfg, []Batch{{ID: 1, Opened: epoch}}, func() float64 { return 0 })
	c.Start(epoch)
	out := c.Leader(epoch, 3)
	now := epoch
	for range 3 {
		only[Send](t, out)
		require.False(t, has[Settle](c.Answer(now, 1, -1, notEnough, true)))
		now = now.Add(time.Second)
		out = c.Tick(now)
	}
	settle := only[Settle](t, c.Answer(now, 1, -1, notEnough, true))
	require.ErrorIs(t, settle.Err, wire.ErrNotEnoughReplicas)
	require.ErrorContains(t, settle.Err, "3 retries")
	require.NotErrorIs(t, settle.Err, wire.ErrUnsure)
}

var unknown = &wire.Error{Code: wire.UnknownTopicOrPartition}

// A topic that every look says is not there fails what waits for it, all at once,
// after a while; and one that comes back is produced to.
func TestATopicThatIsGone(t *testing.T) {
	cfg := testConfig
	cfg.Gone, cfg.MaxInFlight = 3*time.Second, 5
	c := New(cfg, []Batch{{ID: 1, Opened: epoch}, {ID: 2, Opened: epoch}}, func() float64 { return 0 })
	require.True(t, has[FindLeader](c.Start(epoch)))
	c.NoLeader(epoch, unknown)
	now := at(time.Second)
	require.True(t, has[FindLeader](c.Tick(now)))
	c.NoLeader(now, coded(wire.LeaderNotAvailable)) // it is there after all
	now = at(2 * time.Second)
	c.Tick(now)
	c.NoLeader(now, unknown)
	now = at(5*time.Second - 1)
	c.Tick(now)
	require.False(t, has[Settle](c.NoLeader(now, unknown)), "not for long enough")
	now = at(7 * time.Second)
	c.Tick(now)
	var ids []uint64
	for _, a := range c.NoLeader(now, unknown) {
		if s, ok := a.(Settle); ok {
			ids = append(ids, s.ID)
			require.ErrorIs(t, s.Err, wire.ErrUnknownTopic)
		}
	}
	require.Equal(t, []uint64{1, 2}, ids)
	c.Look(now, 1, time.Time{})
	require.ErrorIs(t, only[Settle](t, c.Taken(now, Batch{ID: 3, Opened: now}, true)).Err, wire.ErrUnknownTopic, "and what comes meanwhile")
	now = at(9 * time.Second)
	c.Look(now, 1, time.Time{})
	require.True(t, has[FindLeader](c.Taken(now, Batch{ID: 4, Opened: now}, true)), "it is asked for again")
	require.Equal(t, []uint64{4}, idsOf(c.Leader(now, 1)))
}

func TestAloneIsOneAtATime(t *testing.T) {
	c := loaded(t)
	c.Answer(epoch, 2, -1, notEnough, true)
	c.Answer(epoch, 3, -1, gap, true)
	c.Answer(epoch, 4, -1, gap, true)
	now := at(time.Second)
	require.Equal(t, []uint64{2}, idsOf(c.Tick(now)), "what comes behind may be on another connection")
	require.Equal(t, []uint64{3, 4}, idsOf(c.Answer(now, 2, 4, nil, true)))
}

// What may have been written keeps its number, also without some of its records,
// and those may have been written too.
func TestRejectedFromAnUnsureBatch(t *testing.T) {
	c := loaded(t)
	for id := uint64(2); id <= 4; id++ {
		c.Answer(epoch, id, -1, errLost, id == 2)
	}
	c.Leader(epoch, 3)
	now := at(3 * time.Second)
	c.Tick(now)
	part := only[Part](t, c.Answer(now, 2, -1, refusal(RefusedRecord{1, "bad"}), true))
	require.True(t, part.Unsure)
	require.ErrorIs(t, part.Rejected[0].Err, wire.ErrUnsure)
	c.Parted(now, 2, []Batch{{ID: 5, Opened: epoch, Count: 3, Numbered: true, Unsure: true}})
	c.Answer(now, 3, -1, gap, true)
	out := c.Answer(now, 4, -1, gap, true)
	out = append(out, c.Tick(at(6*time.Second))...)
	require.Equal(t, []uint64{3, 4}, only[Bump](t, out).IDs)
	require.Equal(t, []uint64{5}, idsOf(out))
}

func TestAloneUntilAnAck(t *testing.T) {
	c := sending(t)
	c.Answer(epoch, 1, -1, coded(wire.RequestTimedOut), true)
	require.True(t, only[Send](t, c.Tick(at(time.Second))).Alone)
	c.Answer(at(time.Second), 1, -1, later, true)
	require.True(t, only[Send](t, c.Tick(at(3*time.Second))).Alone, "another error does not end it")
	c.Look(at(3*time.Second), 1, time.Time{})
	require.True(t, has[Take](c.Answer(at(3*time.Second), 1, 0, nil, true)))
	require.False(t, only[Send](t, c.Taken(at(3*time.Second), Batch{ID: 2, Opened: epoch}, true)).Alone)
}

// An expired record says that it may have been written only if it may.
func TestExpiryKnowsWhatItKnows(t *testing.T) {
	for reached, err := range map[bool]error{true: coded(wire.RequestTimedOut), false: &wire.ConnError{Stage: wire.StageDial}} {
		c := sending(t)
		c.Answer(epoch, 1, -1, err, reached)
		settle := only[Settle](t, c.Tick(at(time.Minute)))
		require.ErrorIs(t, settle.Err, wire.ErrTimeout)
		code, _ := wire.CodeOf(settle.Err)
		require.Equal(t, wire.RequestTimedOut, code)
		if reached {
			require.ErrorIs(t, settle.Err, wire.ErrUnsure)
		} else {
			require.NotErrorIs(t, settle.Err, wire.ErrUnsure)
		}
		require.Equal(t, !reached, wire.SafeToRetry(settle.Err))
	}
}
