package kafkatest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// memConn is one end of a connection.
type memConn struct {
	network       *Network
	host, to      string // who dialled, and what
	local, remote memAddr
	in, out       *memPipe
	linger        bool // Close resets
}

func (c *memConn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.wrap("read", err)
}

func (c *memConn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.wrap("write", err)
}

func (c *memConn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Close sends what was written and an end of file; the peer's later writes fail.
func (c *memConn) Close() error {
	if !c.in.closeReader() {
		return c.wrap("close", net.ErrClosed)
	}
	if c.linger {
		c.in.reset()
		c.out.reset()
	}
	c.out.closeWriter()
	c.forget()
	return nil
}

// forget drops the connection from the network's list; whichever end is closed first does it.
func (c *memConn) forget() {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	delete(c.network.conns, c.in)
	delete(c.network.conns, c.out)
}

// CloseWrite sends an end of file and keeps reading, as *net.TCPConn does.
func (c *memConn) CloseWrite() error {
	c.out.closeWriter()
	return nil
}

// SetLinger with 0 makes Close a reset, as *net.TCPConn does. Other values change nothing. Call it before Close only.
func (c *memConn) SetLinger(seconds int) error {
	c.linger = seconds == 0
	return nil
}

func (c *memConn) LocalAddr() net.Addr  { return c.local }
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

func (c *memConn) SetDeadline(t time.Time) error {
	return firstError(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	return c.wrap("set", c.in.setDeadline(&c.in.readDeadline, t))
}

func (c *memConn) SetWriteDeadline(t time.Time) error {
	return c.wrap("set", c.out.setDeadline(&c.out.writeDeadline, t))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// memPipe is one direction of a connection. Its waits are sync.Cond waits, which a synctest bubble understands; timers
// wake them for deadlines and for bytes that arrive later.
type memPipe struct {
	latency time.Duration
	limit   int

	mu            sync.Mutex
	cond          *sync.Cond
	segments      []segment // in order of arrival
	size          int       // bytes in segments
	held          bool      // a partition: nothing arrives
	wasReset      bool
	writerClosed  bool
	eofAt         time.Time // when the end of file arrives
	readerClosed  bool
	readDeadline  memDeadline
	writeDeadline memDeadline
}

type segment struct {
	data []byte
	due  time.Time
}

type memDeadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *memDeadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newMemPipe(rule LinkRule) *memPipe {
	p := &memPipe{latency: rule.Latency, limit: rule.Buffer}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *memPipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	written := 0
	for {
		if err := p.writeError(); err != nil {
			return written, err
		}
		if len(b) == 0 {
			return written, nil
		}
		if room := p.limit - p.size; room > 0 {
			k := min(room, len(b))
			p.add(b[:k])
			b, written = b[k:], written+k
			continue
		}
		p.cond.Wait()
	}
}

func (p *memPipe) writeError() error {
	switch {
	case p.writerClosed:
		return net.ErrClosed
	case p.wasReset:
		return syscall.ECONNRESET
	case p.readerClosed:
		return syscall.EPIPE
	case p.writeDeadline.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// add copies b. Without latency it joins the last segment while that has room.
func (p *memPipe) add(b []byte) {
	p.size += len(b)
	defer p.cond.Broadcast()
	due := time.Time{}
	if p.latency > 0 {
		due = time.Now().Add(p.latency)
		p.wakeAt(due)
	}
	if last := len(p.segments) - 1; last >= 0 && p.segments[last].due.Equal(due) && cap(p.segments[last].data)-len(p.segments[last].data) >= len(b) {
		p.segments[last].data = append(p.segments[last].data, b...)
		return
	}
	data := make([]byte, len(b), max(len(b), 512))
	copy(data, b)
	p.segments = append(p.segments, segment{data, due})
}

// wakeAt makes waiters look again at a time to come.
func (p *memPipe) wakeAt(t time.Time) *time.Timer {
	return time.AfterFunc(time.Until(t), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cond.Broadcast()
	})
}

func (p *memPipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readerClosed:
			return 0, net.ErrClosed
		case p.wasReset:
			return 0, syscall.ECONNRESET
		case p.readDeadline.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		}
		if !p.held {
			if n := p.take(b); n > 0 {
				p.cond.Broadcast()
				return n, nil
			}
			if p.writerClosed && len(p.segments) == 0 && !time.Now().Before(p.eofAt) {
				return 0, io.EOF
			}
		}
		p.cond.Wait()
	}
}

// take moves what has arrived into b.
func (p *memPipe) take(b []byte) int {
	n := 0
	now := time.Now()
	for len(p.segments) > 0 && n < len(b) {
		s := &p.segments[0]
		if !s.due.IsZero() && now.Before(s.due) {
			break
		}
		k := copy(b[n:], s.data)
		n += k
		if s.data = s.data[k:]; len(s.data) == 0 {
			p.segments[0] = segment{}
			p.segments = p.segments[1:]
		}
	}
	p.size -= n
	return n
}

func (p *memPipe) closeWriter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writerClosed {
		return
	}
	p.writerClosed = true
	p.writeDeadline.stop()
	if p.latency > 0 {
		p.eofAt = time.Now().Add(p.latency)
		p.wakeAt(p.eofAt)
	}
	p.cond.Broadcast()
}

// closeReader tells whether the end was open.
func (p *memPipe) closeReader() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readerClosed {
		return false
	}
	p.readerClosed = true
	p.readDeadline.stop()
	p.segments, p.size = nil, 0
	p.cond.Broadcast()
	return true
}

func (p *memPipe) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wasReset = true
	p.segments, p.size = nil, 0
	p.cond.Broadcast()
}

func (p *memPipe) hold(held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = held
	p.cond.Broadcast()
}

// setDeadline fails on an end that was closed; d is one of p's two deadlines.
func (p *memPipe) setDeadline(d *memDeadline, t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d == &p.readDeadline && p.readerClosed || d == &p.writeDeadline && p.writerClosed {
		return net.ErrClosed
	}
	d.stop()
	d.at = t
	if !t.IsZero() && time.Now().Before(t) {
		d.timer = p.wakeAt(t)
	}
	p.cond.Broadcast()
	return nil
}

func (d *memDeadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
