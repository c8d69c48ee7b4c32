package consuming

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/behaviors"
)

// shell plays the consumer actor, its broker and its subscriber around a core.
type shell struct {
	t     *rapid.T
	core  *Core
	now   time.Time
	alarm time.Time

	subscribed bool
	expect     int64          // the first offset of the next set; -1: not known yet
	moved      map[int64]bool // where the position went when it was out of range
	asking     bool
	resolving  bool
	resolve    uint64
	want       *Want
	numbers    map[uint64]bool
	leader     int32

	lastID  uint64
	sets    map[uint64]span // opened, not handed out and not dropped
	bytes   int
	handed  []span
	paused  bool
	refused bool
	replica int32 // the core may ask it; -1: none
}

type span struct {
	first, last  int64
	bytes, count int
}

func (s *shell) do(actions []Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case FindLeader:
			require.False(s.t, s.asking, "the leader is asked for once")
			s.asking = true
		case Resolve:
			require.True(s.t, s.subscribed && s.want == nil && !s.resolving)
			require.Equal(s.t, s.leader, a.Node)
			s.resolving, s.resolve = true, s.core.Number()
		case Want:
			s.wanted(a)
		case Unwant:
			require.NotNil(s.t, s.want)
			require.Equal(s.t, s.want.Node, a.Node)
			s.want = nil
		case Hand:
			s.hand(a.ID)
		case Drop:
			require.Contains(s.t, s.sets, a.ID)
			delete(s.sets, a.ID)
		case Failed:
			require.Error(s.t, a.Err)
		case Refused:
			require.Equal(s.t, ResetRefused, s.core.cfg.Reset)
			require.Empty(s.t, s.handed, "not before all of it is acked")
			require.False(s.t, s.refused, "told once")
			s.refused = true
		case Moved:
			s.moved[a.To] = true // behind the sets that are there
		case Wake:
			if s.alarm.IsZero() || a.At.Before(s.alarm) {
				s.alarm = a.At
			}
		}
	}
	s.bytes = 0
	for _, set := range s.sets {
		s.bytes += set.bytes
	}
	require.Equal(s.t, s.bytes, s.core.Buffered(), "bytes of the sets that wait")
}

func (s *shell) wanted(a Want) {
	require.True(s.t, s.subscribed && s.want == nil && !s.resolving, "one question at a time")
	require.False(s.t, s.numbers[a.Number], "a number is used once")
	require.Equal(s.t, s.core.Number(), a.Number)
	require.True(s.t, a.Node == s.leader || a.Node == s.replica, "a node that was named")
	require.Less(s.t, s.core.Buffered(), 100, "wants more at the prefetch limit")
	s.numbers[a.Number] = true
	s.want = &a
}

func (s *shell) hand(id uint64) {
	set, there := s.sets[id]
	require.True(s.t, there, "a set that was dropped or never there")
	out := set.count
	for _, other := range s.handed {
		out += other.count
	}
	require.True(s.t, len(s.handed) == 0 || out <= s.core.cfg.PrefetchCount, "too many are out")
	require.True(s.t, s.subscribed && !s.paused)
	if s.expect >= 0 {
		require.True(s.t, s.expect == set.first || s.moved[set.first], "in order, without a hole, of this position")
	}
	s.expect = set.last + 1
	delete(s.sets, id)
	s.handed = append(s.handed, set)
}

func (s *shell) forget() {
	s.handed, s.resolving, s.expect, s.refused = nil, false, -1, false
	s.moved = map[int64]bool{}
}

func (s *shell) event() {
	switch rapid.IntRange(0, 12).Draw(s.t, "event") {
	case 0:
		s.forget()
		s.subscribed = true
		begin := behaviors.Earliest
		if offset := rapid.Int64Range(-1, 50).Draw(s.t, "begin"); offset >= 0 {
			begin, s.expect = behaviors.At(offset), offset
		}
		s.do(s.core.Subscribe(s.now, begin))
	case 1:
		s.forget()
		s.subscribed, s.paused = false, false
		s.do(s.core.Unsubscribe())
	case 2:
		s.leaderAnswer(rapid.Bool().Draw(s.t, "found"))
	case 3:
		s.resolveAnswer(rapid.Bool().Draw(s.t, "ok"))
	case 4, 5, 6:
		s.fetched(rapid.IntRange(0, 7).Draw(s.t, "outcome"))
	case 7:
		s.stale()
	case 8, 9:
		s.ack()
	case 10:
		s.brokerDown(int32(rapid.IntRange(1, 2).Draw(s.t, "node")))
	case 11:
		s.pauseOrResume()
	default:
		s.advance(s.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(s.t, "ms")) * time.Millisecond))
	}
	s.check()
}

func (s *shell) leaderAnswer(found bool) {
	if !s.asking {
		return
	}
	s.asking = false
	if !found {
		s.do(s.core.NoLeader(s.now, notLeader))
		return
	}
	s.leader = int32(rapid.IntRange(1, 2).Draw(s.t, "node"))
	s.do(s.core.Leader(s.now, s.leader))
}

