package handle

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/record"
)

var (
	errExpired  = errors.New("expired")
	errTooLarge = errors.New("too large")
)

// refused is what the log says of a batch with records that it does not take.
type refused struct{ at []int32 }

func (r *refused) Error() string { return fmt.Sprint("refused: ", r.at) }

// storm is slots in the middle of everything that can happen to a batch: it is
// sent again and again, by the producer that took it and by its successors, cut,
// expired, and settled by the answer of any attempt, while slow writers still read
// its memory. Producers that have lost their lease go on as if they had not.
type storm struct {
	topic  *Topic
	wanted int64 // batches
	logs   []*stormLog
	ended  chan struct{}

	taken, again, late, stale, cut, expired, records atomic.Int64

	writers sync.WaitGroup
	bad     atomic.Pointer[string]
}

func (s *storm) complain(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.bad.CompareAndSwap(nil, &text)
}

// stormLog is a partition as a broker keeps it: a batch that it knows already is
// answered as it was the first time.
type stormLog struct {
	storm  *storm
	slot   *Slot
	newest atomic.Uint64 // the lease that a producer was given last

	mu      sync.Mutex
	next    int64
	places  map[stormRecord]int64
	answers map[stormBatch]stormAnswer
}

// stormRecord is a record by its producer's number and its own.
type stormRecord struct{ caller, seq int }

// value is a record's value of some size; stormValue reads it.
func (r stormRecord) value(partition int32, padding int) []byte {
	v := make([]byte, 12+padding)
	binary.BigEndian.PutUint32(v, uint32(partition))
	binary.BigEndian.PutUint32(v[4:], uint32(r.caller))
	binary.BigEndian.PutUint32(v[8:], uint32(r.seq))
	return v
}

func stormValue(v []byte) (partition int32, r stormRecord) {
	if len(v) < 12 {
		return -1, r
	}
	r = stormRecord{int(binary.BigEndian.Uint32(v[4:])), int(binary.BigEndian.Uint32(v[8:]))}
	return int32(binary.BigEndian.Uint32(v)), r
}

// stormBatch is what a broker tells batches apart by.
type stormBatch struct {
	id       int64
	epoch    int16
	sequence int32
	count    int32
}

type stormAnswer struct {
	base int64
	err  error
}

// write takes a frame as it came over the wire.
func (l *stormLog) write(frame []byte) stormAnswer {
	batches := record.NewBatches(frame)
	var b record.Batch
	if !batches.Next(&b) {
		l.storm.complain("a frame is no batch: %v", batches.Err())
		return stormAnswer{-1, errRefused}
	}
	if err := b.Verify(); err != nil {
		l.storm.complain("a torn frame: %v", err)
		return stormAnswer{-1, errRefused}
	}
	records := l.decode(&b)
	l.mu.Lock()
	defer l.mu.Unlock()
	key := stormBatch{b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Count}
	answer, known := l.answers[key]
	if !known {
		answer = l.accept(records)
		l.answers[key] = answer
	}
	for i, r := range records {
		if at, there := l.places[r]; answer.err == nil && (!there || at != answer.base+int64(i)) {
			l.storm.complain("an attempt at a batch has other records than the one before: %v", r)
		}
	}
	return answer
}

// decode reads the records, which are all of this partition.
func (l *stormLog) decode(b *record.Batch) (list []stormRecord) {
	records, err := b.Open(nil, 0)
	if err != nil {
		l.storm.complain("a frame cannot be read: %v", err)
		return nil
	}
	for r := range records.All() {
		partition, is := stormValue(r.Value)
		if partition != l.slot.partition {
			l.storm.complain("%v of partition %d stands in partition %d", is, partition, l.slot.partition)
		}
		list = append(list, is)
	}
	if len(list) != int(b.Count) {
		l.storm.complain("%d records in a batch of %d", len(list), b.Count)
	}
	return list
}

// accept writes records that are not known, or refuses them.
func (l *stormLog) accept(records []stormRecord) stormAnswer {
	refusal := &refused{}
	for i, r := range records {
		if r.seq%101 == 7 {
			refusal.at = append(refusal.at, int32(i))
		}
	}
	switch {
	case len(refusal.at) > 0:
		return stormAnswer{-1, refusal}
	case len(records) > 1 && records[0].seq%16 == 3:
		return stormAnswer{-1, errTooLarge}
	}
	for i, r := range records {
		if at, twice := l.places[r]; twice {
			l.storm.complain("%v is written at %d, and again at %d", r, at, l.next+int64(i))
		}
		l.places[r] = l.next + int64(i)
	}
	l.next += int64(len(records))
	return stormAnswer{l.next - int64(len(records)), nil}
}

// place is where the log has a record.
func (l *stormLog) place(r stormRecord) (at int64, there bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, there = l.places[r]
	return at, there
}

// over says that a lease has surely ended: nothing done under it may have an effect.
func (l *stormLog) over(lease uint64) bool { return l.newest.Load() > lease }

