package producing

import (
	"errors"
	"slices"
	"strings"
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

	store
	open *load

	refused map[uint64]error // batches with an answer that does not pass

	incarnation int
	asking      bool
	leader      int32
	wire        []*parcel
	log         partition
	alarm       time.Time
	notBefore   time.Time // no Send before
	alone       bool      // the last answer was one that others had to wait for
	// direct are batches that the slot settled when the ack came, before the core
	// knew of it; late are acks that come behind the end of their broker's actor.
	direct map[uint64]*load
	late   []*parcel
}

func newShell(t *rapid.T) *shell {
	s := &shell{
		t: t, now: epoch, leader: -1, store: store{ended: map[uint64]outcome{}, sentOnce: map[uint64]bool{}}, refused: map[uint64]error{},
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
	s.cfg.Safe = rapid.Bool().Draw(t, "safe")
	s.cfg.MaxRetries = rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "retries")
	s.start()
	return s
}

// start is a new incarnation: what was sent is unsure.
func (s *shell) start() {
	s.incarnation++
	s.direct, s.late = map[uint64]*load{}, nil
	s.asking, s.leader, s.alarm, s.notBefore, s.alone = false, -1, time.Time{}, time.Time{}, false
	s.core = New(s.cfg, s.left(), func() float64 { return 0.5 })
	s.do(s.core.Start(s.now))
	s.look()
}

func (s *shell) look() {
	opened := time.Time{}
	if s.open != nil {
		opened = s.open.opened
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
		case Part:
			s.part(a)
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
		require.False(s.t, s.now.Before(s.open.opened.Add(s.cfg.Linger)), "taken before its linger is over")
		s.ready, s.open = append(s.ready, s.open), nil
	}
	s.do(s.core.Taken(s.now, s.store.take().batch(), true))
	s.look()
}

// part cuts a batch: never one that is on the wire, and never without need.
func (s *shell) part(a Part) {
	was := s.find(a.ID)
	require.Greater(s.t, len(was.records), 1, "one record cannot be cut")
	for _, p := range s.mine() {
		require.NotEqual(s.t, a.ID, p.id, "cut while it is on the wire")
	}
	s.do(s.core.Parted(s.now, a.ID, s.store.part(a)))
}

// mine is what this incarnation has on the wire.
func (s *shell) mine() []*parcel {
	return slices.DeleteFunc(slices.Clone(s.wire), func(p *parcel) bool { return p.incarnation != s.incarnation })
}

func (s *shell) send(a Send) {
	mine := s.mine()
	if l := s.direct[a.ID]; l != nil { // there is nothing to send any more, and that is told
		s.wire = append(s.wire, &parcel{id: a.ID, records: l.records, node: a.Node, incarnation: s.incarnation, processed: true, base: -1})
		return
	}
	require.Less(s.t, len(mine), s.cfg.MaxInFlight, "too many on the wire")
	require.Equal(s.t, s.leader, a.Node, "to the leader that was told last")
	require.Equal(s.t, s.alone, a.Alone, "alone until an ack")
	require.False(s.t, s.now.Before(s.notBefore), "sent within the pause")
	require.False(s.t, s.cfg.Safe && s.find(a.ID).sent && s.find(a.ID).unsure, "sent again though it may have been written")
	l := s.store.send(a.ID, s.cfg.Idempotent)
	for _, p := range mine {
		require.Less(s.t, p.records[0], l.records[0], "overtakes, or sends twice")
		require.False(s.t, s.alone, "something of an ill partition is on the wire already")
	}
	s.wire = append(s.wire, &parcel{id: a.ID, records: l.records, stamp: l.stamp, node: a.Node, incarnation: s.incarnation})
}

func (s *shell) bump(a Bump) {
	require.True(s.t, s.cfg.Idempotent)
	require.Empty(s.t, s.mine(), "a new epoch while something is on the wire")
	ids := slices.DeleteFunc(a.IDs, func(id uint64) bool { return s.direct[id] != nil })
	for _, id := range ids {
		require.False(s.t, s.find(id).unsure, "numbered anew though it may have been written")
	}
	s.store.bump(ids)
}

func (s *shell) settle(a Settle) {
	for _, p := range s.mine() {
		require.NotEqual(s.t, a.ID, p.id, "settled while it is on the wire")
	}
	if s.direct[a.ID] != nil {
		delete(s.direct, a.ID)
		return
	}
	l := s.store.settle(a, &s.log)
	require.NoError(s.t, s.broken())
	if a.Err == nil {
		return
	}
	require.Equal(s.t, int64(-1), a.Base)
	if l.unsure {
		require.ErrorIs(s.t, a.Err, wire.ErrUnsure)
	}
	if fatal := s.refused[a.ID]; fatal != nil {
		require.ErrorIs(s.t, a.Err, fatal)
		return
	}
	s.giveUp(a, l)
}

