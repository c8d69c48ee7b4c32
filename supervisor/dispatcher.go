package supervisor

import (
	"sync"
	"time"
)

// pool is a dispatcher that keeps the goroutines of idle actors for the next
// ones, with the stacks they have grown; that is most of what an activation
// costs otherwise. It starts a goroutine when none is idle, so an actor that
// blocks holds up nobody.
//
// A goroutine that was not needed for an idleTime ends. The sweep that sees to
// it runs only while there are idle ones, so an idle system has none of ours.
// Safe for concurrent use.
type pool struct {
	stopped func() bool // the system's; nothing is kept idle then

	mu       sync.Mutex
	idle     []chan func() // the one used last is last
	spare    int           // idle ones that were not needed since the last sweep
	sweeping bool
}

const (
	idleTime   = time.Second
	throughput = 300 // messages in a turn before others get theirs
)

func newPool(stopped func() bool) *pool { return &pool{stopped: stopped} }

// Schedule runs fn on a goroutine of the pool. It does not block.
func (p *pool) Schedule(fn func()) {
	p.mu.Lock()
	n := len(p.idle)
	if n == 0 {
		p.mu.Unlock()
		go p.work(fn)
		return
	}
	work := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	p.spare = min(p.spare, n-1)
	p.mu.Unlock()
	work <- fn
}

// Throughput is the number of messages in a turn.
func (p *pool) Throughput() int { return throughput }

// work is the life of a goroutine. A runtime.Goexit in fn ends it early.
func (p *pool) work(fn func()) {
	work := make(chan func(), 1)
	for fn != nil {
		fn()
		p.park(work)
		fn = <-work
	}
}

func (p *pool) park(work chan func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, work)
	if !p.sweeping {
		p.sweeping, p.spare = true, 0
		time.AfterFunc(idleTime, p.sweep)
	}
}

// sweep ends those that were idle all the time since the last sweep.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.spare
	if p.stopped() {
		n = len(p.idle)
	}
	for _, work := range p.idle[:n] {
		work <- nil
	}
	rest := copy(p.idle, p.idle[n:])
	clear(p.idle[rest:])
	p.idle = p.idle[:rest]
	p.spare = rest
	if rest == 0 {
		p.idle, p.sweeping = nil, false
		return
	}
	time.AfterFunc(idleTime, p.sweep)
}
