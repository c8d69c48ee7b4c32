package handle

import (
	"sync/atomic"
	"time"

	"github.com/moldau-go/moldau/telemetry"
)

// drops counts records that were dropped because there was no room.
type drops struct {
	all  atomic.Uint64
	told atomic.Uint64 // how many of them an event has told of
	busy atomic.Bool   // one is about to
}

// dropTellEvery is the least time between two events.
const dropTellEvery = time.Second

// dropped counts a drop. An event tells of it at once, or with others a second
// after the last event.
func (h *Handle) dropped(n int) {
	h.drops.all.Add(uint64(n))
	if h.drops.busy.CompareAndSwap(false, true) {
		h.tellDrops()
	}
}

func (h *Handle) tellDrops() {
	all := h.drops.all.Load()
	if fresh := all - h.drops.told.Swap(all); fresh > 0 {
		h.Emit(telemetry.RecordsDropped{Client: h.Name(), Records: int(fresh)})
		time.AfterFunc(dropTellEvery, h.tellDrops)
		return
	}
	h.drops.busy.Store(false)
	if h.drops.all.Load() != all && h.drops.busy.CompareAndSwap(false, true) {
		h.tellDrops() // one came between
	}
}

// Dropped is how many records were dropped because there was no room.
func (h *Handle) Dropped() uint64 { return h.drops.all.Load() }
