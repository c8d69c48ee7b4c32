package handle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/record"
)

// post is a client with messages on their way into its slots.
type post struct {
	r      *rapid.T
	config ProduceConfig
	h      *Handle
	topic  *Topic
	all    []*sent
	log    [2][]string // what each partition has, from offset 0 on

	mu     sync.Mutex          // answers come from other goroutines
	order  [2][]int            // messages of each partition, as they were buffered
	lost   uint64              // records that were dropped
	inside map[*sent]time.Time // since when they wait
}

// sent is a message, and what it was told.
type sent struct {
	told
	post    *post
	id      int
	on      int32
	records []record.Record
	size    int
	base    int64
	final   error
}

func (s *sent) Buffered() {
	s.told.Buffered()
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	s.post.order[s.on] = append(s.post.order[s.on], s.id)
	delete(s.post.inside, s)
}

func (s *sent) Acked(base int64) {
	s.told.Acked(base)
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	s.base = base
}

func (s *sent) Failed(accepted int, err error) {
	s.told.Failed(accepted, err)
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	s.final = err
	if err == ErrDropped {
		s.post.lost += uint64(len(s.records) - accepted)
	}
	delete(s.post.inside, s)
}

// Whatever comes, is settled, crashes or goes by: messages are accepted in order,
// none is refused while the queue has a place for it, those that a batch holds are
// in one, each has one answer that is true, and nothing is left at the end.
func TestMessagesOverTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubble{t}, func(r *rapid.T) {
			p := newPost(t, r)
			defer p.h.Stop(ErrStopped)
			for range rapid.IntRange(1, 80).Draw(r, "steps") {
				p.step()
				synctest.Wait()
				p.checkLimits()
			}
			if rapid.Bool().Draw(r, "drained") {
				p.drain()
			}
			p.h.Stop(ErrStopped)
			synctest.Wait()
			p.checkEnd()
		})
	})
}

// bubble is a test in a bubble, which has no deadline to be asked for.
type bubble struct{ testing.TB }

func newPost(t *testing.T, r *rapid.T) *post {
	p := &post{r: r, inside: map[*sent]time.Time{}}
	p.config = ProduceConfig{
		BatchBytes: rapid.IntRange(500, 3*chunkSize).Draw(r, "batch"), BufferBytes: rapid.IntRange(1, 4).Draw(r, "buffer") * chunkSize,
		BufferRecords: rapid.IntRange(0, 20).Draw(r, "records"), PartitionRecords: rapid.IntRange(0, 10).Draw(r, "of a partition"),
		QueueMessages: rapid.SampledFrom([]int{NoQueue, 1, 3, 10}).Draw(r, "queue"), QueueBytes: rapid.IntRange(1, 3).Draw(r, "bytes") * chunkSize,
		OnFull:          rapid.SampledFrom([]Full{FullBlocks, FullBlocks, FullBlocks, FullFails, FullDrops}).Draw(r, "full"),
		DeliveryTimeout: time.Minute,
	}
	p.h, p.topic = newHandle(t, 2, func(c *Config) { c.Produce = p.config })
	return p
}

func (p *post) step() {
	on := rapid.Int32Range(0, 1).Draw(p.r, "on")
	switch rapid.IntRange(0, 6).Draw(p.r, "step") {
	case 0, 1, 2:
		p.send(on)
	case 3:
		_ = p.topic.Try(&record.Record{Value: make([]byte, rapid.IntRange(0, 400).Draw(p.r, "direct"))}, behaviors.On(on))
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lost = p.h.Dropped() // of what was dropped just now, this is all that no message was told of
	case 4:
		time.Sleep(time.Duration(rapid.IntRange(0, 40).Draw(p.r, "seconds")) * time.Second)
	case 5:
		slot := p.topic.Slot(on)
		lease, _ := slot.Attach(nil, func(bool) {})
		if b := slot.Take(lease); b != nil {
			b.Release()
		}
		if rapid.Bool().Draw(p.r, "nobody comes after it") {
			slot.Detach(lease)
		}
	default:
		p.settle(on, rapid.IntRange(0, 4).Draw(p.r, "outcome") == 0)
	}
}

