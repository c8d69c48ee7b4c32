package wire

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// read is the reader goroutine: it cuts the stream into answers and gives each
// to the call that waits for it.
func (c *Conn) read() {
	defer c.leave()
	defer c.catch("the reader")
	var reads uint64
	var now time.Duration
	for {
		size, id, memory, err := c.nextAnswer()
		var body []byte
		if err == nil {
			body, err = c.frames.body(size, memory)
		}
		if err != nil {
			c.failRead(err)
			return
		}
		if c.frames.reads != reads { // one look at the clock for all that came at once
			reads, now = c.frames.reads, c.now()
		}
		p, ok := c.take(id, size)
		if !ok {
			c.failRead(c.unsolicited(size, id))
			return
		}
		c.deliver(&p, body, now)
	}
}

// nextAnswer reads length and correlation id; size is that of the rest. An
// answer that nobody waits for is refused before a large body is read. memory is
// where a large one goes, nil if that is left to us.
func (c *Conn) nextAnswer() (size int, id int32, memory []byte, err error) {
	if size, err = c.frames.size(4); err != nil {
		return 0, 0, nil, err
	}
	if id, err = c.frames.correlation(); err != nil {
		return 0, 0, nil, err
	}
	size -= 4
	if size > slabFrame {
		call := c.waiting(id)
		if call == nil {
			return 0, 0, nil, c.unsolicited(size, id)
		}
		if call.Memory != nil {
			memory = call.Memory(size)
		}
	}
	return size, id, memory, nil
}

// waiting is the call that waits for an answer, nil if none does.
func (c *Conn) waiting(id int32) *Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.flight.find(id); at >= 0 {
		return c.flight.slot(at).call
	}
	return nil
}

func (c *Conn) unsolicited(size int, id int32) error {
	return &FrameError{Size: int32(size) + 4, Max: c.cfg.MaxFrame, Reason: fmt.Sprintf("it answers correlation id %d, which no call waits for", id)}
}

func (c *Conn) take(id int32, size int) (pending, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.flight.take(id)
	if ok {
		c.stats.Answers++
		c.stats.BytesRead += uint64(size) + 8
	}
	return p, ok
}

// failRead ends the connection after a read that failed, with a hint where the
// reason is a usual one.
func (c *Conn) failRead(err error) {
	cause := &ConnError{Stage: StageRead, Cause: err}
	c.mu.Lock()
	silent := c.stats.Answers == 0 && c.flight.live > 0
	c.mu.Unlock()
	switch {
	case isAlert(err):
		cause.Hint = hintCertificate
	case silent && isCut(err) && c.cfg.SASL == nil:
		cause.Hint = hintNeedsLogin
	}
	c.fail(cause)
}

// deliver decodes an answer and gives it to its call. A body that cannot be
// decoded fails this call alone: the stream is still in step.
func (c *Conn) deliver(p *pending, body []byte, now time.Duration) {
	req := p.call.Request
	r := Result{Written: true, Queued: p.sent - p.at, RoundTrip: now - p.sent, RequestBytes: p.size, ResponseBytes: len(body) + 4}
	shared := len(body) <= slabFrame
	body, err := skipResponseHeader(body, req.Key(), req.IsFlexible())
	switch {
	case err != nil:
	case p.call.Raw:
		if shared {
			body = append(make([]byte, 0, len(body)), body...)
		}
		r.Body = body
		r.Throttle, r.Throttled = rawThrottle(req, body)
	default:
		r.Response, err = decode(req, body)
		if t, ok := r.Response.(kmsg.ThrottleResponse); ok {
			millis, after := t.Throttle()
			r.Throttle, r.Throttled = time.Duration(millis)*time.Millisecond, after && millis > 0
		}
	}
	if err != nil {
		r.Response = nil
		r.Err = &CallError{API: req.Key(), Kind: ErrCorrupt, Written: true, Cause: err}
	}
	c.finish(p.call, r)
}

// decode reads a body into the response that the request asks for. The decoder
// is not trusted with hostile bytes: a panic of it is an error.
func decode(req kmsg.Request, body []byte) (resp kmsg.Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			resp, err = nil, &panicError{"the response's decoder", v, debug.Stack()}
		}
	}()
	resp = req.ResponseKind()
	if err := resp.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("the answer of %d bytes does not decode as v%d: %w", len(body), req.GetVersion(), err)
	}
	return resp, nil
}

// rawThrottle finds the throttle time of a raw Fetch answer, which begins with
// it since v1; since v8 it is the client's to wait. Other raw answers are not
// looked into.
func rawThrottle(req kmsg.Request, body []byte) (time.Duration, bool) {
	version := req.GetVersion()
	if req.Key() != keyFetch || version < 1 || len(body) < 4 {
		return 0, false
	}
	millis := int32(binary.BigEndian.Uint32(body))
	return time.Duration(millis) * time.Millisecond, version >= 8 && millis > 0
}
