package handle

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire/record"
)

// raced is a message that many send at a time.
type raced struct {
	told
	texts []string
	rig   *rig
	done  func(*raced, int64, error)
	ended bool
}

func (m *raced) Acked(base int64) {
	m.told.Acked(base)
	m.end(base, nil)
}

func (m *raced) Failed(accepted int, err error) {
	m.told.Failed(accepted, err)
	m.end(-1, err)
}

func (m *raced) end(base int64, err error) {
	m.mu.Lock()
	if m.ended {
		m.rig.complain("%v: %v", m.texts, m.all)
	}
	m.ended = true
	m.mu.Unlock()
	m.rig.mu.Lock()
	for i, text := range m.texts {
		at, acked := m.rig.log[text]
		if acked != (err == nil) || acked && at != base+int64(i) {
			m.rig.complain("%q: offset %d with %v, the log says %d, %v", text, base+int64(i), err, at, acked)
		}
	}
	m.rig.mu.Unlock()
	m.done(m, base, err)
}

// mailer sends messages without waiting for their answers, as an actor does, and
// looks whether they were written in order.
func (r *rig) mailer(id, messages int) {
	var open sync.WaitGroup
	bases := make([]int64, messages)
	for i := range messages {
		m := &raced{rig: r, done: func(m *raced, base int64, err error) {
			bases[i] = base
			open.Done()
		}}
		records := make([]record.Record, 1+i%3)
		for n := range records {
			m.texts = append(m.texts, fmt.Sprintf("m %d.%d.%d", id, i, n))
			records[n].Value = []byte(m.texts[n])
		}
		open.Add(1)
		r.topic.Slot(0).Accept(records, m)
	}
	open.Wait()
	last := int64(-1)
	for i, base := range bases {
		if base >= 0 && base < last {
			r.complain("message %d of %d is at %d, the one before it at %d", i, id, base, last)
		}
		last = max(last, base)
	}
}

func TestManyMessagesAndProducersThatCrash(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes, c.Produce.BufferBytes = 200, 3*chunkSize })
	r := &rig{t: t, h: h, topic: topic, wake: make(chan struct{}, 1), log: map[string]int64{}}
	end := make(chan struct{})
	var senders, others sync.WaitGroup
	for id := range 4 {
		senders.Go(func() { r.mailer(id, 100) })
		senders.Go(func() { r.caller(id, 20) })
	}
	for seed := range uint64(2) {
		others.Go(func() {
			random := rand.New(rand.NewPCG(seed, 2))
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
	senders.Wait()
	close(end)
	others.Wait()
	r.writers.Wait()
	requireNothingBad(t, &r.bad)
	require.Zero(t, h.Buffered())
	require.Zero(t, h.queued.Used())
	require.Zero(t, topic.Slot(0).Queued())
}

// Messages that come, wait and are settled while the client stops have one answer.
func TestStopInTheMiddleOfMessages(t *testing.T) {
	for range 20 {
		h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes, c.Produce.BufferBytes = 200, 2*chunkSize })
		r := &rig{t: t, h: h, topic: topic, wake: make(chan struct{}, 1), log: map[string]int64{}}
		var all sync.WaitGroup
		for id := range 4 {
			all.Go(func() { r.mailer(id, 30) })
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
		require.Zero(t, h.queued.Used())
	}
}
