package fetching

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// rig plays the broker actor, its consumers, and the broker with its session.
type rig struct {
	t       *rapid.T
	core    *Core
	hot     []Want
	cold    bool
	reads   map[id]*reader
	numbers uint64
	behind  map[id]int // hot answers that went by while it waited unasked

	session int32 // of the broker
	epoch   int32 // that the next request must have
	parts   map[Key]int64
}

// reader is a consumer of a partition.
type reader struct {
	number  uint64
	offset  int64
	waiting bool
}

func newRig(t *rapid.T) *rig {
	return &rig{t: t, core: newCore(), reads: map[id]*reader{}, behind: map[id]int{}, parts: map[Key]int64{}}
}

func (r *rig) do(requests []Request) {
	for _, q := range requests {
		seen := map[Key]bool{}
		for _, w := range q.Wants {
			require.False(r.t, seen[w.Key], "a partition twice in a request")
			seen[w.Key] = true
			reader := r.reads[id{w.Key, w.Consumer}]
			require.True(r.t, reader != nil && reader.waiting && reader.number == w.Number, "asks what nobody wants: %v", w)
		}
		if q.Lane == Hot {
			r.sendHot(q)
		} else {
			r.sendCold(q)
		}
	}
}

func (r *rig) sendHot(q Request) {
	require.Empty(r.t, r.hot, "a second request on the lane")
	require.NotEmpty(r.t, q.Wants)
	require.Equal(r.t, hotWait, q.MaxWait)
	r.hot = q.Wants
}

// sendCold does what a broker does with a session.
func (r *rig) sendCold(q Request) {
	require.False(r.t, r.cold, "a second request on the lane")
	require.True(r.t, hotWait <= q.MaxWait && q.MaxWait <= maxWait, "parked for %v", q.MaxWait)
	r.cold = true
	if q.Epoch <= 0 {
		clear(r.parts)
	} else {
		require.Equal(r.t, []int32{r.session, r.epoch}, []int32{q.Session, q.Epoch}, "the session that the broker knows")
	}
	for _, key := range q.Forget {
		delete(r.parts, key)
	}
	for _, w := range q.Wants {
		r.parts[w.Key] = w.Offset
	}
	wanted := map[Key]int64{}
	for _, w := range r.core.Parked() {
		if offset, twice := wanted[w.Key]; twice {
			require.Equal(r.t, offset, w.Offset, "one offset for a partition")
		}
		wanted[w.Key] = w.Offset
	}
	require.Equal(r.t, wanted, r.parts, "what the broker's session has is what is parked")
}

func (r *rig) event() {
	switch rapid.IntRange(0, 9).Draw(r.t, "event") {
	case 0, 1, 2:
		r.add(r.draw())
	case 3:
		who := r.draw()
		if reader := r.reads[who]; reader != nil {
			delete(r.reads, who)
			r.core.Remove(who.Key, who.consumer)
		}
	case 4, 5, 6, 7:
		r.answerHot(func(Key) bool { return rapid.IntRange(0, 2).Draw(r.t, "data") == 0 })
	case 8:
		r.answerCold(func(Key) bool { return rapid.IntRange(0, 2).Draw(r.t, "data") == 0 })
	default:
		r.loseCold(rapid.Bool().Draw(r.t, "told"))
	}
	r.check()
}

func (r *rig) draw() id {
	return id{Key{"t", int32(rapid.IntRange(0, 3).Draw(r.t, "partition"))}, rapid.IntRange(0, 1).Draw(r.t, "consumer")}
}

// add is a want from where the consumer stands, or from where it has gone.
func (r *rig) add(who id) {
	reading := r.reads[who]
	if reading == nil {
		reading = &reader{}
		r.reads[who] = reading
	}
	r.numbers++
	reading.number, reading.waiting = r.numbers, true
	reading.offset += int64(rapid.IntRange(0, 1).Draw(r.t, "further"))
	r.behind[who] = 0
	r.do(r.core.Add(Want{Key: who.Key, Number: reading.number, Offset: reading.offset, Consumer: who.consumer}))
}

