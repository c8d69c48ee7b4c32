package handle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
)

// rig is a slot with many callers, incarnations of a producer that crash in
// the middle of everything, writers that hold buffers longer than they are
// wanted, and a poisoner that writes over all memory that came back.
type rig struct {
	t       *testing.T
	h       *Handle
	topic   *Topic
	wake    chan struct{}
	writers sync.WaitGroup

	mu   sync.Mutex
	log  map[string]int64 // what was acked, by value
	next int64
	bad  atomic.Pointer[string]
}

func (r *rig) complain(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.bad.CompareAndSwap(nil, &text)
}

func requireNothingBad(t *testing.T, bad *atomic.Pointer[string]) {
	t.Helper()
	if text := bad.Load(); text != nil {
		require.Fail(t, *text)
	}
}

// incarnation runs a producer for some steps; unsure batches come first.
func (r *rig) incarnation(random *rand.Rand, steps int) {
	slot := r.topic.Slot(0)
	lease, unsure := slot.Attach(nil, func(bool) {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	})
	for _, b := range unsure {
		if !b.Hold(lease) {
			return // stopped
		}
		r.send(slot, lease, b, random)
	}
	for range steps {
		slot.Look(lease)
		b := slot.Take(lease)
		if b == nil {
			continue
		}
		b.Release()
		if random.IntN(10) == 0 {
			return // crashed with a batch in its hands
		}
		if b.Hold(lease) {
			r.send(slot, lease, b, random)
		}
	}
	if random.IntN(2) == 0 {
		slot.Detach(lease)
	}
}

// send reads the batch on another goroutine, as a connection does, which may go
// on when the batch is settled long since.
func (r *rig) send(slot *Slot, lease uint64, b *Batch, random *rand.Rand) {
	payload := valuesOf(r.t, b)
	r.writers.Add(1)
	go func() {
		defer r.writers.Done()
		again := valuesOf(r.t, b)
		if fmt.Sprint(payload) != fmt.Sprint(again) {
			r.complain("a buffer changed while it was held: %v, %v", payload, again)
		}
		b.Release()
	}()
	r.mu.Lock()
	base := r.next
	r.mu.Unlock()
	if random.IntN(8) == 0 {
		slot.Settle(lease, b, -1, errRefused)
		return
	}
	r.mu.Lock() // nobody sees the outcome before the log has it
	defer r.mu.Unlock()
	if !slot.Settle(lease, b, base, nil) {
		return
	}
	for i, v := range payload {
		if _, twice := r.log[v]; twice {
			r.complain("%s was settled twice", v)
		}
		r.log[v] = base + int64(i)
	}
	r.next = base + int64(len(payload))
}

// poisonFree writes over what is free.
func poisonFree(h *Handle) {
	free := &chunkPool{budget: &budget{limit: 1 << 30}}
	c, ok := h.pool.free.Get().(*chunk)
	if !ok {
		c = free.take(1)
	}
	for i := range c.buf[:cap(c.buf)] {
		c.buf[:cap(c.buf)][i] = 0xdd
	}
	h.pool.free.Put(c)
}

func (r *rig) caller(id, records int) {
	for i := range records {
		text := fmt.Sprintf("caller %d record %d", id, i)
		p := r.topic.Append(context.Background(), value(text), behaviors.On(0), []Haste{Soon, Lingers, Awaited}[i%3], nil)
		if i%5 == 0 {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, _ = p.Wait(ctx)
		}
		if i%7 == 0 {
			_ = r.topic.Flush(context.Background())
			select {
			case <-p.Done():
			default:
				r.complain("flushed, and %q is open", text)
			}
		}
		offset, err := p.Wait(context.Background())
		r.mu.Lock()
		at, acked := r.log[text]
		r.mu.Unlock()
		switch {
		case err == nil && (!acked || at != offset):
			r.complain("%q: offset %d, the log says %d, %v", text, offset, at, acked)
		case err != nil && acked:
			r.complain("%q failed with %v, but it is at %d", text, err, at)
		}
	}
}

func TestManyCallersAndProducersThatCrash(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes, c.Produce.BufferBytes = 200, 3*chunkSize })
	r := &rig{t: t, h: h, topic: topic, wake: make(chan struct{}, 1), log: map[string]int64{}}
	end := make(chan struct{})
	var callers, others sync.WaitGroup
	for id := range 8 {
		callers.Go(func() { r.caller(id, 60) })
	}
	for seed := range uint64(2) {
		others.Go(func() {
			random := rand.New(rand.NewPCG(seed, 1))
			for {
				select {
				case <-end:
					return
				default:
					r.incarnation(random, random.IntN(20))
					poisonFree(r.h)
				}
			}
		})
	}
	callers.Wait()
	close(end)
	others.Wait()
	lease, unsure := topic.Slot(0).Attach(nil, func(bool) {})
	require.Empty(t, unsure)
	require.Nil(t, topic.Slot(0).Take(lease), "everybody has their outcome")
	r.writers.Wait()
	requireNothingBad(t, &r.bad)
	require.Zero(t, h.Buffered())
}

func TestStopInTheMiddle(t *testing.T) {
	for range 20 {
		h, topic := newHandle(t, 3, func(c *Config) { c.Produce.BatchBytes, c.Produce.BufferBytes = 200, 2*chunkSize })
		r := &rig{t: t, h: h, topic: topic, wake: make(chan struct{}, 1), log: map[string]int64{}}
		var all sync.WaitGroup
		for id := range 6 {
			all.Go(func() { // with records of all partitions, so that some block
				for i := range 30 {
					p := topic.Append(context.Background(), value(fmt.Sprint(id, i)), behaviors.On(int32(id%3)), Lingers, nil)
					if id%2 == 0 {
						_, _ = p.Wait(context.Background())
					}
				}
				_ = topic.Flush(context.Background())
			})
		}
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, 1))
			for h.Stopped() == nil {
				r.incarnation(random, 5)
			}
		})
		all.Go(func() { h.Stop(ErrStopped) })
		all.Wait()
		r.writers.Wait()
		requireNothingBad(t, &r.bad)
		require.Zero(t, h.Buffered())
	}
}
