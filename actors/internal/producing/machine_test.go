package producing

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/wire"
)

// shell plays the producer actor, its slot and a broker around a core, and
// checks at every action that it is allowed.
type shell struct {
	t    *rapid.T
	cfg  Config
	core *Core
	now  time.Time

	ready  []Batch // sealed, in order
	open   *Batch
	taken  []Batch
	nextID uint64
	epoch  int
	next   int
	stamps map[uint64]stamp
	sent   map[uint64]bool

	settled []uint64
	failed  map[uint64]error

	incarnation int
	asking      bool
	leader      int32
	wire        []*parcel
	log         partition
	alarm       time.Time
	notBefore   time.Time // no Send before
}

func newShell(t *rapid.T) *shell {
	s := &shell{
		t: t, now: epoch, leader: -1, stamps: map[uint64]stamp{}, sent: map[uint64]bool{}, failed: map[uint64]error{},
		cfg: Config{
			Linger:          time.Duration(rapid.IntRange(-1, 20).Draw(t, "linger")) * time.Millisecond,
			DeliveryTimeout: time.Duration(rapid.IntRange(100, 3000).Draw(t, "delivery")) * time.Millisecond,
			BackoffMin:      50 * time.Millisecond, BackoffMax: 400 * time.Millisecond,
			MaxInFlight: 1, Forget: time.Minute,
		},
	}
	if rapid.Bool().Draw(t, "idempotent") {
		s.cfg.Idempotent, s.cfg.MaxInFlight = true, rapid.IntRange(1, 5).Draw(t, "in flight")
	}
	s.start()
	return s
}

// start is a new incarnation: what was sent is unsure.
func (s *shell) start() {
	s.incarnation++
	s.asking, s.leader, s.alarm, s.notBefore = false, -1, time.Time{}, time.Time{}
	left := slices.Clone(s.taken)
	for i := range left {
		left[i].Unsure = s.sent[left[i].ID]
	}
	s.core = New(s.cfg, left, func() float64 { return 0.5 })
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
		case Bump:
			s.bump(a)
		case Settle:
			s.settle(a)
		case FindLeader:
			require.False(s.t, s.asking, "the leader is asked for once")
			s.asking = true
		case Wake:
			require.True(s.t, a.At.After(s.now), "a Wake in the past makes the actor spin")
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
	require.Less(s.t, len(s.taken), s.cfg.MaxInFlight, "no more is unsettled than brokers remember")
	if len(s.ready) == 0 {
		require.NotNil(s.t, s.open, "Take of an empty slot")
		require.False(s.t, s.now.Before(s.open.Opened.Add(s.cfg.Linger)), "taken before its linger is over")
		s.ready, s.open = append(s.ready, *s.open), nil
	}
	b := s.ready[0]
	s.ready = s.ready[1:]
	s.taken = append(s.taken, b)
	s.do(s.core.Taken(s.now, b, true))
	s.look()
}

// mine is what this incarnation has on the wire.
func (s *shell) mine() []*parcel {
	return slices.DeleteFunc(slices.Clone(s.wire), func(p *parcel) bool { return p.incarnation != s.incarnation })
}

func (s *shell) send(a Send) {
	at := slices.IndexFunc(s.taken, func(b Batch) bool { return b.ID == a.ID })
	require.GreaterOrEqual(s.t, at, 0, "sends what is not its own")
	mine := s.mine()
	require.Less(s.t, len(mine), s.cfg.MaxInFlight, "too many on the wire")
	for _, p := range mine {
		require.Less(s.t, p.id, a.ID, "overtakes, or sends twice")
	}
	require.Equal(s.t, s.leader, a.Node, "to the leader that was told last")
	require.False(s.t, s.now.Before(s.notBefore), "sent within the pause")
	if s.cfg.Idempotent && !s.stamps[a.ID].given {
		s.stamps[a.ID] = stamp{given: true, epoch: s.epoch, sequence: s.next}
		s.next++
	}
	s.sent[a.ID] = true
	s.wire = append(s.wire, &parcel{id: a.ID, stamp: s.stamps[a.ID], node: a.Node, incarnation: s.incarnation})
}

func (s *shell) bump(a Bump) {
	require.True(s.t, s.cfg.Idempotent)
	require.Empty(s.t, s.mine(), "a new epoch while something is on the wire")
	for _, id := range a.IDs {
		delete(s.stamps, id)
	}
	s.epoch++
	s.next = 0
}

func (s *shell) settle(a Settle) {
	require.NotEmpty(s.t, s.taken)
	require.Equal(s.t, s.taken[0].ID, a.ID, "settled in order")
	for _, p := range s.mine() {
		require.NotEqual(s.t, a.ID, p.id, "settled while it is on the wire")
	}
	opened := s.taken[0].Opened
	s.taken = s.taken[1:]
	s.settled = append(s.settled, a.ID)
	if a.Err == nil {
		require.Contains(s.t, s.log.log, a.ID, "acked, and not in the log")
		if a.Base >= 0 {
			require.Equal(s.t, a.ID, s.log.log[a.Base], "acked at another's offset")
		}
		return
	}
	require.Equal(s.t, int64(-1), a.Base)
	if wire.Retriable(a.Err) || s.failed[a.ID] == nil {
		s.giveUp(a, opened)
	}
}

