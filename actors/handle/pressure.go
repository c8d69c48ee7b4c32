package handle

import (
	"sync/atomic"
	"time"
)

// pressure ends the linger of all batches while somebody waits for memory: what
// lingers holds it.
type pressure struct {
	waiting atomic.Int32 // who wait
	hurried atomic.Int64 // when the linger of all open batches was ended last, in ns
}

// relief is how long no batch lingers behind the last wait. Who produces as fast as
// memory comes back waits again and again, and must not look through all
// partitions each time.
const relief = 10 * time.Millisecond

// lingers says whether a batch that is opened now may wait for more records.
func (p *pressure) lingers(now time.Time) bool {
	return p.waiting.Load() == 0 && now.UnixNano()-p.hurried.Load() >= int64(relief)
}

// press begins a wait for memory; unpress ends it.
func (h *Handle) press() {
	if h.pressure.waiting.Add(1) == 1 {
		h.hurryAll()
	}
}

func (h *Handle) unpress() { h.pressure.waiting.Add(-1) }

// hurryAll ends the linger of every partition. Batches that are opened after it
// has noted the time do not linger.
func (h *Handle) hurryAll() {
	now := time.Now().UnixNano()
	if now-h.pressure.hurried.Load() < int64(relief) {
		return
	}
	h.pressure.hurried.Store(now)
	for _, t := range h.Topics() {
		for _, s := range *t.slots.Load() {
			s.hurry(nil)
		}
	}
}
