package wire

import (
	"net"
	"time"
)

// writer is the state of a connection's writer goroutine.
type writer struct {
	c        *Conn
	gather   gather
	batch    []queued
	sending  []pending
	held     []Vectored // whose buffers are in gather
	refused  []refusal
	oneway   []pending // a spare backing array for Conn.oneway
	rest     net.Buffers
	joined   []byte
	id       int32
	position uint64
}

type refusal struct {
	call *Call
	err  error
}

// write is the writer goroutine: it takes what is queued, encodes it, registers
// it as in flight, and writes it all at once.
func (c *Conn) write() {
	defer c.leave()
	defer c.catch("the Wrote hook")
	w := &writer{c: c, batch: make([]queued, 0, writeCalls)}
	w.gather.header, w.gather.max = c.header, c.cfg.MaxRequest
	defer w.release()
	for w.next() {
		w.encode()
		open := w.register()
		w.refuse()
		if open && len(w.sending) > 0 {
			w.flush()
		}
		w.release()
		w.gather.reset()
		clear(w.sending) // an idle writer keeps no caller's memory
	}
}

// next waits for calls and looks at the oldest. False ends the writer.
func (w *writer) next() bool {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.cause == nil && c.queue.len() == 0 {
		c.work.Wait()
	}
	w.batch = c.queue.peek(w.batch)
	return c.cause == nil
}

// encode turns calls into frames until a write is full; the others stay queued.
func (w *writer) encode() {
	now := w.c.now()
	w.sending = w.sending[:0]
	for i := range w.batch {
		if w.gather.bytes >= writeBytes {
			w.batch = w.batch[:i]
			break
		}
		w.encodeOne(&w.batch[i], now)
	}
	w.gather.flush()
}

func (w *writer) encodeOne(q *queued, now time.Duration) {
	size, err := w.gather.add(q.call, w.id)
	if err != nil {
		w.refused = append(w.refused, refusal{q.call, err})
		return
	}
	if v, ok := q.call.Request.(Vectored); ok {
		w.held = append(w.held, v)
	}
	p := pending{call: q.call, id: w.id, size: size, at: q.at, sent: now, deadline: q.deadline}
	p.start, p.end = w.position, w.position+uint64(size)+4
	w.position = p.end
	w.sending = append(w.sending, p)
	w.id = nextCorrelation(w.id)
}

// register moves what is encoded from the queue to where answers and deadlines
// find it; before the first byte is written, as the answer may be faster than
// the return from the write. It tells whether the connection is still open.
func (w *writer) register() bool {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue.drop(len(w.batch))
	for i := range w.sending {
		if w.sending[i].call.NoResponse {
			c.oneway = append(c.oneway, w.sending[i])
		} else {
			c.flight.push(w.sending[i])
		}
	}
	clear(w.batch)
	if c.cause != nil {
		return false
	}
	c.begun = w.position
	c.stats.Requests += uint64(len(w.sending))
	c.stats.Writes++
	return true
}

// refuse answers the calls that could not be encoded.
func (w *writer) refuse() {
	for _, r := range w.refused {
		if v, ok := r.call.Request.(Vectored); ok {
			w.c.release(v)
		}
		w.c.finish(r.call, Result{Err: r.err})
	}
	clear(w.refused)
	w.refused = w.refused[:0]
}

// flush writes what is gathered and answers the calls that expect nothing else.
func (w *writer) flush() {
	c := w.c
	began := c.now()
	n, err := w.send()
	c.mu.Lock()
	c.taken += uint64(n)
	c.stats.BytesWritten += uint64(n)
	var oneway []pending
	if err == nil {
		oneway, c.oneway = c.oneway, w.oneway[:0]
		w.oneway = nil
	}
	c.mu.Unlock()
	if hook := c.cfg.Hooks.Wrote; hook != nil {
		hook(c, len(w.sending), w.gather.bytes, c.now()-began, err)
	}
	if err != nil {
		c.fail(&ConnError{Stage: StageWrite, Cause: err})
		return
	}
	w.answerOneway(oneway)
}

// answerOneway answers calls whose request is written and has no answer.
func (w *writer) answerOneway(oneway []pending) {
	for i := range oneway {
		p := &oneway[i]
		w.c.finish(p.call, Result{Written: true, Queued: p.sent - p.at, RequestBytes: p.size})
	}
	clear(oneway)
	w.oneway = oneway[:0]
}

// release gives Vectored requests their buffers back.
func (w *writer) release() {
	for i, v := range w.held {
		w.held[i] = nil
		w.c.release(v)
	}
	w.held = w.held[:0]
}

// vectoring tells whether a connection has writev.
func vectoring(conn net.Conn) bool {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// send writes the gathered buffers: with one writev where there is one, else
// with small buffers joined into writes of a good size (a TLS record holds 16
// KiB) and large ones as they are.
func (w *writer) send() (int64, error) {
	if len(w.gather.vecs) == 1 {
		n, err := w.c.net.Write(w.gather.vecs[0])
		return int64(n), err
	}
	if vectoring(w.c.net) {
		// WriteTo eats the slice that it is called on.
		w.rest = w.gather.vecs
		return w.rest.WriteTo(w.c.net)
	}
	return w.coalesce()
}

const (
	joinBelow = 16 << 10
	joinUpTo  = 64 << 10
)

func (w *writer) coalesce() (total int64, err error) {
	put := func(b []byte) {
		if err == nil && len(b) > 0 {
			var n int
			n, err = w.c.net.Write(b)
			total += int64(n)
		}
	}
	w.joined = w.joined[:0]
	for _, b := range w.gather.vecs {
		if len(b) >= joinBelow || len(w.joined)+len(b) > joinUpTo {
			put(w.joined)
			w.joined = w.joined[:0]
		}
		if len(b) >= joinBelow {
			put(b)
			continue
		}
		w.joined = append(w.joined, b...)
	}
	put(w.joined)
	return total, err
}
