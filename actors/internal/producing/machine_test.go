package producing

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/wire"
)

// shell plays the producer actor and its slot around a core, as dumb as they
// are, and checks at every action that it is allowed.
type shell struct {
	t    *rapid.T
	cfg  Config
	core *Core
	now  time.Time

	ready   []Batch // sealed, in order
	open    *Batch
	taken   []Batch
	nextID  uint64
	settled []uint64
	acked   map[uint64]int64
	failed  map[uint64]error

	asking    bool
	leader    int32
	wire      *Send
	alarm     time.Time
	notBefore time.Time // no Send before
	lastErr   map[uint64]error
}

func newShell(t *rapid.T) *shell {
	s := &shell{
		t: t, now: epoch, leader: -1, acked: map[uint64]int64{}, failed: map[uint64]error{}, lastErr: map[uint64]error{},
		cfg: Config{
			Linger:          time.Duration(rapid.IntRange(-1, 20).Draw(t, "linger")) * time.Millisecond,
			DeliveryTimeout: time.Duration(rapid.IntRange(100, 3000).Draw(t, "delivery")) * time.Millisecond,
			BackoffMin:      50 * time.Millisecond, BackoffMax: 400 * time.Millisecond,
		},
	}
	s.start()
	return s
}

// start is a new incarnation: what was taken is unsure.
func (s *shell) start() {
	s.asking, s.leader, s.wire, s.alarm, s.notBefore = false, -1, nil, time.Time{}, time.Time{}
	s.core = New(s.cfg, slices.Clone(s.taken), func() float64 { return 0.5 })
	s.do(s.core.Start(s.now))
	s.look()
}

func (s *shell) look() {
	opened := time.Time{}
	if s.open != nil {
		opened = s.open.Opened
	}
	s.do(s.core.Look(s.now, len(s.ready), opened))
}

func (s *shell) do(actions []Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case Take:
			s.take()
		case Send:
			s.send(a)
		case Settle:
			s.settle(a)
		case FindLeader:
			require.False(s.t, s.asking, "the leader is asked for once")
			s.asking = true
		case Wake:
			if s.alarm.IsZero() || a.At.Before(s.alarm) {
				s.alarm = a.At
			}
		case Retried:
			require.Error(s.t, a.Err)
			require.Positive(s.t, a.Attempt)
		}
	}
}

func (s *shell) take() {
	require.Empty(s.t, s.taken, "nothing is taken while something is under way")
	due := len(s.ready) > 0
	if !due && s.open != nil {
		require.False(s.t, s.now.Before(s.open.Opened.Add(s.cfg.Linger)), "taken before its linger is over")
		s.ready, s.open = append(s.ready, *s.open), nil
		due = true
	}
	require.True(s.t, due, "Take of an empty slot")
	b := s.ready[0]
	s.ready = s.ready[1:]
	s.taken = append(s.taken, b)
	s.do(s.core.Taken(s.now, b, true))
	s.look()
}

func (s *shell) send(a Send) {
	require.Nil(s.t, s.wire, "a second batch on the wire")
	require.NotEmpty(s.t, s.taken)
	require.Equal(s.t, s.taken[0].ID, a.ID, "the oldest first")
	require.Equal(s.t, s.leader, a.Node, "to the leader that was told last")
	require.False(s.t, s.now.Before(s.notBefore), "sent within the pause")
	require.Less(s.t, s.now.Sub(s.taken[0].Opened), s.cfg.DeliveryTimeout, "sent past its time")
	s.wire = &a
}

func (s *shell) settle(a Settle) {
	require.NotEmpty(s.t, s.taken)
	require.Equal(s.t, s.taken[0].ID, a.ID, "settled in order")
	require.Nil(s.t, s.wire, "settled while it is on the wire")
	opened := s.taken[0].Opened
	s.taken = s.taken[1:]
	s.settled = append(s.settled, a.ID)
	if a.Err == nil {
		require.Equal(s.t, s.acked[a.ID], a.Base)
		return
	}
	require.Equal(s.t, int64(-1), a.Base)
	_, ok := s.acked[a.ID]
	require.False(s.t, ok, "failed, though the broker acked it to this incarnation")
	if s.failed[a.ID] == nil {
		require.ErrorIs(s.t, a.Err, wire.ErrTimeout)
		require.GreaterOrEqual(s.t, s.now.Sub(opened), s.cfg.DeliveryTimeout, "given up before its time")
	}
}

