package kafkatest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Network is an in-memory network whose connections behave as TCP does where a client can tell: ordered bytes with
// bounded buffers and backpressure, deadlines, half-close, resets, refused and hanging dials, latency, partitions.
// Nothing in it touches the operating system and every wait is one that testing/synctest understands, so inside a bubble
// time is virtual. Safe for concurrent use.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*memListener
	nextPort  int
	rules     []LinkRule
	cut       map[[2]string]bool
	healed    chan struct{}         // closed and renewed by Heal
	conns     map[*memPipe]*memConn // each open connection once: the dialler's end, by what it sends into
}

// LinkRule sets how connections between a dialler and a listener behave. Of several that fit the last counts.
type LinkRule struct {
	From    string        // the dialler's host (Network.From); "" = any
	To      string        // the listener's address "host:port"; "" = any
	Latency time.Duration // one way; a dial takes two
	Buffer  int           // bytes under way in each direction before a write blocks; 0 = 64 KiB
}

const (
	defaultBuffer  = 64 << 10
	defaultBacklog = 128
	defaultHost    = "client"
	firstFreePort  = 20000
)

// NewNetwork returns a network without latency.
func NewNetwork() *Network {
	return &Network{listeners: map[string]*memListener{}, nextPort: firstFreePort, cut: map[[2]string]bool{},
		healed: make(chan struct{}), conns: map[*memPipe]*memConn{}}
}

// SetLink adds a rule; it holds for connections dialled from now on.
func (n *Network) SetLink(rule LinkRule) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules = append(n.rules, rule)
}

// Listen fits net.Listen and kfake.ListenFn. The address is "host:port"; the host is a mere name, port 0 chooses a free
// port. A taken address is EADDRINUSE.
func (n *Network) Listen(_, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if port == "0" {
		port = strconv.Itoa(n.nextPort)
		n.nextPort++
	}
	addr := memAddr(net.JoinHostPort(host, port))
	if n.listeners[string(addr)] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr, Err: syscall.EADDRINUSE}
	}
	l := &memListener{network: n, addr: addr, backlog: make(chan *memConn, defaultBacklog), closed: make(chan struct{})}
	n.listeners[string(addr)] = l
	return l, nil
}

// Dial connects from the host "client". It fits net.Dialer.DialContext. An address that nobody listens on is
// ECONNREFUSED; across a partition the dial hangs until it heals or ctx ends.
func (n *Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return n.From(defaultHost)(ctx, network, address)
}

// From returns a dial function for a named host, so that rules and partitions can tell diallers apart.
func (n *Network) From(host string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		conn, err := n.dial(ctx, host, address)
		if err != nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Source: memAddr(host), Addr: memAddr(address), Err: err}
		}
		return conn, nil
	}
}

func (n *Network) dial(ctx context.Context, host, address string) (net.Conn, error) {
	rule := n.rule(host, address)
	if err := n.travel(ctx, host, address, 2*rule.Latency); err != nil {
		return nil, err
	}
	n.mu.Lock()
	listener := n.listeners[address]
	n.mu.Unlock()
	if listener == nil {
		return nil, syscall.ECONNREFUSED
	}
	client, server := n.connect(host, address, rule)
	select {
	case listener.backlog <- server:
		select {
		case <-listener.closed: // perhaps after its Close looked
			listener.drain()
		default:
		}
		return client, nil
	case <-listener.closed:
		client.Close()
		server.Close()
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		client.Close()
		server.Close()
		return nil, dialError(ctx)
	}
}

// travel waits while the way is cut and then as long as it takes.
func (n *Network) travel(ctx context.Context, host, address string, latency time.Duration) error {
	for {
		n.mu.Lock()
		cut, healed := n.isCut(host, address), n.healed
		n.mu.Unlock()
		if !cut {
			break
		}
		select {
		case <-healed:
		case <-ctx.Done():
			return dialError(ctx)
		}
	}
	if latency <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return dialError(ctx)
	}
}

// dialError makes a deadline a time-out in net's sense.
func dialError(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		return timeoutError{}
	}
	return ctx.Err()
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Unwrap() error   { return context.DeadlineExceeded }

func (n *Network) rule(host, address string) LinkRule {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := LinkRule{}
	for _, r := range n.rules {
		if (r.From == "" || r.From == host) && (r.To == "" || r.To == address) {
			found = r
		}
	}
	if found.Buffer <= 0 {
		found.Buffer = defaultBuffer
	}
	return found
}

func (n *Network) connect(host, address string, rule LinkRule) (client, server *memConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nextPort++
	from := memAddr(net.JoinHostPort(host, strconv.Itoa(n.nextPort)))
	up, down := newMemPipe(rule), newMemPipe(rule)
	client = &memConn{network: n, host: host, to: address, local: from, remote: memAddr(address), in: down, out: up}
	server = &memConn{network: n, host: host, to: address, local: memAddr(address), remote: from, in: up, out: down}
	held := n.isCut(host, address)
	up.hold(held)
	down.hold(held)
	n.conns[up] = client
	return client, server
}

// Partition cuts the way between a dialler's host and a listener's address ("" = any): bytes stay under way, writes
// block when the buffers are full, dials hang. Nobody is told.
func (n *Network) Partition(host, address string) { n.setCut(host, address, true) }

// Heal ends the Partition made with the same arguments: what was under way arrives.
func (n *Network) Heal(host, address string) { n.setCut(host, address, false) }

func (n *Network) setCut(host, address string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if cut {
		n.cut[[2]string{host, address}] = true
	} else {
		delete(n.cut, [2]string{host, address})
		close(n.healed)
		n.healed = make(chan struct{})
	}
	for _, c := range n.conns {
		held := n.isCut(c.host, c.to)
		c.in.hold(held)
		c.out.hold(held)
	}
}

// isCut is called with mu held.
func (n *Network) isCut(host, address string) bool {
	for _, h := range [...]string{"", host} {
		for _, a := range [...]string{"", address} {
			if n.cut[[2]string{h, a}] {
				return true
			}
		}
	}
	return false
}

// Reset ends the open connections between a dialler's host and a listener's address ("" = any) with ECONNRESET on both
// sides, at once, and returns how many those were.
func (n *Network) Reset(host, address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for _, c := range n.conns {
		if (host == "" || host == c.host) && (address == "" || address == c.to) {
			c.in.reset()
			c.out.reset()
			delete(n.conns, c.out)
			count++
		}
	}
	return count
}

// Open is the number of connections that neither side has closed.
func (n *Network) Open() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

// memAddr is "host:port".
type memAddr string

func (memAddr) Network() string  { return "tcp" }
func (a memAddr) String() string { return string(a) }

type memListener struct {
	network *Network
	addr    memAddr
	backlog chan *memConn
	closed  chan struct{}
	once    sync.Once
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	default:
	}
	select {
	case conn := <-l.backlog:
		return conn, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
}

func (l *memListener) Addr() net.Addr { return l.addr }

// Close refuses new dials and resets those that nobody accepted.
func (l *memListener) Close() error {
	l.once.Do(func() {
		l.network.mu.Lock()
		delete(l.network.listeners, string(l.addr))
		l.network.mu.Unlock()
		close(l.closed)
		l.drain()
	})
	return nil
}

func (l *memListener) drain() {
	for {
		select {
		case conn := <-l.backlog:
			_ = conn.SetLinger(0)
			_ = conn.Close()
		default:
			return
		}
	}
}

func (l *memListener) String() string { return fmt.Sprintf("listener %s", l.addr) }
