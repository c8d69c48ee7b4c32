package handle

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/behaviors"
)

// Direct is a partition that a PID subscribed to by itself. It survives its
// consumer, and ends with its subscriber.
type Direct struct {
	Key        Partition
	Subscriber *actor.PID
	Begin      behaviors.Position
	Progress   *Progress
}

// Subscribed registers a subscriber of a partition. When there is one already
// it is returned with false.
func (h *Handle) Subscribed(d *Direct) (*Direct, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.direct[d.Key]; old != nil {
		return old, false
	}
	h.direct[d.Key] = d
	return d, true
}

// Unsubscribed forgets a direct subscription.
func (h *Handle) Unsubscribed(d *Direct) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.direct[d.Key] == d {
		delete(h.direct, d.Key)
	}
}

// Directs are all direct subscriptions.
func (h *Handle) Directs() []*Direct {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*Direct, 0, len(h.direct))
	for _, d := range h.direct {
		list = append(list, d)
	}
	return list
}
