package wire

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Conn is one connection to a broker. Its requests are pipelined and answered
// through their Calls. Two goroutines belong to it, a reader and a writer; they
// end with it. All methods are safe for concurrent use and none waits for the
// network but Do.
type Conn struct {
	address  string
	cfg      Config
	net      net.Conn // what is read and written, TLS or not
	raw      net.Conn // what is closed; closing it unblocks both goroutines
	secure   bool
	frames   *frameReader
	header   requestHeader
	versions Versions
	chosen   *chosen
	lifetime time.Duration
	epoch    time.Time

	mu     sync.Mutex // never held over I/O or a callback
	work   sync.Cond  // the writer waits here for the queue
	queue  callQueue
	flight inflight
	oneway []pending // written or being written, and not to be answered
	cause  *ConnError
	timer  *time.Timer
	armed  time.Duration // when the timer fires; 0 = it is not set
	begun  uint64        // bytes handed to the socket, accepted or not
	taken  uint64        // bytes that the socket accepted
	stats  Stats

	running atomic.Int32
	done    chan struct{}
}

// Stats are a connection's counters since it was made.
type Stats struct {
	Requests, Answers       uint64
	BytesWritten, BytesRead uint64
	Writes                  uint64 // system calls or their like; Requests/Writes is the batching
	Queued, InFlight        int    // at the moment
	OldestInFlight          time.Duration
	Open                    time.Duration
}

// start sets the goroutines to work on a connection that is through its
// handshake.
func (c *Conn) start() {
	c.work.L = &c.mu
	c.epoch = time.Now()
	c.done = make(chan struct{})
	c.chosen = c.versions.chooseAll(c.cfg.Pins)
	c.timer = time.AfterFunc(c.cfg.RequestTimeout, c.expire)
	c.armed = c.cfg.RequestTimeout
	c.running.Store(2)
	go c.read()
	go c.write()
}

// now is the time since the connection was made; cheaper than time.Now.
func (c *Conn) now() time.Duration { return time.Since(c.epoch) }

// Address is what was given to Dial.
func (c *Conn) Address() string { return c.address }

// Versions is what the broker offers.
func (c *Conn) Versions() Versions { return c.versions }

// Version is the version in which requests of an API are sent: the highest that
// both sides speak, or the pinned one. Its error is a *VersionError.
func (c *Conn) Version(key int16) (int16, error) {
	if knownAPI(key) != nil && c.chosen[key] != noVersion {
		return c.chosen[key], nil
	}
	return c.versions.choose(key, c.cfg.Pins)
}

// Secure tells whether the connection is encrypted.
func (c *Conn) Secure() bool { return c.secure }

// SessionLifetime is how long the login is good for (KIP-368), counted from
// Dial's return; 0 means without end.
func (c *Conn) SessionLifetime() time.Duration { return c.lifetime }

// Done is closed when the connection has ended, every call is answered and both
// goroutines are through.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the connection ended, a *ConnError; nil while it is open.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		return nil
	}
	return c.cause
}

// InFlight counts the calls that are queued or wait for an answer.
func (c *Conn) InFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outstanding()
}

func (c *Conn) outstanding() int { return c.queue.len() + c.flight.live + len(c.oneway) }

// Stats reads the counters.
func (c *Conn) Stats() Stats {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Queued, s.InFlight, s.Open = c.queue.len(), c.flight.live+len(c.oneway), now
	c.flight.each(func(p *pending) { s.OldestInFlight = max(s.OldestInFlight, now-p.at) })
	return s
}

// Close ends the connection at once; it does not wait. What is queued fails as
// not written, what is in flight as unsure; their error wraps cause, which may
// be nil. Only the first Close counts.
func (c *Conn) Close(cause error) {
	c.fail(&ConnError{Stage: StageClosed, Cause: cause})
}

// fail ends the connection for a reason. It may be called from anywhere, with
// no lock held, and does not block.
func (c *Conn) fail(cause *ConnError) {
	cause.Address, cause.API, cause.Written = c.address, -1, false
	c.mu.Lock()
	if c.cause != nil {
		c.addPanic(cause.Cause)
		c.mu.Unlock()
		return
	}
	c.cause = cause
	c.timer.Stop()
	c.running.Add(1)
	c.work.Broadcast()
	c.mu.Unlock()
	go func() {
		_ = c.raw.Close()
		c.leave()
	}()
}

// addPanic keeps a panic that came after the connection's end, so that Err and
// the Closed hook tell it. The lock is held.
func (c *Conn) addPanic(err error) {
	var p *panicError
	if errors.As(err, &p) {
		told := *c.cause
		told.Cause = errors.Join(told.Cause, p)
		c.cause = &told
	}
}