func (s *shell) resolveAnswer(ok bool) {
	if !s.resolving {
		return
	}
	s.resolving = false
	if !ok {
		s.do(s.core.Resolved(s.now, s.resolve, -1, notLeader))
		return
	}
	offset := rapid.Int64Range(0, 90).Draw(s.t, "offset")
	if s.expect < 0 {
		s.expect = offset
	}
	s.do(s.core.Resolved(s.now, s.resolve, offset, nil))
}

func (s *shell) fetched(outcome int) {
	if s.want == nil {
		return
	}
	w := *s.want
	s.want = nil
	switch outcome {
	case 0:
		s.do(s.core.Fetched(s.now, w.Number, refusal(notLeader)))
	case 1:
		s.do(s.core.Fetched(s.now, w.Number, refusal(plain)))
	case 2:
		s.do(s.core.Fetched(s.now, w.Number, refusal(outOfRange)))
	case 3:
		s.replica = int32(rapid.IntRange(1, 2).Draw(s.t, "replica"))
		a := got(w.Offset)
		a.Replica = s.replica
		s.do(s.core.Fetched(s.now, w.Number, a))
	case 4:
		a := got(0)
		a.Diverged, a.Epoch = max(w.Offset-rapid.Int64Range(0, 20).Draw(s.t, "cut"), 0), 1
		s.do(s.core.Fetched(s.now, w.Number, a))
	default:
		s.do(s.core.Fetched(s.now, w.Number, got(w.Offset+10, s.open(w.Offset)...)))
	}
}

func (s *shell) open(offset int64) []Set {
	var sets []Set
	for first, end := offset, offset+10; first < end; {
		n := min(rapid.Int64Range(1, 10).Draw(s.t, "records"), end-first)
		s.lastID++
		set := Set{ID: s.lastID, Count: int(n), Last: first + n - 1}
		if first += n; first == end {
			set.Bytes = 40
		}
		s.sets[s.lastID] = span{first: first - n, last: set.Last, bytes: set.Bytes, count: int(n)}
		sets = append(sets, set)
	}
	return sets
}

func (s *shell) pauseOrResume() {
	if s.paused = !s.paused; s.paused {
		s.core.Pause()
		return
	}
	s.do(s.core.Resume(s.now))
}

// stale is an answer to a want that was taken back, and to a look-up of before.
func (s *shell) stale() {
	if number := s.core.Number() - uint64(rapid.IntRange(0, 3).Draw(s.t, "old")); s.want == nil || number != s.want.Number {
		s.do(s.core.Fetched(s.now, number, got(1010, s.open(1000)...)))
	}
	if !s.resolving {
		s.do(s.core.Resolved(s.now, s.core.Number(), 1000, nil))
	}
}

func (s *shell) ack() {
	if len(s.handed) == 0 {
		s.do(s.core.Ack(s.now, 10_000))
		return
	}
	s.do(s.core.Ack(s.now, s.handed[0].last-1))
	n := rapid.IntRange(1, len(s.handed)).Draw(s.t, "acked")
	last := s.handed[n-1].last
	s.handed = s.handed[n:]
	s.do(s.core.Ack(s.now, last))
}

func (s *shell) brokerDown(node int32) {
	if s.want != nil && s.want.Node == node {
		s.want = nil
	}
	if s.leader == node {
		s.resolving = false
	}
	s.do(s.core.BrokerDown(s.now, node, notLeader))
}

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

// check is what holds between two events: a subscriber that waits has a set, or
// something is under way.
func (s *shell) check() {
	if !s.subscribed {
		require.Nil(s.t, s.want)
		require.Empty(s.t, s.sets, "nothing is kept for nobody")
		return
	}
	if len(s.handed) == 0 && !s.paused && !s.refused {
		require.Empty(s.t, s.sets, "a set that is there is handed out")
		require.True(s.t, s.want != nil || s.resolving || s.asking || !s.alarm.IsZero(), "nothing will ever come")
	}
}

// Whatever happens, one set is out at most, sets come in order and without a
// hole, nothing of an earlier position is handed out, and reading goes on.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &shell{t: t, now: epoch, expect: -1, leader: -1, replica: -1, numbers: map[uint64]bool{}, moved: map[int64]bool{}, sets: map[uint64]span{}, core: newCore()}
		s.core.cfg.Reset = rapid.SampledFrom([]Reset{ResetEarliest, ResetLatest, ResetNearest, ResetSince, ResetRefused}).Draw(t, "reset")
		s.core.cfg.PrefetchCount = rapid.IntRange(0, 25).Draw(t, "count")
		s.core.cfg.ReplicaTime = 100 * time.Millisecond
		for range rapid.IntRange(1, 100).Draw(t, "events") {
			s.event()
		}
		s.forget()
		s.subscribed, s.paused = true, false
		s.do(s.core.Resume(s.now))
		s.forget()
		s.do(s.core.Subscribe(s.now, behaviors.Earliest))
		for range 200 {
			s.leaderAnswer(true)
			s.resolveAnswer(true)
			s.fetched(7)
			s.ack()
			s.advance(s.now.Add(time.Second))
			s.check()
		}
		require.Greater(t, s.expect, int64(90), "it reads on in the end")
	})
}