func (s *shell) backOff(id uint64, err error) {
	s.lastErr[id] = err
	s.notBefore = s.now.Add(s.cfg.BackoffMin - s.cfg.BackoffMin/5)
}

// advance goes to a time, with a Tick at every alarm on the way.
func (s *shell) advance(to time.Time) {
	for !s.alarm.IsZero() && !s.alarm.After(to) {
		if s.alarm.After(s.now) {
			s.now = s.alarm
		}
		s.alarm = time.Time{}
		s.do(s.core.Tick(s.now))
	}
	s.now = to
}

// event is one thing that may happen to a producer.
func (s *shell) event() {
	switch rapid.IntRange(0, 9).Draw(s.t, "event") {
	case 0, 1:
		s.append(rapid.Bool().Draw(s.t, "seal"))
	case 2:
		s.answer(rapid.IntRange(0, 3).Draw(s.t, "outcome"))
	case 3:
		s.leaderAnswer(rapid.Bool().Draw(s.t, "found"))
	case 4:
		s.brokerDown()
	case 5:
		if rapid.IntRange(0, 3).Draw(s.t, "crash") == 0 {
			s.start()
		}
	default:
		s.advance(s.now.Add(time.Duration(rapid.IntRange(0, 200).Draw(s.t, "ms")) * time.Millisecond))
	}
	s.check()
}

func (s *shell) append(seal bool) {
	if s.open == nil {
		s.nextID++
		s.open = &Batch{ID: s.nextID, Opened: s.now}
	}
	if seal {
		s.ready, s.open = append(s.ready, *s.open), nil
	}
	s.look()
}

func (s *shell) answer(outcome int) {
	if s.wire == nil {
		s.do(s.core.Answer(s.now, s.nextID+7, 1, nil)) // of an earlier incarnation
		return
	}
	id := s.wire.ID
	s.wire = nil
	switch outcome {
	case 0:
		s.acked[id] = int64(id) * 10
		s.do(s.core.Answer(s.now, id, int64(id)*10, nil))
	case 1:
		s.failed[id] = tooLarge
		s.do(s.core.Answer(s.now, id, -1, tooLarge))
	case 2:
		s.backOff(id, notLeader)
		s.do(s.core.Answer(s.now, id, -1, notLeader))
	case 3:
		s.backOff(id, notEnough)
		s.do(s.core.Answer(s.now, id, -1, notEnough))
	}
}

func (s *shell) leaderAnswer(found bool) {
	if !s.asking {
		return
	}
	s.asking = false
	if found {
		s.leader = int32(rapid.IntRange(1, 3).Draw(s.t, "node"))
		s.do(s.core.Leader(s.now, s.leader))
		return
	}
	s.notBefore = s.now.Add(s.cfg.BackoffMin - s.cfg.BackoffMin/5)
	s.do(s.core.NoLeader(s.now, notLeader))
}

func (s *shell) brokerDown() {
	node := int32(rapid.IntRange(1, 3).Draw(s.t, "node"))
	if s.wire != nil && s.wire.Node == node {
		s.backOff(s.wire.ID, notLeader)
		s.wire = nil
	}
	s.do(s.core.BrokerDown(s.now, node, notLeader))
}

// check is what holds between two events: nothing waits for nothing.
func (s *shell) check() {
	work := len(s.taken) > 0 || len(s.ready) > 0 || s.open != nil
	if !work || s.wire != nil {
		return
	}
	require.False(s.t, len(s.taken) == 0 && len(s.ready) > 0, "a ready batch that nobody takes")
	require.True(s.t, s.asking || !s.alarm.IsZero(), "work, and nothing that will wake the core")
	if len(s.taken) > 0 {
		end := s.taken[0].Opened.Add(s.cfg.DeliveryTimeout)
		require.True(s.t, !s.alarm.IsZero() && !s.alarm.After(end), "nobody looks when the delivery timeout is over")
	}
}

// Whatever happens, every batch that was taken is settled exactly once, in
// order, and nothing is left to wait for ever.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShell(t)
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			s.event()
		}
		for range 500 {
			s.leaderAnswer(true)
			if s.wire != nil {
				s.answer(0)
			}
			s.advance(s.now.Add(s.cfg.BackoffMax))
			s.check()
		}
		require.Empty(t, s.taken)
		require.Empty(t, s.ready)
		require.Nil(t, s.open)
		require.Len(t, s.settled, int(s.nextID))
		require.True(t, slices.IsSorted(s.settled))
		require.Len(t, slices.Compact(slices.Clone(s.settled)), int(s.nextID), "no batch twice")
	})
}