// leave is called by each of the connection's goroutines as its last act; the
// last one settles what is left.
func (c *Conn) leave() {
	if c.running.Add(-1) == 0 {
		c.settle()
	}
}

// catch, deferred, turns a panic of a caller's code on a goroutine of the
// connection into the connection's end.
func (c *Conn) catch(where string) {
	if v := recover(); v != nil {
		c.fail(&ConnError{Stage: StageClosed, Cause: &panicError{where, v, debug.Stack()}})
	}
}

// finish gives a call its outcome on a goroutine of the connection.
func (c *Conn) finish(call *Call, r Result) {
	defer c.catch("Done")
	finish(call, r)
}

// release gives a Vectored request its buffers back on a goroutine of the
// connection.
func (c *Conn) release(v Vectored) {
	defer c.catch("Release")
	v.Release()
}

// settle answers every call that is left. No other goroutine is at work.
func (c *Conn) settle() {
	c.mu.Lock()
	cause, flight, queue, oneway := c.cause, c.flight, c.queue, c.oneway
	c.flight, c.queue, c.oneway = inflight{}, callQueue{}, nil
	c.mu.Unlock()
	for i := range oneway {
		c.settleWritten(&oneway[i], cause)
	}
	flight.each(func(p *pending) { c.settleWritten(p, cause) })
	queue.each(func(q *queued) {
		if v, ok := q.call.Request.(Vectored); ok {
			c.release(v)
		}
		c.settleCall(q.call, cause, false)
	})
	defer close(c.done)
	defer c.catch("the Closed hook")
	if c.cfg.Hooks.Closed != nil {
		c.cfg.Hooks.Closed(c, c.Err())
	}
}

// settleWritten fails a call of which the socket was given some bytes. A frame
// that was not taken whole by the kernel is none to the broker; other kinds of
// connection are not believed about how much they passed on.
func (c *Conn) settleWritten(p *pending, cause *ConnError) {
	written := p.start < c.begun
	if vectoring(c.net) {
		written = p.end <= c.taken
	}
	c.settleCall(p.call, cause, written)
}

func (c *Conn) settleCall(call *Call, cause *ConnError, written bool) {
	err := *cause
	err.API, err.Written = call.Request.Key(), written
	c.finish(call, Result{Err: &err, Written: written})
}

// expire runs when the timer fires: the one timer of the connection. It is set
// for the earliest deadline that was known when it was set; a deadline that is
// later than that does not touch it, so that in the ordinary case it fires once
// in a request's timeout, finds nothing and is set again.
func (c *Conn) expire() {
	c.mu.Lock()
	c.armed = 0
	if c.cause != nil {
		c.mu.Unlock()
		return
	}
	now := c.now()
	deadline, late := c.earliest()
	if late == nil {
		c.mu.Unlock()
		return
	}
	if deadline > now {
		c.arm(deadline, now)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.fail(&ConnError{Stage: StageDeadline, Cause: late})
}

// arm sets the timer for a deadline unless it fires before that anyway. The
// lock is held.
func (c *Conn) arm(deadline, now time.Duration) {
	if c.armed != 0 && c.armed <= deadline {
		return
	}
	c.armed = deadline
	c.timer.Reset(deadline - now)
}

// earliest finds the first deadline of all calls, and what to say if it has
// passed. The lock is held.
func (c *Conn) earliest() (first time.Duration, late *deadlineError) {
	consider := func(call *Call, at, deadline time.Duration, queued bool) {
		if late == nil || deadline < first {
			first = deadline
			late = &deadlineError{call.Request.Key(), deadline - at, queued}
		}
	}
	c.flight.each(func(p *pending) { consider(p.call, p.at, p.deadline, p.end > c.taken) })
	for i := range c.oneway {
		consider(c.oneway[i].call, c.oneway[i].at, c.oneway[i].deadline, true)
	}
	c.queue.each(func(q *queued) { consider(q.call, q.at, q.deadline, true) })
	return first, late
}

// Do sends a request and waits for its answer, until ctx ends or
// Config.RequestTimeout has passed. If ctx ends first the request may still
// take effect, its answer is dropped, the connection goes on, and req must not
// be used again. Error codes within the answer are for the caller to read.
func (c *Conn) Do(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, &CallError{API: req.Key(), Kind: ErrTimeout, Cause: context.Cause(ctx)}
	}
	got := make(chan Result, 1)
	c.Send(&Call{Request: req, Done: func(r Result) { got <- r }})
	select {
	case r := <-got:
		return r.Response, r.Err
	case <-ctx.Done():
		return nil, &CallError{API: req.Key(), Kind: ErrTimeout, Written: true, Cause: context.Cause(ctx)}
	}
}