// under looks at the effect of something that was done under a lease; over is what
// was known before.
func (l *stormLog) under(what string, over, effect bool) bool {
	if over {
		l.storm.stale.Add(1)
	}
	if over && effect {
		l.storm.complain("%s had an effect under a lease that had ended", what)
	}
	return effect
}

// attempt is a batch in the hands of an incarnation of its producer.
type attempt struct {
	batch  *Batch
	answer chan stormAnswer // of the newest
}

// incarnation is one life of a producer.
type incarnation struct {
	*stormLog
	lease  uint64
	random *rand.Rand
	items  []attempt
}

func (l *stormLog) live(random *rand.Rand) {
	lease, unsure := l.slot.Attach(nil, func(bool) {})
	for {
		newest := l.newest.Load()
		if newest >= lease || l.newest.CompareAndSwap(newest, lease) {
			break
		}
	}
	p := &incarnation{stormLog: l, lease: lease, random: random}
	for _, b := range unsure {
		p.storm.again.Add(1)
		p.items = append(p.items, p.send(b))
	}
	for range 1 + random.IntN(50) {
		p.take()
		if len(p.items) > 0 && !p.step() {
			return // it crashed
		}
	}
	if random.IntN(2) == 0 {
		l.slot.Detach(lease)
		for range random.IntN(20) {
			runtime.Gosched()
		}
	}
}

// take fills up what is under way.
func (p *incarnation) take() {
	for len(p.items) < 5 {
		over := p.over(p.lease)
		p.slot.Look(p.lease)
		b := p.slot.Take(p.lease)
		if !p.under("Take", over, b != nil) {
			return
		}
		p.storm.taken.Add(1)
		p.items = append(p.items, p.send(b))
		b.Release()
	}
}

// send hands the batch to a writer, which may be slow. Its answer is lost if nobody
// waits for it.
func (p *incarnation) send(b *Batch) attempt {
	a := attempt{b, make(chan stormAnswer, 1)}
	for id := p.slot.sequenceID(); !p.slot.Number(p.lease, b, Identity{ID: id}); id++ {
	}
	over := p.over(p.lease)
	if !p.under("Hold", over, b.Hold(p.lease)) {
		a.answer <- stormAnswer{-1, ErrStopped}
		return a
	}
	header, slowly, told := b.Header(), p.random.IntN(4) == 0, p.random.IntN(2) == 0
	p.storm.writers.Go(func() {
		answer := p.write(frameOf(b, &header, slowly))
		b.Release()
		if answer.err == nil && told {
			over := p.over(p.lease)
			if p.under("SettleFirst", over, p.slot.SettleFirst(p.lease, b, answer.base)) {
				p.storm.late.Add(1)
			}
		}
		a.answer <- answer
	})
	return a
}

// sequenceID is a producer id that is good for the slot.
func (s *Slot) sequenceID() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spent.id + 1
}

// frameOf reads the batch as a connection does; slowly, it lets everybody else do
// something before each part.
func frameOf(b *Batch, header *record.BatchHeader, slowly bool) []byte {
	var head [record.HeaderSize]byte
	sum, _ := b.Sum()
	record.PutHeaderSum(&head, header, sum)
	frame := head[:]
	for _, chunk := range b.Payload(nil) {
		for piece := range slices.Chunk(chunk, len(chunk)/3+1) {
			if slowly {
				runtime.Gosched()
			}
			frame = append(frame, piece...)
		}
	}
	return frame
}

// step does something about the oldest batch, and is false for a crash.
func (p *incarnation) step() bool {
	first := p.items[0]
	switch p.random.IntN(20) {
	case 0:
		return false
	case 1, 2: // taken for lost
		p.storm.again.Add(1)
		p.items[0] = p.send(first.batch)
	case 3:
		over := p.over(p.lease)
		if p.under("Settle", over, p.slot.Settle(p.lease, first.batch, -1, errExpired)) {
			p.storm.expired.Add(1)
		}
		p.items = p.items[1:]
	default:
		p.settle(first.batch, <-first.answer)
	}
	return true
}

// settle ends the oldest batch as the log says, or cuts it.
func (p *incarnation) settle(b *Batch, answer stormAnswer) {
	p.items = p.items[1:]
	over, refusal := p.over(p.lease), (*refused)(nil)
	var parts []*Batch
	switch {
	case answer.err == ErrStopped:
		return // there was nothing to send
	case answer.err == errTooLarge:
		parts = p.slot.Split(p.lease, b, false)
		p.under("Split", over, len(parts) > 0)
	case errors.As(answer.err, &refusal) && len(refusal.at) < b.Count():
		failed := map[int32]error{}
		for _, at := range refusal.at {
			failed[at] = errRefused
		}
		if rest := p.slot.Reject(p.lease, b, false, failed); p.under("Reject", over, rest != nil) {
			parts = []*Batch{rest}
		}
	case refusal != nil:
		p.under("Settle", over, p.slot.Settle(p.lease, b, -1, errRefused))
	default:
		p.under("Settle", over, p.slot.Settle(p.lease, b, answer.base, answer.err))
	}
	var heirs []attempt
	for _, part := range parts {
		p.storm.cut.Add(1)
		heirs = append(heirs, p.send(part))
		part.Release()
	}
	p.items = append(heirs, p.items...)
}

