package handle

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/moldau-go/moldau/wire"
)

// expiry holds the delivery timeout where no producer lives to hold it: a
// parked actor cannot. It looks at the slots from time to time while anything
// is unsettled, and rests otherwise.
type expiry struct {
	armed atomic.Bool
}

// expiryChecks is how often within a delivery timeout the slots are looked at.
const expiryChecks = 8

// watch makes sure that the slots are looked at. It is called when a batch is
// opened.
func (h *Handle) watch() {
	if h.expiry.armed.CompareAndSwap(false, true) {
		time.AfterFunc(h.config.Produce.DeliveryTimeout/expiryChecks, h.expire)
	}
}

func (h *Handle) expire() {
	timeout := h.config.Produce.DeliveryTimeout
	err := &wire.Error{Code: wire.RequestTimedOut, Cause: fmt.Errorf("not acked within the delivery timeout of %v, and no producer was alive to try", timeout)}
	h.expiry.armed.Store(false)
	left := false
	for _, t := range h.Topics() {
		for _, s := range *t.slots.Load() {
			left = s.expire(time.Now().Add(-timeout), err) || left
		}
	}
	if left && h.Stopped() == nil {
		h.watch()
	}
}
