package metadata

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire"
)

var (
	epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	down  = errors.New("connection refused")
	seeds = []Broker{{ID: -1, Host: "a", Port: 9092}, {ID: -2, Host: "b", Port: 9092}}
	nodes = []Broker{{ID: 1, Host: "a", Port: 9092}, {ID: 2, Host: "b", Port: 9092}, {ID: 3, Host: "c", Port: 9092}}
)

func at(d time.Duration) time.Time { return epoch.Add(d) }

func testConfig() Config {
	return Config{
		Seeds: seeds, Refresh: 5 * time.Minute, Hedge: 500 * time.Millisecond, Timeout: 10 * time.Second,
		BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second,
	}
}

func first(int) int { return 0 }

// view is an answer that names the nodes, and topics as leaders of their
// partitions.
func view(topics map[string][]int32) *kmsg.MetadataResponse {
	resp := kmsg.NewPtrMetadataResponse()
	for _, n := range nodes {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = n.ID, n.Host, n.Port
		resp.Brokers = append(resp.Brokers, b)
	}
	for name, leaders := range topics {
		t := kmsg.NewMetadataResponseTopic()
		t.Topic = kmsg.StringPtr(name)
		for i, leader := range leaders {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Partition, p.Leader, p.LeaderEpoch = int32(i), leader, -1
			if leader < 0 {
				p.ErrorCode = int16(wire.LeaderNotAvailable)
			}
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

// refused is an answer with an error for a topic.
func refused(topic string, code wire.Code) *kmsg.MetadataResponse {
	resp := view(nil)
	t := kmsg.NewMetadataResponseTopic()
	t.Topic, t.ErrorCode = kmsg.StringPtr(topic), int16(code)
	resp.Topics = append(resp.Topics, t)
	return resp
}

func only[A Action](t *testing.T, actions []Action) A {
	t.Helper()
	found := all[A](actions)
	var none A
	require.Len(t, found, 1, "one %T in %#v", none, actions)
	return found[0]
}

func all[A Action](actions []Action) []A {
	var found []A
	for _, a := range actions {
		if a, ok := a.(A); ok {
			found = append(found, a)
		}
	}
	return found
}

// known is a core that knows the nodes and topics, with all nodes up.
func known(t *testing.T, topics map[string][]int32) *Core {
	t.Helper()
	c := New(testConfig(), first)
	c.Resume((&Cluster{Topics: map[string]*Topic{}}).merge(view(topics)))
	c.Start(epoch)
	ask := only[Ask](t, c.BrokerUp(epoch, 1))
	c.BrokerUp(epoch, 2)
	c.BrokerUp(epoch, 3)
	c.Answer(epoch, ask.Number, view(topics), nil)
	return c
}

func TestStartAsksASeed(t *testing.T) {
	c := New(testConfig(), first)
	out := c.Start(epoch)
	require.Equal(t, seeds, only[SetBrokers](t, out).Brokers)
	require.NotNil(t, only[Publish](t, out).Cluster)
	require.Empty(t, all[Ask](out), "nobody to ask yet")
	ask := only[Ask](t, c.BrokerUp(epoch, -2))
	require.Equal(t, int32(-2), ask.Broker)
	require.Empty(t, ask.Topics)
	require.Empty(t, all[Ask](c.BrokerUp(epoch, -1)), "one request at a time")

	out = c.Answer(at(time.Millisecond), ask.Number, view(nil), nil)
	require.Equal(t, nodes, only[SetBrokers](t, out).Brokers, "the seeds end when brokers are known")
	require.Equal(t, nodes, c.Cluster().Brokers)
	require.Nil(t, c.Answer(at(time.Second), ask.Number, view(nil), nil), "a second answer to one request")
}

func TestHedgeAfterHalfASecond(t *testing.T) {
	c := New(testConfig(), first)
	c.Start(epoch)
	out := c.BrokerUp(epoch, -1)
	first := only[Ask](t, out)
	require.Contains(t, out, Action(Wake{at(500 * time.Millisecond)}))
	c.BrokerUp(epoch, -2)
	require.Empty(t, all[Ask](c.Tick(at(500*time.Millisecond-1))))
	second := only[Ask](t, c.Tick(at(500*time.Millisecond)))
	require.Equal(t, []int32{-1, -2}, []int32{first.Broker, second.Broker})
	require.Empty(t, all[Ask](c.Tick(at(2*time.Second))), "one hedge, no more")

	require.NotEmpty(t, c.Answer(at(time.Second), second.Number, view(nil), nil))
	require.Nil(t, c.Answer(at(time.Second), first.Number, view(nil), nil), "the hedge was faster")
}

func TestAFailedHedgeDoesNotEndTheRound(t *testing.T) {
	c := New(testConfig(), first)
	c.Start(epoch)
	asked := only[Ask](t, c.BrokerUp(epoch, -1))
	c.BrokerUp(epoch, -2)
	hedge := only[Ask](t, c.Tick(at(500*time.Millisecond)))
	out := c.Answer(at(time.Second), hedge.Number, nil, down)
	require.Empty(t, all[Ask](out))
	require.Empty(t, all[Report](out))
	require.NotEmpty(t, all[Publish](c.Answer(at(2*time.Second), asked.Number, view(nil), nil)))
}

// Every broker is tried once, then the round is over and told, and the next one
// waits: 50, 100, 200 ms, up to a second.
func TestRoundsBackOff(t *testing.T) {
	c := New(testConfig(), first)
	c.Start(epoch)
	out := c.BrokerUp(epoch, -1)
	c.BrokerUp(epoch, -2)
	now := epoch
	for _, pause := range []time.Duration{50, 100, 200, 400, 800, 1000, 1000} {
		a := only[Ask](t, out)
		out = c.Answer(now, a.Number, nil, down)
		b := only[Ask](t, out)
		require.NotEqual(t, a.Broker, b.Broker)
		require.Empty(t, all[Report](out))
		out = c.Answer(now, b.Number, nil, down)
		require.Empty(t, all[Ask](out))
		require.Equal(t, Report{Err: down, Retry: pause * time.Millisecond}, only[Report](t, out))
		now = now.Add(pause * time.Millisecond)
		require.Contains(t, out, Action(Wake{now}))
		require.Empty(t, all[Ask](c.Tick(now.Add(-1))))
		out = c.Tick(now)
	}
}

func TestSeedsComeBackAndGo(t *testing.T) {
	c := known(t, nil)
	out := c.Tick(at(5 * time.Minute))
	for range nodes {
		ask := only[Ask](t, out)
		require.GreaterOrEqual(t, ask.Broker, int32(0), "known brokers before bootstrap addresses")
		out = c.Answer(at(5*time.Minute), ask.Number, nil, down)
	}
	require.Empty(t, all[Ask](out))
	require.ElementsMatch(t, append(append([]Broker{}, nodes...), seeds...), only[SetBrokers](t, out).Brokers)

	now := at(5*time.Minute + 50*time.Millisecond)
	c.BrokerUp(at(5*time.Minute), -1)
	out = c.Tick(now)
	for range nodes {
		out = c.Answer(now, only[Ask](t, out).Number, nil, down)
	}
	ask := only[Ask](t, out)
	require.Equal(t, int32(-1), ask.Broker, "a bootstrap address when no known broker answers")
	require.Equal(t, nodes, only[SetBrokers](t, c.Answer(now, ask.Number, view(nil), nil)).Brokers)
}

func TestBrokerDownFailsWhatItWasAsked(t *testing.T) {
	c := New(testConfig(), first)
	c.Start(epoch)
	c.BrokerUp(epoch, -1)
	c.BrokerUp(epoch, -2)
	require.Equal(t, int32(-2), only[Ask](t, c.BrokerDown(epoch, -1, down)).Broker)
	require.Equal(t, Report{Err: down, Retry: 50 * time.Millisecond}, only[Report](t, c.BrokerDown(epoch, -2, down)))
	require.Empty(t, all[Ask](c.Tick(at(time.Minute))), "nobody is up")
	require.Equal(t, int32(-2), only[Ask](t, c.BrokerUp(at(time.Minute), -2)).Broker)
}

func TestAnAnswerWithoutBrokersIsNone(t *testing.T) {
	c := New(testConfig(), first)
	c.Start(epoch)
	ask := only[Ask](t, c.BrokerUp(epoch, -1))
	empty := kmsg.NewPtrMetadataResponse()
	require.ErrorIs(t, only[Report](t, c.Answer(epoch, ask.Number, empty, nil)).Err, wire.ErrNotLeader)
	require.Empty(t, c.Cluster().Brokers)
}

func TestWhatIsKnownIsToldAtOnce(t *testing.T) {
	c := known(t, map[string][]int32{"t": {1, 2}})
	require.Equal(t, []Action{Tell{Ref: "x"}}, c.Need(at(1), "x", "t", 1, false))
	require.Equal(t, []Action{Tell{Ref: "y"}}, c.Need(at(1), "y", "t", -1, false))
}

// A stale view is asked about anew; only the answer to a later request counts.
func TestStaleNeedsANewerAnswer(t *testing.T) {
	c := known(t, map[string][]int32{"t": {1}})
	now := at(time.Minute)
	ask := only[Ask](t, c.Need(now, "x", "t", 0, true))
	require.Equal(t, []string{"t"}, ask.Topics)
	require.Empty(t, all[Ask](c.Need(now, "y", "t", 0, true)), "single flight")
	out := c.Answer(now, ask.Number, view(map[string][]int32{"t": {2}}), nil)
	require.Equal(t, []Tell{{Ref: "x"}}, all[Tell](out), "y came when that request was under way")
	leader, ok := c.Cluster().Leader("t", 0)
	require.True(t, ok)
	require.Equal(t, int32(2), leader.Leader)

	ask = only[Ask](t, c.Tick(at(time.Minute+50*time.Millisecond)))
	require.Equal(t, []Tell{{Ref: "y"}}, all[Tell](c.Answer(now, ask.Number, view(map[string][]int32{"t": {2}}), nil)))
}

func TestALeaderThatIsElectedIsWaitedFor(t *testing.T) {
	c := known(t, map[string][]int32{"t": {1}})
	now := at(time.Minute)
	out := c.Need(now, "x", "t", 0, true)
	for range 4 {
		ask := only[Ask](t, out)
		out = c.Answer(now, ask.Number, view(map[string][]int32{"t": {-1}}), nil)
		require.Empty(t, all[Tell](out))
		require.Empty(t, all[Ask](out), "with a pause")
		now = earliest(out)
		out = c.Tick(now)
	}
	out = c.Answer(now, only[Ask](t, out).Number, view(map[string][]int32{"t": {3}}), nil)
	require.Equal(t, []Tell{{Ref: "x"}}, all[Tell](out))
}

func earliest(actions []Action) time.Time {
	var at time.Time
	for _, w := range all[Wake](actions) {
		if at.IsZero() || w.At.Before(at) {
			at = w.At
		}
	}
	return at
}

func TestWaitersAreToldWithinTheTimeout(t *testing.T) {
	c := New(testConfig(), first)
	c.Start(epoch)
	require.Contains(t, c.Need(epoch, "x", "t", 0, false), Action(Wake{at(10 * time.Second)}))
	c.Need(at(time.Second), "y", "t", -1, true)
	require.Empty(t, all[Tell](c.Tick(at(10*time.Second-1))))
	out := c.Tick(at(10 * time.Second))
	tell := only[Tell](t, out)
	require.Equal(t, "x", tell.Ref)
	require.ErrorIs(t, tell.Err, wire.ErrTimeout)
	require.Contains(t, out, Action(Wake{at(11 * time.Second)}))
	tell = only[Tell](t, c.Tick(at(11*time.Second)))
	require.Equal(t, "y", tell.Ref)
	require.Empty(t, all[Tell](c.Tick(at(time.Hour))))
}

func TestTopicErrors(t *testing.T) {
	for code, kept := range map[wire.Code]bool{
		wire.UnknownTopicOrPartition: false, wire.InvalidTopic: false, wire.TopicAuthorizationFailed: false,
		wire.LeaderNotAvailable: true,
	} {
		c := known(t, nil)
		ask := only[Ask](t, c.Need(epoch, "x", "t", -1, false))
		tells := all[Tell](c.Answer(epoch, ask.Number, refused("t", code), nil))
		if kept {
			require.Empty(t, tells, "%v passes", code)
			continue
		}
		require.Len(t, tells, 1)
		told, ok := wire.CodeOf(tells[0].Err)
		require.True(t, ok)
		require.Equal(t, code, told)
	}
}

func TestAutoCreatedTopicsAreWaitedFor(t *testing.T) {
	cfg := testConfig()
	cfg.AutoCreate = true
	c := New(cfg, first)
	c.Start(epoch)
	c.Need(epoch, "x", "t", -1, false)
	ask := only[Ask](t, c.BrokerUp(epoch, -1))
	require.True(t, ask.AutoCreate)
	require.Empty(t, all[Tell](c.Answer(epoch, ask.Number, refused("t", wire.UnknownTopicOrPartition), nil)))
	c.BrokerUp(epoch, 1)
	ask = only[Ask](t, c.Tick(at(time.Second)))
	require.Equal(t, []Tell{{Ref: "x"}}, all[Tell](c.Answer(at(time.Second), ask.Number, view(map[string][]int32{"t": {1}}), nil)))
}

func TestAPartitionThatIsNotThere(t *testing.T) {
	c := known(t, nil)
	ask := only[Ask](t, c.Need(epoch, "x", "t", 5, false))
	tell := only[Tell](t, c.Answer(epoch, ask.Number, view(map[string][]int32{"t": {1, 2}}), nil))
	require.ErrorIs(t, tell.Err, wire.ErrUnknownTopic)
}

func TestRefreshByTime(t *testing.T) {
	c := known(t, map[string][]int32{"a": {1}, "b": {2}})
	require.Empty(t, all[Ask](c.Tick(at(5*time.Minute-1))))
	require.Equal(t, []string{"a", "b"}, only[Ask](t, c.Tick(at(5*time.Minute))).Topics)

	cfg := testConfig()
	cfg.Refresh = 0
	c = New(cfg, first)
	c.Start(epoch)
	c.Answer(epoch, only[Ask](t, c.BrokerUp(epoch, -1)).Number, view(nil), nil)
	c.BrokerUp(epoch, 1)
	require.Empty(t, c.Tick(at(1000*time.Hour)), "no refresh by time")
}

func TestATopicThatNobodyUsesIsForgotten(t *testing.T) {
	cfg := testConfig()
	cfg.Idle, cfg.Uses = 7*time.Minute, func(topic string) bool { return topic == "b" }
	c := New(cfg, first)
	c.Start(epoch)
	c.Need(epoch, "x", "a", -1, false)
	c.Need(epoch, "x", "b", -1, false)
	topics := map[string][]int32{"a": {1}, "b": {2}}
	c.Answer(epoch, only[Ask](t, c.BrokerUp(epoch, -1)).Number, view(topics), nil)
	c.BrokerUp(epoch, 1)
	ask := only[Ask](t, c.Tick(at(5*time.Minute)))
	require.Equal(t, []string{"a", "b"}, ask.Topics, "it was needed lately")
	c.Answer(at(5*time.Minute), ask.Number, view(topics), nil)

	ask = only[Ask](t, c.Tick(at(10*time.Minute)))
	require.Equal(t, []string{"b"}, ask.Topics)
	c.Answer(at(10*time.Minute), ask.Number, view(map[string][]int32{"b": {2}}), nil)
	require.Nil(t, c.Cluster().Topics["a"])

	ask = only[Ask](t, c.Need(at(11*time.Minute), "x", "a", -1, false))
	require.Equal(t, []string{"a"}, ask.Topics, "and found again by who needs it")
	c.Answer(at(11*time.Minute), ask.Number, view(map[string][]int32{"a": {1}}), nil)
	require.EqualValues(t, 1, c.Cluster().Count("a"))
}

func TestResumeGoesOn(t *testing.T) {
	c := known(t, map[string][]int32{"a": {1}})
	heir := New(testConfig(), first)
	heir.Resume(c.Cluster())
	out := heir.Start(at(time.Minute))
	require.Equal(t, nodes, only[SetBrokers](t, out).Brokers)
	require.Equal(t, []Action{Tell{Ref: "x"}}, heir.Need(at(time.Minute), "x", "a", 0, false))
	require.Equal(t, []string{"a"}, only[Ask](t, heir.BrokerUp(at(time.Minute), 2)).Topics)
	New(testConfig(), first).Resume(nil)
}

// SetBrokers ends what it does not name; an Ask behind it must not go there.
func TestNobodyIsAskedWhoWasJustEnded(t *testing.T) {
	c := New(testConfig(), first)
	c.Start(epoch)
	ask := only[Ask](t, c.BrokerUp(epoch, -1))
	c.Need(epoch, "x", "t", -1, false) // while the first request is under way
	out := c.Answer(epoch, ask.Number, view(nil), nil)
	wanted := only[SetBrokers](t, out).Brokers
	for _, a := range all[Ask](out) {
		require.True(t, slices.ContainsFunc(wanted, func(b Broker) bool { return b.ID == a.Broker }), "asks %d of %v", a.Broker, wanted)
	}
}

// A topic that was not there a moment ago may be there now: an error in the
// view is no answer to a new question.
func TestAnErrorInTheViewIsNotToldForEver(t *testing.T) {
	c := known(t, nil)
	ask := only[Ask](t, c.Need(epoch, "x", "t", -1, false))
	c.Answer(epoch, ask.Number, refused("t", wire.UnknownTopicOrPartition), nil)
	out := c.Need(at(time.Minute), "y", "t", -1, false)
	require.Empty(t, all[Tell](out), "told from a view that is a minute old")
	require.Len(t, all[Ask](out), 1)
}

// The same for a partition that was added.
func TestAPartitionThatWasAdded(t *testing.T) {
	c := known(t, map[string][]int32{"t": {1}})
	out := c.Need(at(time.Minute), "y", "t", 1, false)
	require.Empty(t, all[Tell](out))
	require.Len(t, all[Ask](out), 1)
}

// Refreshes by time say nothing about how hard a leader is to find.
func TestRefreshesDoNotSlowDownAFailover(t *testing.T) {
	c := known(t, map[string][]int32{"t": {1}})
	now := epoch
	for range 10 {
		now = now.Add(5 * time.Minute)
		ask := only[Ask](t, c.Tick(now))
		c.Answer(now, ask.Number, view(map[string][]int32{"t": {1}}), nil)
	}
	now = now.Add(time.Minute)
	ask := only[Ask](t, c.Need(now, "x", "t", 0, true))
	c.Answer(now, ask.Number, view(map[string][]int32{"t": {1}}), nil) // the new leader is not elected yet
	out := c.Need(now, "x", "t", 0, true)                              // and the old one refused again
	if len(all[Ask](out)) == 0 {
		require.LessOrEqual(t, earliest(out).Sub(now), 100*time.Millisecond, "a failover must not wait this long for the first new look")
	}
}

// 50, 100, 200 ms: news does not make a leader easier to find, what is no news does not
// make the first pause longer.
func TestPausesDouble(t *testing.T) {
	c := known(t, map[string][]int32{"t": {1}})
	now := at(time.Minute)
	out := c.Need(now, "x", "t", 0, true)
	out = c.Answer(now, only[Ask](t, out).Number, view(map[string][]int32{"t": {-1}}), nil)
	require.Equal(t, 50*time.Millisecond, earliest(out).Sub(now), "after news")
	now = earliest(out)
	out = c.Tick(now)
	for _, pause := range []time.Duration{100, 200, 400} {
		out = c.Answer(now, only[Ask](t, out).Number, view(map[string][]int32{"t": {-1}}), nil)
		require.Equal(t, pause*time.Millisecond, earliest(out).Sub(now))
		now = earliest(out)
		out = c.Tick(now)
	}
}

// A topic that is asked about all the time does not keep the others from
// being refreshed.
func TestABusyTopicDoesNotStopTheRefresh(t *testing.T) {
	c := known(t, map[string][]int32{"quiet": {1}, "busy": {1}})
	asked := false
	for i := range 20 {
		now := at(time.Duration(i+1) * time.Minute)
		out := append(c.Tick(now), c.Need(now, i, "busy", 0, true)...)
		for _, ask := range all[Ask](out) {
			asked = asked || slices.Contains(ask.Topics, "quiet")
			c.Answer(now, ask.Number, view(map[string][]int32{"quiet": {1}, "busy": {1}}), nil)
		}
	}
	require.True(t, asked, "not refreshed in 20 min, Refresh being 5 min")
}

// A hedge that found nobody when it was due is made up for.
func TestALateHedge(t *testing.T) {
	c := New(testConfig(), first)
	c.Start(epoch)
	only[Ask](t, c.BrokerUp(epoch, -1))
	c.Tick(at(500 * time.Millisecond)) // nobody else is up
	require.Len(t, all[Ask](c.BrokerUp(at(time.Second), -2)), 1)
}

// Who asks while a round is under way that brings the answer has it with that
// round, not with one after a pause.
func TestALookUpDuringARoundIsAnsweredByIt(t *testing.T) {
	c := known(t, nil)
	ask := only[Ask](t, c.Need(epoch, "x", "t", -1, false))
	require.Empty(t, all[Ask](c.Need(epoch, "y", "t", 0, false)))
	out := c.Answer(epoch, ask.Number, view(map[string][]int32{"t": {1}}), nil)
	require.ElementsMatch(t, []Tell{{"x", nil}, {"y", nil}}, all[Tell](out))
}

// Who waits while no broker answers is told why none does.
func TestTheCauseIsToldWhileNoBrokerAnswers(t *testing.T) {
	refused := &wire.ConnError{Stage: wire.StageDial, Cause: errors.New("connection refused")}
	c := New(testConfig(), first)
	c.Start(epoch)
	c.Need(epoch, "x", "t", -1, false)
	c.BrokerUp(epoch, -1)
	var told []Tell
	for d := time.Duration(0); d <= 10*time.Second && told == nil; d += 10 * time.Millisecond {
		out := c.Tick(at(d))
		for number := range c.asked {
			out = append(out, c.Answer(at(d), number, nil, refused)...)
		}
		told = all[Tell](out)
	}
	require.Len(t, told, 1)
	require.ErrorIs(t, told[0].Err, refused)
	require.ErrorIs(t, told[0].Err, wire.ErrConnection)
	require.True(t, wire.SafeToRetry(told[0].Err))
	require.ErrorContains(t, told[0].Err, "connection refused")
}
