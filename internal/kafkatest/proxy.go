package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// ProxyOptions are the ends of a proxy. The zero value listens on a free port of 127.0.0.1 and dials TCP.
type ProxyOptions struct {
	Listen  func(network, address string) (net.Listener, error)                  // nil = net.Listen
	Dial    func(ctx context.Context, network, address string) (net.Conn, error) // nil = a net.Dialer's DialContext
	Address string                                                               // where to listen; "" = 127.0.0.1:0
}

// Proxy passes TCP connections on to a target and does to them what its Faults say, which may change at any time. Over
// a Network's Listen and Dial it works inside a testing/synctest bubble. Safe for concurrent use.
type Proxy struct {
	target string
	opts   ProxyOptions
	addr   string
	ctx    context.Context // ends with the proxy
	stop   context.CancelFunc
	tasks  sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener // nil while Down
	faults   Faults
	revision uint64        // counts Sets: offsets in Faults count from the last
	changed  chan struct{} // closed and renewed by Set
	links    map[*link]struct{}
	stats    ProxyStats
	closed   bool
}

// ProxyStats counts what went through a proxy since it started.
type ProxyStats struct {
	Accepted  int64 // connections passed on
	Refused   int64 // connections reset at once: Refuse, MaxConns, or a target that does not answer
	Open      int   // connections now
	Resets    int64 // connections ended by Reset
	HalfOpen  int64 // connections cut off from their target by HalfOpen
	Cuts      int64 // connections ended by CutAfter
	Corrupted int64 // bytes changed by CorruptAt
	Dropped   int64 // bytes swallowed by Drop
	BytesUp   int64 // bytes handed to the target
	BytesDown int64 // bytes handed to the client
}

// NewProxy is OpenProxy for a test: a failure ends the test, whose end closes the proxy.
func NewProxy(tb TB, target string, options ProxyOptions) *Proxy {
	tb.Helper()
	p, err := OpenProxy(target, options)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() { _ = p.Close() })
	return p
}

// OpenProxy starts a proxy before target ("host:port"), which need not listen yet.
func OpenProxy(target string, options ProxyOptions) (*Proxy, error) {
	if options.Listen == nil {
		options.Listen = net.Listen
	}
	if options.Dial == nil {
		options.Dial = new(net.Dialer).DialContext
	}
	if options.Address == "" {
		options.Address = "127.0.0.1:0"
	}
	p := &Proxy{target: target, opts: options, changed: make(chan struct{}), links: map[*link]struct{}{}}
	p.ctx, p.stop = context.WithCancel(context.Background())
	if err := p.listen(options.Address); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *Proxy) listen(address string) error {
	listener, err := p.opts.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("kafkatest: the proxy before %s cannot listen: %w", p.target, err)
	}
	if p.addr == "" {
		p.addr = listener.Addr().String()
	}
	p.listener = listener
	p.tasks.Add(1)
	go p.accept(listener)
	return nil
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.addr }

// Stats returns the counts so far.
func (p *Proxy) Stats() ProxyStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := p.stats
	stats.Open = len(p.links)
	return stats
}

// Faults returns what the proxy does now.
func (p *Proxy) Faults() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// Set replaces the faults, for connections that are open too. The zero Faults passes everything on. Offsets (CutAfter,
// CorruptAt) count from this call.
func (p *Proxy) Set(faults Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = faults
	p.revision++
	close(p.changed)
	p.changed = make(chan struct{})
}

// Down closes the listening socket, so that clients get "connection refused", and resets what is open.
func (p *Proxy) Down() {
	p.mu.Lock()
	listener := p.listener
	p.listener = nil
	p.mu.Unlock()
	if listener != nil {
		listener.Close()
	}
	p.Reset()
}

// Up listens again on the same address after Down. It fails if another took the port in between.
func (p *Proxy) Up() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	if p.listener != nil {
		return nil
	}
	return p.listen(p.addr)
}

// Reset ends every open connection with a TCP reset on both sides. It returns how many it ended.
func (p *Proxy) Reset() int {
	links := p.take()
	for _, l := range links {
		l.reset()
	}
	p.count(func(s *ProxyStats) { s.Resets += int64(len(links)) })
	return len(links)
}

// HalfOpen resets the target's side of every open connection and leaves the client's side open and silent: what the
// client sends vanishes, as after a broker's power cut. It returns how many connections that was.
func (p *Proxy) HalfOpen() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for l := range p.links {
		if !l.orphan {
			l.orphan = true
			resetConn(l.target)
			n++
		}
	}
	p.stats.HalfOpen += int64(n)
	return n
}

// Close resets all connections and returns when every goroutine of the proxy has ended.
func (p *Proxy) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	listener := p.listener
	p.listener = nil
	p.mu.Unlock()
	p.stop()
	if listener != nil {
		listener.Close()
	}
	for _, l := range p.take() {
		l.reset()
	}
	p.tasks.Wait()
	return nil
}

func (p *Proxy) take() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	links := make([]*link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	return links
}

func (p *Proxy) count(change func(*ProxyStats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.stats)
}

func (p *Proxy) accept(listener net.Listener) {
	defer p.tasks.Done()
	for {
		client, err := listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || p.ctx.Err() != nil || !p.listensOn(listener) {
				return
			}
			select { // no more file descriptors, say
			case <-p.ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		p.tasks.Add(1)
		go p.serve(client)
	}
}

func (p *Proxy) listensOn(listener net.Listener) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listener == listener
}

// serve owns one connection from its acceptance to its end.
func (p *Proxy) serve(client net.Conn) {
	defer p.tasks.Done()
	if !p.admits() {
		p.refuse(client)
		return
	}
	target, err := p.opts.Dial(p.ctx, "tcp", p.target)
	if err != nil {
		p.refuse(client)
		return
	}
	l := newLink(p, client, target)
	if !p.add(l) {
		resetConn(target)
		p.refuse(client)
		return
	}
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

func (p *Proxy) refuse(client net.Conn) {
	p.count(func(s *ProxyStats) { s.Refused++ }) // first: who saw the reset finds it counted
	resetConn(client)
}

func (p *Proxy) admits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.admitsLocked()
}

func (p *Proxy) admitsLocked() bool {
	full := p.faults.MaxConns > 0 && len(p.links) >= p.faults.MaxConns
	return !p.closed && p.listener != nil && !p.faults.Refuse && !full
}

// add asks again: much may have changed while the target was dialled.
func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.admitsLocked() {
		return false
	}
	p.links[l] = struct{}{}
	p.stats.Accepted++
	return true
}

// resetConn closes with a reset (RST) where the connection can, so that the peer gets an error and not an end of file.
func resetConn(conn net.Conn) {
	if c, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = c.SetLinger(0)
	}
	_ = conn.Close()
}