// claim is what a caller knows of a record.
type claim struct {
	is      stormRecord
	pending Pending
	made    *atomic.Int32 // how often it was called back
	offset  *atomic.Int64
}

// call produces until enough was taken, and looks at every outcome.
func (l *stormLog) call(caller int) {
	random := rand.New(rand.NewPCG(uint64(caller), 3))
	for seq := 0; l.storm.taken.Load() < l.storm.wanted && l.storm.bad.Load() == nil; {
		var claims []claim
		for range 1 + random.IntN(200) {
			c := claim{is: stormRecord{caller, seq}, made: new(atomic.Int32), offset: new(atomic.Int64)}
			r := &record.Record{Value: c.is.value(l.slot.partition, random.IntN(l.slot.batchSize/5))}
			c.pending = l.storm.topic.Append(context.Background(), r, behaviors.On(l.slot.partition), Haste(random.IntN(3)), func(offset int64, err error) {
				c.offset.Store(offset)
				c.made.Add(1)
			})
			claims = append(claims, c)
			seq++
		}
		l.storm.records.Add(int64(len(claims)))
		for _, c := range claims {
			l.check(c)
		}
	}
}

// check waits for an outcome and holds it against the log.
func (l *stormLog) check(c claim) {
	offset, err := c.pending.Wait(context.Background())
	at, there := l.place(c.is)
	switch {
	case err == nil && (!there || at != offset):
		l.storm.complain("%v was acked at %d; it is at %d: %v", c.is, offset, at, there)
	case errors.Is(err, errRefused) && there:
		l.storm.complain("%v was refused and is at %d", c.is, at)
	case err != nil && !errors.Is(err, errRefused) && !errors.Is(err, errExpired):
		l.storm.complain("%v: %v", c.is, err)
	}
	for c.made.Load() == 0 { // it is made behind the outcome
		runtime.Gosched()
	}
	if c.made.Load() > 1 || c.offset.Load() != offset {
		l.storm.complain("%v: called back %d times, with %d; the outcome is %d", c.is, c.made.Load(), c.offset.Load(), offset)
	}
}

// expireAll is what a topic does while no producer lives, with a timeout of nothing.
func (s *storm) expireAll(random *rand.Rand) {
	for !s.over() {
		l := s.logs[random.IntN(len(s.logs))]
		before := l.slot.unsettled()
		l.slot.expire(time.Now(), errExpired)
		if l.slot.unsettled() < before {
			s.expired.Add(1)
		}
		poisonFree(s.topic.handle)
		runtime.Gosched()
	}
}

func (s *Slot) unsettled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sealed) + len(s.taken)
}

func (s *storm) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// run lets everybody do what they do until all callers have their outcomes.
func (s *storm) run(callersEach int) {
	var callers, others sync.WaitGroup
	for i, l := range s.logs {
		for c := range callersEach {
			callers.Go(func() { l.call(i*callersEach + c) })
		}
		for seed := range uint64(2) { // one has lost its lease and does not know
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			others.Go(func() {
				for !s.over() {
					l.live(random)
				}
			})
		}
	}
	others.Go(func() { s.expireAll(rand.New(rand.NewPCG(1, 2))) })
	callers.Wait()
	close(s.ended)
	others.Wait()
	s.writers.Wait()
}

// TestBatchesInAStorm: no frame is torn or holds what it should not, an outcome says
// what the log says, each record has exactly one, nothing has an effect under a lease
// that has ended, and no memory is left behind.
func TestBatchesInAStorm(t *testing.T) {
	const partitions = 4
	h, topic := newHandle(t, partitions, func(c *Config) { c.Produce.BatchBytes, c.Produce.BufferBytes = 300, 40*chunkSize })
	s := &storm{topic: topic, wanted: 20_000, ended: make(chan struct{})}
	if os.Getenv("MOLDAU_SOAK") == "1" {
		s.wanted = 1_000_000
	}
	topic.Slot(0).batchSize = 2 * chunkSize // its batches have several chunks
	for p := range int32(partitions) {
		s.logs = append(s.logs, &stormLog{storm: s, slot: topic.Slot(p), places: map[stormRecord]int64{}, answers: map[stormBatch]stormAnswer{}})
	}
	s.run(3)
	requireNothingBad(t, &s.bad)
	t.Logf("soak: %s: %d batches of %d records, %d sent again, %d settled by an answer before their producer's turn, %d parts, %d expired; %d calls under a lease that had ended",
		t.Name(), s.taken.Load(), s.records.Load(), s.again.Load(), s.late.Load(), s.cut.Load(), s.expired.Load(), s.stale.Load())
	for _, n := range []*atomic.Int64{&s.again, &s.late, &s.stale, &s.cut, &s.expired} {
		require.Greater(t, n.Load(), s.wanted/200, "too little happened")
	}
	require.Zero(t, h.Buffered())
}
