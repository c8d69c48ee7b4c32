package handle

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/behaviors"
)

// SetHandler tells where the partition's handler is.
func (p *Progress) SetHandler(pid *actor.PID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = pid
}

// Handler is where the partition's handler is; nil while there is none.
func (p *Progress) Handler() *actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handler
}

// SetPaused says whether the partition is paused, over restarts of its worker.
func (p *Progress) SetPaused(paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = paused
}

// Paused says whether the partition is paused.
func (p *Progress) Paused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused
}

// Stop ends the work on the partition for good.
func (p *Progress) Stop(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = err
}

// Stopped is why the work on the partition has ended; nil: it goes on.
func (p *Progress) Stopped() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// Failing counts a failure at an offset, and returns how many there were there in a
// row.
func (p *Progress) Failing(offset int64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failures == 0 || offset != p.failedAt {
		p.failedAt, p.failures = offset, 0
	}
	p.failures++
	return p.failures
}

// Failures is what Failing returned last, or 0 if what failed is done with.
func (p *Progress) Failures() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures
}

// Seek makes a position the one to go on from after a restart, whatever is acked.
// An old lease changes nothing.
func (p *Progress) Seek(lease uint64, to behaviors.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lease != lease {
		return
	}
	p.floor, p.acked, p.begun, p.moved, p.failures = 0, false, false, false, 0
	p.sought = &to
	p.turn++
}

// Sought is the position of the last Seek; nil: there was none.
func (p *Progress) Sought() *behaviors.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sought
}