// giveUp: a batch fails without a fatal answer only when its time is over, when
// nobody can tell what became of it, or when it may not be tried again.
func (s *shell) giveUp(a Settle, l *load) {
	switch {
	case outOfSequence(a.Err), s.cfg.Safe && l.unsure:
		require.True(s.t, l.sent)
	case errors.Is(a.Err, wire.ErrTooLarge), code(a.Err) == wire.InvalidRecord:
		require.True(s.t, len(l.records) == 1 || l.unsure, "the innocent fail")
	case s.cfg.MaxRetries > 0 && strings.Contains(a.Err.Error(), "given up"):
	default:
		require.ErrorIs(s.t, a.Err, wire.ErrTimeout)
		require.GreaterOrEqual(s.t, s.now.Sub(l.opened), s.cfg.DeliveryTimeout, "given up before its time")
	}
}

func outOfSequence(err error) bool { return reactionTo(err).reaction == renumber }

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
	switch rapid.IntRange(0, 14).Draw(s.t, "event") {
	case 14:
		s.hearLate()
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
	case 10:
		s.log.limit = rapid.SampledFrom([]int{0, 1, 2, 4, 5}).Draw(s.t, "limit")
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
	for _, l := range s.taken {
		if l.sent && l.stamp.sequence == 0 {
			return
		}
	}
	s.log.known = false
}

func (s *shell) append(seal bool) {
	if s.open == nil {
		s.open = s.load(s.now, rapid.IntRange(1, 6).Draw(s.t, "records"))
	}
	if seal {
		s.ready, s.open = append(s.ready, s.open), nil
	}
	s.look()
}

// process lets the broker look at the next parcel.
func (s *shell) process(outcome int) {
	for _, p := range s.wire {
		if p.processed {
			continue
		}
		var refuse, failure error
		switch outcome {
		case 0:
			refuse = notLeader
		case 1:
			refuse = notEnough
		case 2:
			refuse = badAcks
		case 3:
			failure = coded(wire.NotEnoughReplicasAfterAppend)
		case 4:
			failure = coded(wire.RequestTimedOut)
		}
		p.processed = true
		p.base, p.err = s.log.produce(p.stamp, p.records, refuse, failure)
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
	if it := s.core.find(p.id); it != nil && it.acked {
		s.alone = false // whatever the answer is
	} else {
		s.learn(p, err)
	}
	s.do(s.core.Answer(s.now, p.id, base, err, true))
}

// learn is what an answer means for what the core may do.
func (s *shell) learn(p *parcel, err error) {
	s.alone = s.alone && err != nil
	if err == nil {
		return
	}
	if s.direct[p.id] != nil {
		s.backOff()
		return
	}
	l, what := s.find(p.id), reactionTo(err)
	switch what.reaction {
	case fail:
		s.refused[p.id] = err
	case resend, alone, newLeader:
		l.unsure = l.unsure || what.written != no
		s.alone = s.alone || what.reaction == alone
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
			if it := s.core.find(p.id); it != nil && it.acked {
				s.backOff()
				continue
			}
			s.learn(p, errLost)
			s.ackLate(p)
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

// ackLate lets the connection of an actor that ended still bring an ack: if it is
// the first's, the slot is settled at once, and the core hears of it later.
func (s *shell) ackLate(p *parcel) {
	if !p.processed || p.err != nil || s.direct[p.id] != nil || !rapid.Bool().Draw(s.t, "acked behind its end") {
		return
	}
	s.late = append(s.late, p)
	if s.taken[0].id == p.id {
		s.direct[p.id] = s.store.settle(Settle{ID: p.id, Base: p.base}, &s.log)
		require.NoError(s.t, s.broken())
	}
}

// hearLate brings the first ack of those.
func (s *shell) hearLate() {
	if len(s.late) > 0 {
		p := s.late[0]
		s.late = s.late[1:]
		if it := s.core.find(p.id); it != nil && it.phase == waiting {
			s.alone = false
		}
		s.do(s.core.LateAck(s.now, p.id, p.base))
	}
}

// check is what holds between two events: nothing waits for nothing, and the
// log is in order.
func (s *shell) check() {
	require.NoError(s.t, s.broken())
	require.NoError(s.t, s.log.inOrder(!s.cfg.Idempotent && !s.cfg.Safe, never))
	work := len(s.taken) > 0 || len(s.ready) > 0 || s.open != nil
	if !work || len(s.mine()) > 0 {
		return
	}
	require.False(s.t, len(s.taken)+len(s.direct) == 0 && len(s.ready) > 0, "a ready batch that nobody takes")
	require.True(s.t, s.asking || !s.alarm.IsZero(), "work, and nothing that will wake the core")
	if len(s.taken) > 0 {
		end := s.taken[0].opened.Add(s.cfg.DeliveryTimeout)
		require.True(s.t, !s.alarm.IsZero() && !s.alarm.After(end), "nobody looks when the delivery timeout is over")
	}
}

// Whatever happens, every record that was accepted has exactly one outcome, what
// is acked is in the log, the log is in order, without duplicates where brokers
// have idempotence or the policy is safe, and nothing is left to wait for ever.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShell(t)
		for range rapid.IntRange(1, 100).Draw(t, "events") {
			s.event()
		}
		s.log.limit = 0
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
		require.NoError(t, s.complete(&s.log))
	})
}
