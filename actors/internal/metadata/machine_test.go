package metadata

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/wire"
)

// shell plays the client actor around a core, and checks every action.
type shell struct {
	t       *rapid.T
	core    *Core
	now     time.Time
	alarm   time.Time
	wanted  []Broker // the brokers that have an actor
	up      map[int32]bool
	asked   map[int]Ask
	waiting map[int]time.Time // since when
	refs    int
	// resolving: the core waits for bootstrap addresses
	resolving bool
}

func newMachine(t *rapid.T) *shell {
	s := &shell{t: t, now: epoch, up: map[int32]bool{}, asked: map[int]Ask{}, waiting: map[int]time.Time{}}
	cfg := testConfig()
	if cfg.Resolves = rapid.Bool().Draw(t, "resolves"); cfg.Resolves && rapid.Bool().Draw(t, "no fixed address") {
		cfg.Seeds = nil
	}
	s.core = New(cfg, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
	s.do(s.core.Start(s.now))
	return s
}

func (s *shell) do(actions []Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case Ask:
			require.True(s.t, s.up[a.Broker], "asks %d, which is not up", a.Broker)
			for _, other := range s.asked {
				require.NotEqual(s.t, other.Broker, a.Broker, "one request at a time to one broker")
			}
			require.True(s.t, slices.IsSorted(a.Topics))
			s.asked[a.Number] = a
			require.LessOrEqual(s.t, len(s.asked), 2, "single flight, and one hedge")
		case SetBrokers:
			s.wanted = a.Brokers
			s.settle()
			require.True(s.t, len(a.Brokers) > 0 || s.core.cfg.Resolves, "nobody left to ask")
		case Resolve:
			require.True(s.t, s.core.cfg.Resolves)
			require.False(s.t, s.resolving, "one at a time")
			require.True(s.t, s.core.seeding, "brokers are known")
			s.resolving = true
		case Unresolved:
			require.ErrorIs(s.t, a.Err, errNoRegistry)
			require.Positive(s.t, a.Retry)
		case Tell:
			_, waits := s.waiting[a.Ref.(int)]
			require.True(s.t, waits, "told twice")
			delete(s.waiting, a.Ref.(int))
		case Wake:
			if s.alarm.IsZero() || a.At.Before(s.alarm) {
				s.alarm = a.At
			}
		case Publish:
			require.Same(s.t, s.core.Cluster(), a.Cluster)
		case Report:
			require.Error(s.t, a.Err)
			require.Positive(s.t, a.Retry)
		}
	}
}

// settle ends the actors of brokers that are not wanted any more.
func (s *shell) settle() {
	for _, id := range sorted(s.up) {
		if !slices.ContainsFunc(s.wanted, func(b Broker) bool { return b.ID == id }) {
			s.brokerDown(id)
		}
	}
}

func sorted(set map[int32]bool) []int32 {
	var ids []int32
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (s *shell) brokerDown(id int32) {
	delete(s.up, id)
	for number, a := range s.asked {
		if a.Broker == id {
			delete(s.asked, number)
		}
	}
	s.do(s.core.BrokerDown(s.now, id, down))
}

func (s *shell) advance(to time.Time) {
	for i := 0; !s.alarm.IsZero() && !s.alarm.After(to); i++ {
		require.Less(s.t, i, 10_000, "it wakes for nothing")
		if s.alarm.After(s.now) {
			s.now = s.alarm
		}
		s.alarm = time.Time{}
		s.do(s.core.Tick(s.now))
	}
	s.now = to
}

func (s *shell) event() {
	switch rapid.IntRange(0, 9).Draw(s.t, "event") {
	case 0, 1:
		if len(s.wanted) == 0 {
			break
		}
		b := s.wanted[rapid.IntRange(0, len(s.wanted)-1).Draw(s.t, "which")]
		if !s.up[b.ID] {
			s.up[b.ID] = true
			s.do(s.core.BrokerUp(s.now, b.ID))
		}
	case 2:
		if ids := sorted(s.up); len(ids) > 0 {
			s.brokerDown(rapid.SampledFrom(ids).Draw(s.t, "ends"))
		}
	case 3, 4, 5:
		s.need()
	case 6:
		s.resolved()
	case 7, 8:
		s.answer(rapid.IntRange(0, 3).Draw(s.t, "outcome"))
	default:
		s.advance(s.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(s.t, "ms")) * time.Millisecond))
	}
	s.check()
}

func (s *shell) need() {
	s.refs++
	s.waiting[s.refs] = s.now
	topic := rapid.SampledFrom([]string{"a", "b"}).Draw(s.t, "topic")
	s.do(s.core.Need(s.now, s.refs, topic, int32(rapid.IntRange(-1, 2).Draw(s.t, "partition")), rapid.Bool().Draw(s.t, "stale")))
}

func (s *shell) answer(outcome int) {
	var numbers []int
	for n := range s.asked {
		numbers = append(numbers, n)
	}
	if len(numbers) == 0 {
		return
	}
	slices.Sort(numbers)
	n := rapid.SampledFrom(numbers).Draw(s.t, "which")
	ask := s.asked[n]
	delete(s.asked, n)
	if outcome == 0 {
		s.do(s.core.Answer(s.now, n, nil, down))
		return
	}
	clear(s.asked)
	s.do(s.core.Answer(s.now, n, s.response(ask.Topics, outcome), nil))
}

func (s *shell) response(topics []string, outcome int) *kmsg.MetadataResponse {
	told := map[string][]int32{}
	for _, name := range topics {
		leaders := []int32{1, 2}
		if outcome == 2 {
			leaders = []int32{-1, 3}
		}
		told[name] = leaders
	}
	if outcome == 3 && len(topics) > 0 {
		return refused(topics[0], rapid.SampledFrom([]wire.Code{wire.UnknownTopicOrPartition, wire.LeaderNotAvailable}).Draw(s.t, "code"))
	}
	return view(told)
}

func (s *shell) check() {
	for ref, since := range s.waiting {
		require.LessOrEqual(s.t, s.now.Sub(since), testConfig().Timeout, "waiter %d waits too long", ref)
		require.False(s.t, s.alarm.IsZero(), "somebody waits, and nothing wakes the core")
		require.False(s.t, s.alarm.After(since.Add(testConfig().Timeout)), "nobody looks when its time is over")
	}
	require.True(s.t, len(s.wanted) > 0 || s.resolving || s.core.cfg.Resolves && !s.alarm.IsZero(), "nobody to ask, and nothing brings one")
}

// Whatever happens, whoever waits is told once and in time, requests fly one by
// one, and when a broker answers again everybody gets what they want.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMachine(t)
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			s.event()
		}
		s.recover()
		s.refs++
		s.waiting[s.refs] = s.now
		s.do(s.core.Need(s.now, s.refs, "fresh", 0, false))
		s.recover()
		require.Empty(t, s.waiting, fmt.Sprintf("cluster %v", s.core.Cluster()))
		leader, ok := s.core.Cluster().Leader("fresh", 0)
		require.True(t, ok && leader.Leader == 1)
	})
}

// recover lets every broker come up and answer well for a while.
func (s *shell) recover() {
	for range 30 {
		for _, b := range s.wanted {
			if !s.up[b.ID] {
				s.up[b.ID] = true
				s.do(s.core.BrokerUp(s.now, b.ID))
			}
		}
		if s.resolving {
			s.resolving = false
			s.do(s.core.Resolved(s.now, []Broker{host("a")}, nil))
		}
		s.answer(1)
		s.advance(s.now.Add(500 * time.Millisecond))
		s.check()
	}
}