// giveUp: a batch fails without a fatal answer only when its time is over or
// when nobody can tell what became of it.
func (s *shell) giveUp(a Settle, opened time.Time) {
	if outOfSequence(a.Err) {
		require.True(s.t, s.sent[a.ID])
		return
	}
	require.ErrorIs(s.t, a.Err, wire.ErrTimeout)
	require.GreaterOrEqual(s.t, s.now.Sub(opened), s.cfg.DeliveryTimeout, "given up before its time")
}

func (s *shell) backOff() { s.notBefore = s.now.Add(s.cfg.BackoffMin - s.cfg.BackoffMin/5) }

// advance goes to a time, with a Tick at every alarm on the way.
func (s *shell) advance(to time.Time) {
	for i := 0; !s.alarm.IsZero() && !s.alarm.After(to); i++ {
		require.Less(s.t, i, 1000, "it wakes for nothing")
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
	switch rapid.IntRange(0, 12).Draw(s.t, "event") {
	case 0, 1, 2:
		s.append(rapid.Bool().Draw(s.t, "seal"))
	case 3, 4:
		s.process(rapid.IntRange(0, 8).Draw(s.t, "outcome"))
	case 5, 6:
		s.answer()
	case 7:
		s.leaderAnswer(rapid.IntRange(0, 3).Draw(s.t, "found") > 0)
	case 8:
		s.lose(rapid.Bool().Draw(s.t, "the broker's actor ends"))
	case 9:
		if rapid.IntRange(0, 3).Draw(s.t, "crash") == 0 {
			s.start()
		} else {
			s.forget()
		}
	default:
		s.advance(s.now.Add(time.Duration(rapid.IntRange(0, 200).Draw(s.t, "ms")) * time.Millisecond))
	}
	s.check()
}

// forget is a broker that does not know the producer any more. What has
// sequence 0 it would take for new, which no client can prevent.
func (s *shell) forget() {
	if len(s.wire) > 0 {
		return
	}
	for _, b := range s.taken {
		if s.sent[b.ID] && s.stamps[b.ID].sequence == 0 {
			return
		}
	}
	s.log.known = false
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

// process lets the broker look at the next parcel.
func (s *shell) process(outcome int) {
	for _, p := range s.wire {
		if p.processed {
			continue
		}
		var refuse, fail error
		switch outcome {
		case 0:
			refuse = notLeader
		case 1:
			refuse = notEnough
		case 2:
			refuse = tooLarge
		case 3:
			fail = coded(wire.NotEnoughReplicasAfterAppend)
		case 4:
			fail = coded(wire.RequestTimedOut)
		}
		p.processed = true
		p.base, p.err = s.log.produce(p.stamp, p.id, refuse, fail)
		return
	}
}

// answer brings the first answer that is there.
func (s *shell) answer() {
	if len(s.wire) == 0 || !s.wire[0].processed {
		return
	}
	p := s.wire[0]
	s.wire = s.wire[1:]
	if p.incarnation != s.incarnation {
		return // to an actor that is gone
	}
	s.outcome(p, p.base, p.err)
}

func (s *shell) outcome(p *parcel, base int64, err error) {
	if err != nil {
		if !wire.Retriable(err) && !outOfSequence(err) {
			s.failed[p.id] = err
		}
		s.backOffUnlessFatal(err)
	}
	s.do(s.core.Answer(s.now, p.id, base, err, true))
}

func (s *shell) backOffUnlessFatal(err error) {
	if wire.Retriable(err) {
		s.backOff()
	}
}

// lose breaks the connection: the broker has had some of what was on the wire.
func (s *shell) lose(whole bool) {
	lost := s.wire
	for range rapid.IntRange(0, len(lost)).Draw(s.t, "arrived") {
		s.process(9)
	}
	s.wire = nil
	if whole && s.leader >= 0 {
		s.end(lost)
		return
	}
	for _, p := range lost {
		if p.incarnation == s.incarnation {
			s.outcome(p, -1, errLost)
		}
	}
}

// end is the end of the actor of the broker that has what is on the wire.
func (s *shell) end(lost []*parcel) {
	node := s.leader
	for _, p := range lost {
		if p.incarnation == s.incarnation {
			node = p.node
			s.backOff()
		}
	}
	s.do(s.core.BrokerDown(s.now, node, errLost))
}

func (s *shell) leaderAnswer(found bool) {
	if !s.asking {
		return
	}
	s.asking = false
	if found {
		s.leader = int32(rapid.IntRange(1, 3).Draw(s.t, "node"))
		if s.leader != s.core.failed {
			s.notBefore = time.Time{} // the pause was the old one's
		}
		s.do(s.core.Leader(s.now, s.leader))
		return
	}
	s.backOff()
	s.do(s.core.NoLeader(s.now, notLeader))
}

// check is what holds between two events: nothing waits for nothing, and the
// log is in order.
func (s *shell) check() {
	require.NoError(s.t, s.log.inOrder(!s.cfg.Idempotent))
	require.True(s.t, slices.IsSorted(s.log.log), "on one connection what is written again comes before what is new")
	work := len(s.taken) > 0 || len(s.ready) > 0 || s.open != nil
	if !work || len(s.mine()) > 0 {
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
// order, what is acked is in the log, the log is in order, without duplicates
// where brokers have idempotence, and nothing is left to wait for ever.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShell(t)
		for range rapid.IntRange(1, 100).Draw(t, "events") {
			s.event()
		}
		for range 400 {
			s.leaderAnswer(true)
			s.process(9)
			s.answer()
			s.advance(s.now.Add(10 * time.Millisecond))
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
