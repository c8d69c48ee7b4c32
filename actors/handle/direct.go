package handle

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/behaviors"
)

// Direct is a partition that a PID subscribed to by itself. It survives its
// consumer, and ends with its subscriber.
type Direct struct {
	Key        Partition
	Subscriber *actor.PID
	Progress   *Progress

	mu    sync.Mutex
	begin behaviors.Position
}

// NewDirect is a subscription that begins at a position.
func NewDirect(key Partition, subscriber *actor.PID, begin behaviors.Position) *Direct {
	return &Direct{Key: key, Subscriber: subscriber, Progress: &Progress{}, begin: begin}
}

// Begin is where the partition is read from that has no ack yet.
func (d *Direct) Begin() behaviors.Position {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begin
}

// Again begins anew at a position, whatever was acked.
func (d *Direct) Again(begin behaviors.Position) {
	d.mu.Lock()
	d.begin = begin
	d.mu.Unlock()
	d.Progress.forget()
}

// Subscribed registers a subscriber of a partition, in place of what the same one
// had before. It is false when another has the partition.
func (h *Handle) Subscribed(d *Direct) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.direct[d.Key]; old != nil && !old.Subscriber.Equal(d.Subscriber) {
		return false
	}
	h.direct[d.Key] = d
	return true
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
