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

	lastID uint64
	sets   map[uint64]span // opened, not handed out and not dropped
	bytes  int
	handed *span
}

type span struct {
	first, last int64
	bytes       int
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
	require.Equal(s.t, s.leader, a.Node)
	require.Less(s.t, s.core.Buffered(), 100, "wants more at the prefetch limit")
	s.numbers[a.Number] = true
	s.want = &a
}

func (s *shell) hand(id uint64) {
	set, there := s.sets[id]
	require.True(s.t, there, "a set that was dropped or never there")
	require.Nil(s.t, s.handed, "a second set is out")
	require.True(s.t, s.subscribed)
	if s.expect >= 0 {
		require.True(s.t, s.expect == set.first || s.moved[set.first], "in order, without a hole, of this position")
	}
	s.expect = set.last + 1
	delete(s.sets, id)
	s.handed = &set
}

func (s *shell) forget() {
	s.handed, s.resolving, s.expect = nil, false, -1
	s.moved = map[int64]bool{}
}

func (s *shell) event() {
	switch rapid.IntRange(0, 11).Draw(s.t, "event") {
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
		s.subscribed = false
		s.do(s.core.Unsubscribe())
	case 2:
		s.leaderAnswer(rapid.Bool().Draw(s.t, "found"))
	case 3:
		s.resolveAnswer(rapid.Bool().Draw(s.t, "ok"))
	case 4, 5, 6:
		s.fetched(rapid.IntRange(0, 5).Draw(s.t, "outcome"))
	case 7:
		s.stale()
	case 8, 9:
		s.ack()
	case 10:
		s.brokerDown(int32(rapid.IntRange(1, 2).Draw(s.t, "node")))
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
		s.do(s.core.Fetched(s.now, w.Number, Set{}, 0, notLeader))
	case 1:
		s.do(s.core.Fetched(s.now, w.Number, Set{}, 0, plain))
	case 2:
		s.do(s.core.Fetched(s.now, w.Number, Set{}, 0, outOfRange))
	default:
		s.do(s.core.Fetched(s.now, w.Number, s.open(w.Offset), w.Offset+10, nil))
	}
}

func (s *shell) open(offset int64) Set {
	s.lastID++
	s.sets[s.lastID] = span{first: offset, last: offset + 9, bytes: 40}
	return Set{ID: s.lastID, Bytes: 40, Last: offset + 9}
}

// stale is an answer to a want that was taken back, and to a look-up of before.
func (s *shell) stale() {
	if number := s.core.Number() - uint64(rapid.IntRange(0, 3).Draw(s.t, "old")); s.want == nil || number != s.want.Number {
		s.do(s.core.Fetched(s.now, number, s.open(1000), 1010, nil))
	}
	if !s.resolving {
		s.do(s.core.Resolved(s.now, s.core.Number(), 1000, nil))
	}
}

func (s *shell) ack() {
	if s.handed == nil {
		s.do(s.core.Ack(s.now, 10_000))
		return
	}
	last := s.handed.last
	s.do(s.core.Ack(s.now, last-1))
	require.NotNil(s.t, s.handed)
	s.handed = nil
	s.do(s.core.Ack(s.now, last))
}

func (s *shell) brokerDown(node int32) {
	if s.leader == node {
		s.want, s.resolving = nil, false
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
	if s.handed == nil {
		require.Empty(s.t, s.sets, "a set that is there is handed out")
		require.True(s.t, s.want != nil || s.resolving || s.asking || !s.alarm.IsZero(), "nothing will ever come")
	}
}

// Whatever happens, one set is out at most, sets come in order and without a
// hole, nothing of an earlier position is handed out, and reading goes on.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &shell{t: t, now: epoch, expect: -1, leader: -1, numbers: map[uint64]bool{}, moved: map[int64]bool{}, sets: map[uint64]span{}, core: newCore()}
		for range rapid.IntRange(1, 100).Draw(t, "events") {
			s.event()
		}
		s.forget()
		s.subscribed = true
		s.do(s.core.Subscribe(s.now, behaviors.Earliest))
		for range 20 {
			s.leaderAnswer(true)
			s.resolveAnswer(true)
			s.fetched(5)
			s.ack()
			s.advance(s.now.Add(time.Second))
			s.check()
		}
		require.Greater(t, s.expect, int64(90), "it reads on in the end")
	})
}