func (p *post) send(on int32) {
	s := &sent{post: p, id: len(p.all), on: on, base: -1, records: make([]record.Record, rapid.IntRange(0, 6).Draw(p.r, "list"))}
	for i := range s.records {
		s.records[i].Value = fmt.Appendf(nil, "%d.%d.%s", s.id, i, strings.Repeat("x", rapid.IntRange(0, min(p.config.BatchBytes-100, chunkSize)).Draw(p.r, "size")))
		s.size += encodedSize(&s.records[i])
	}
	p.all = append(p.all, s)
	slot := p.topic.Slot(on)
	had, bytes := slot.Queued(), p.h.queued.Used()
	waits := slot.busy()
	slot.Accept(s.records, s)
	first := s.got()[0]
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.final == nil && first == "queued" {
		p.inside[s] = time.Now()
	}
	switch {
	case s.final == nil:
		require.True(p.r, !waits || first == "queued", "it went in front of those that wait")
	case errors.Is(s.final, ErrDropped):
		require.Equal(p.r, FullDrops, p.config.OnFull)
	default:
		require.Equal(p.r, ErrBufferFull, s.final)
		require.True(p.r, p.config.OnFull == FullFails || had >= p.config.QueueMessages || bytes > 0 && bytes+s.size > p.config.QueueBytes,
			"%d wait with %d bytes, and %d bytes were refused", had, bytes, s.size)
	}
}

// settle settles the oldest batch of a partition.
func (p *post) settle(on int32, fails bool) bool {
	slot := p.topic.Slot(on)
	lease, unsure := slot.Attach(nil, func(bool) {})
	if len(unsure) == 0 {
		b := slot.Take(lease)
		if b == nil {
			return false
		}
		b.Release()
		unsure = []*Batch{b}
	}
	b := unsure[0]
	require.True(p.r, b.Hold(lease))
	values := valuesOf(p.r, b)
	b.Release()
	if fails {
		return slot.Settle(lease, b, -1, errRefused)
	}
	base := int64(len(p.log[on]))
	p.log[on] = append(p.log[on], values...)
	return slot.Settle(lease, b, base, nil)
}

// drain settles all that there is, until nothing waits.
func (p *post) drain() {
	for left := true; left; synctest.Wait() {
		left = p.settle(0, false)
		left = p.settle(1, false) || left
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(p.r, p.inside, "they wait though there is room")
}

func (p *post) checkLimits() {
	p.mu.Lock()
	defer p.mu.Unlock()
	bytes, most := 0, 0
	for s, since := range p.inside {
		bytes, most = bytes+s.size, max(most, s.size)
		require.Less(p.r, time.Since(since), p.config.DeliveryTimeout+time.Millisecond, "message %d waits on", s.id)
	}
	require.LessOrEqual(p.r, p.h.queued.Used(), max(p.config.QueueBytes, most))
	require.LessOrEqual(p.r, p.h.queued.Used(), bytes)
	for on := range int32(2) {
		require.LessOrEqual(p.r, p.topic.Slot(on).Queued(), max(0, p.config.QueueMessages))
	}
	require.Equal(p.r, p.lost, p.h.Dropped())
}

func (p *post) checkEnd() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.all {
		answers := strings.Join(s.got(), ", ")
		rest := strings.TrimPrefix(answers, "queued, ")
		buffered := strings.HasPrefix(rest, "buffered, ")
		rest = strings.TrimPrefix(rest, "buffered, ")
		require.True(p.r, strings.HasPrefix(rest, "acked ") && buffered || strings.HasPrefix(rest, "failed "), "message %d: %s", s.id, answers)
		require.NotContains(p.r, rest, ", buffered")
		require.NotContains(p.r, rest, ", acked")
		require.NotContains(p.r, rest, ", failed")
		p.checkWritten(s)
	}
	for on, order := range p.order {
		require.True(p.r, slices.IsSorted(order), "of partition %d: %v", on, order)
	}
	require.Zero(p.r, p.h.Buffered())
	require.Zero(p.r, p.h.queued.Used())
	require.Zero(p.r, p.h.records.Load())
	for on := range int32(2) {
		require.Zero(p.r, p.topic.Slot(on).Queued())
	}
}

// checkWritten looks for the records of a message in its partition.
func (p *post) checkWritten(s *sent) {
	at := make([]int, len(s.records))
	found := 0
	for i := range s.records {
		at[i] = slices.Index(p.log[s.on], string(s.records[i].Value))
		if at[i] >= 0 {
			found++
			require.True(p.r, i == 0 || at[i] > at[i-1], "message %d is out of order", s.id)
		}
	}
	together := p.topic.Slot(s.on).together(len(s.records), s.size)
	if together {
		require.True(p.r, found == 0 || found == len(s.records) && at[found-1] == at[0]+found-1, "message %d is not whole: %v", s.id, at)
	}
	if s.final == nil {
		require.Equal(p.r, len(s.records), found, "message %d was acked", s.id)
		require.True(p.r, found == 0 || int(s.base) == at[0], "message %d: acked from %d, it is at %v", s.id, s.base, at)
		return
	}
	require.True(p.r, !together || found == 0, "message %d failed with %v, and is there", s.id, s.final)
}
