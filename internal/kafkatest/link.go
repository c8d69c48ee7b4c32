package kafkatest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// link is one proxied connection: two flows, each with a reader that applies what happens to bytes and a writer that
// applies what happens to time, with a bounded queue between them.
type link struct {
	proxy  *Proxy
	client net.Conn
	target net.Conn
	ended  chan struct{}
	end    sync.Once
	orphan bool // HalfOpen: the target's side is gone and the client does not know; guarded by Proxy.mu
}

const (
	pieceSize   = 16 << 10
	queuePieces = 1024 // pieces between reader and writer
)

type piece struct {
	data []byte
	due  time.Time
	cut  bool // the connection ends after these bytes
}

func newLink(p *Proxy, client, target net.Conn) *link {
	return &link{proxy: p, client: client, target: target, ended: make(chan struct{})}
}

// run returns when both flows have ended.
func (l *link) run() {
	var both sync.WaitGroup
	both.Add(2)
	for _, up := range []bool{true, false} {
		go func() {
			defer both.Done()
			l.flow(up)
		}()
	}
	both.Wait()
	l.finish(false)
}

func (l *link) flow(up bool) {
	queue := make(chan piece, queuePieces)
	var writer sync.WaitGroup
	writer.Add(1)
	go func() {
		defer writer.Done()
		l.write(up, queue)
	}()
	l.read(up, queue)
	close(queue)
	writer.Wait()
}

// finish closes both sides, once.
func (l *link) finish(reset bool) {
	l.end.Do(func() {
		close(l.ended)
		if reset {
			resetConn(l.client)
			resetConn(l.target)
			return
		}
		_ = l.client.Close()
		_ = l.target.Close()
	})
}

func (l *link) reset() { l.finish(true) }

// settings are the faults of one direction now, and what tells of their next change.
func (l *link) settings(up bool) (flow Flow, revision uint64, orphan bool, changed <-chan struct{}) {
	p := l.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	flow = p.faults.Down
	if up {
		flow = p.faults.Up
	}
	return flow, p.revision, l.orphan, p.changed
}

// read takes bytes from the sending side until it ends.
func (l *link) read(up bool, queue chan<- piece) {
	from := l.target
	if up {
		from = l.client
	}
	var passed int64 // since the last Set
	var last uint64
	buf := make([]byte, pieceSize)
	for {
		n, err := from.Read(buf)
		flow, revision, orphan, _ := l.settings(up)
		if revision != last {
			last, passed = revision, 0
		}
		if n > 0 && !orphan {
			if !l.queue(l.alter(flow, bytes.Clone(buf[:n]), &passed), queue) {
				return
			}
		}
		if err != nil {
			l.readFailed(up, err)
			return
		}
	}
}

// readFailed passes an abrupt end on. An end of file needs nothing: the writer half-closes when the queue is empty.
func (l *link) readFailed(up bool, err error) {
	_, _, orphan, _ := l.settings(up)
	if orphan && !up {
		return // the client must not notice
	}
	if !errors.Is(err, io.EOF) {
		l.finish(true)
	}
}

// alter applies what happens to bytes. It may return an empty piece.
func (l *link) alter(flow Flow, data []byte, passed *int64) piece {
	if flow.Drop {
		l.proxy.count(func(s *ProxyStats) { s.Dropped += int64(len(data)) })
		return piece{}
	}
	start := *passed
	*passed += int64(len(data))
	if at := flow.CorruptAt; at > start && at <= *passed {
		data[at-start-1] ^= 0xff
		l.proxy.count(func(s *ProxyStats) { s.Corrupted++ })
	}
	out := piece{data: data, due: time.Now().Add(flow.Delay)}
	if flow.Jitter > 0 {
		out.due = out.due.Add(rand.N(flow.Jitter + 1))
	}
	if flow.CutAfter > 0 && *passed >= flow.CutAfter {
		out.data, out.cut = data[:max(0, flow.CutAfter-start)], true
	}
	return out
}

func (l *link) queue(p piece, queue chan<- piece) bool {
	if len(p.data) == 0 && !p.cut {
		return true
	}
	select {
	case queue <- p:
		return !p.cut
	case <-l.ended:
		return false
	}
}

// write hands the pieces to the receiving side when their time has come.
func (l *link) write(up bool, queue <-chan piece) {
	for p := range queue {
		if !l.await(up, p.due) || !l.send(up, p.data) {
			continue // the link has ended: drain, so that the reader can
		}
		if p.cut {
			flow, _, _, _ := l.settings(up)
			l.proxy.count(func(s *ProxyStats) { s.Cuts++ })
			l.finish(flow.CutReset)
		}
	}
	_, _, orphan, _ := l.settings(up)
	if orphan && !up {
		return
	}
	to := l.client
	if up {
		to = l.target
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = to.Close() // no half-close: the end of one direction ends the other
}

// await blocks until due and while the flow is held. It returns false when the link has ended.
func (l *link) await(up bool, due time.Time) bool {
	for {
		flow, _, _, changed := l.settings(up)
		wait := time.Until(due)
		if wait <= 0 && !flow.Hold {
			return true
		}
		var timer <-chan time.Time
		if wait > 0 {
			timer = time.After(wait)
		}
		select {
		case <-timer:
		case <-changed:
		case <-l.ended:
			return false
		}
	}
}

// send writes at the flow's pace.
func (l *link) send(up bool, data []byte) bool {
	for len(data) > 0 {
		flow, _, orphan, changed := l.settings(up)
		if orphan {
			return false
		}
		part := data
		if most := max(1, flow.BytesPerSecond/50); flow.BytesPerSecond > 0 && len(part) > most {
			part = part[:most] // at most 20 ms worth at a time
		}
		if !l.put(up, part) {
			return false
		}
		data = data[len(part):]
		if flow.BytesPerSecond > 0 {
			pace := time.Duration(len(part)) * time.Second / time.Duration(flow.BytesPerSecond)
			select {
			case <-time.After(pace):
			case <-changed:
			case <-l.ended:
				return false
			}
		}
	}
	return true
}

func (l *link) put(up bool, data []byte) bool {
	to := l.client
	if up {
		to = l.target
	}
	n, err := to.Write(data)
	l.proxy.count(func(s *ProxyStats) {
		if up {
			s.BytesUp += int64(n)
		} else {
			s.BytesDown += int64(n)
		}
	})
	if err == nil {
		return true
	}
	if _, _, orphan, _ := l.settings(up); !orphan {
		l.finish(true)
	}
	return false
}