// tell gives data from an offset on to whom it is for.
func (r *rig) tell(w Want, offset int64) {
	reading := r.reads[id{w.Key, w.Consumer}]
	if reading == nil || reading.number != w.Number {
		return // it no longer listens to that
	}
	require.Equal(r.t, reading.offset, offset, "data from where it did not ask")
	require.True(r.t, reading.waiting, "told twice")
	reading.waiting = false
}

func (r *rig) answerHot(data func(Key) bool) {
	if len(r.hot) == 0 {
		return
	}
	sent := r.hot
	r.hot = nil
	told := map[Key]bool{}
	for _, w := range sent {
		if told[w.Key] = data(w.Key); told[w.Key] {
			r.tell(w, w.Offset)
		}
	}
	for who, reading := range r.reads {
		if reading.waiting {
			r.behind[who]++
		}
	}
	r.do(r.core.HotDone(sent, func(k Key) bool { return told[k] }))
}

func (r *rig) answerCold(data func(Key) bool) {
	if !r.cold {
		return
	}
	r.cold = false
	var answered []Key
	for p := range int32(4) {
		key := Key{"t", p}
		offset, there := r.parts[key]
		if !there || !data(key) {
			continue
		}
		answered = append(answered, key)
		for _, w := range r.core.Waiting(key) {
			r.tell(w, offset)
		}
	}
	session := int32(rapid.SampledFrom([]int{0, 5, 5, 5, 6}).Draw(r.t, "session"))
	if session != 0 && session == r.session && r.epoch > 0 {
		r.epoch++
	} else {
		r.session, r.epoch = session, min(session, 1)
	}
	r.do(r.core.ColdDone(answered, session))
}

func (r *rig) loseCold(told bool) {
	if !r.cold {
		return
	}
	r.cold, r.session, r.epoch = false, 0, 0
	if told {
		for _, w := range r.core.Parked() {
			r.tell(w, w.Offset)
		}
	}
	r.do(r.core.ColdLost(told))
}

// check: whoever waits is being asked for, or will be when the hot lane, which
// is never parked, is free.
func (r *rig) check() {
	for who, reading := range r.reads {
		if !reading.waiting {
			continue
		}
		mine := func(w Want) bool { return w.Key == who.Key && w.Consumer == who.consumer }
		if slices.ContainsFunc(r.hot, mine) || r.cold && slices.ContainsFunc(r.core.Waiting(who.Key), mine) {
			r.behind[who] = 0
			continue
		}
		require.NotEmpty(r.t, r.hot, "%v waits with a free lane", who)
		require.LessOrEqual(r.t, r.behind[who], 2, "%v is passed over again and again", who)
	}
}

// Whatever is added, taken back, answered and lost in whatever order, a lane
// carries one request, the broker's session is what the core believes, data goes to who
// asked for it, and nobody waits longer than the hot requests before him take.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			r.event()
		}
		for range 6 {
			r.answerHot(always)
			r.answerCold(always)
		}
		for who, reading := range r.reads {
			require.False(t, reading.waiting, "%v is never answered", who)
		}
	})
}

// When nothing is written any more, one parked request carries everybody, and
// names nobody twice.
func TestIdlePartitionsShareOneParkedRequest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		r.session, r.epoch = 0, 0
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			r.event()
		}
		waiting := 0
		for who, reading := range r.reads {
			reading.offset = 7
			r.numbers++
			reading.number, reading.waiting = r.numbers, true
			r.do(r.core.Add(Want{Key: who.Key, Number: reading.number, Offset: 7, Consumer: who.consumer}))
			waiting++
		}
		for range 3 {
			for range 50 {
				r.answerHot(never)
			}
			r.answerCold(never)
		}
		for range 3 * coldAfter {
			r.answerHot(never)
		}
		require.Len(t, r.core.Parked(), waiting)
		require.Empty(t, r.hot, "a hot request for what has nothing")
	})
}
