package kafkatest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
)

// FakeOptions says what in-process cluster to start. The zero value is one node of the newest protocol on 127.0.0.1
// without topics.
type FakeOptions struct {
	Nodes   int              // 0 = 1
	Topics  map[string]int32 // partitions of each topic
	Version string           // speak at most this Kafka version ("3.9", "0.11.0"); "" = the newest. Formats before 0.11 are unknown to the fake
	// Network makes the brokers listen in memory; nil = TCP on 127.0.0.1.
	Network *Network
	// Proxies puts a Proxy before every node; the nodes advertise the proxies.
	Proxies bool
	TLS     *tls.Config       // server side; Certificates.ServerConfig makes one. nil = plain
	Users   []FakeUser        // not nil = clients must log in
	Config  map[string]string // broker configuration, as kfake.BrokerConfigs takes it
	Extra   []kfake.Opt       // anything else that kfake can do
}

// FakeUser may log in with one mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. The fake has no OAUTHBEARER.
type FakeUser struct {
	Mechanism, Name, Password string
}

// Fake is an in-process cluster. Everything that kfake's cluster can do (Fault, ControlKey, MoveTopicPartition,
// RemoveNode, PartitionInfo, ...) can be done with it. Safe for concurrent use.
type Fake struct {
	*kfake.Cluster
	network *Network
	proxies *fakeProxies // nil without proxies
	closing sync.Once
	closed  error
}

// NewFake is OpenFake for a test: a failure ends the test, whose end closes the cluster.
func NewFake(tb TB, options FakeOptions) *Fake {
	tb.Helper()
	f, err := OpenFake(options)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

// OpenFake starts an in-process cluster in about a millisecond.
func OpenFake(options FakeOptions) (*Fake, error) {
	opts, err := options.kfake()
	if err != nil {
		return nil, err
	}
	f := &Fake{network: options.Network}
	listen := net.Listen
	var dial func(context.Context, string, string) (net.Conn, error)
	if options.Network != nil {
		listen, dial = options.Network.Listen, options.Network.From("proxy")
	}
	if options.Proxies {
		f.proxies = &fakeProxies{options: ProxyOptions{Listen: listen, Dial: dial}}
		listen = f.proxies.listen
	}
	opts = append(opts, kfake.ListenFn(listen))
	if f.Cluster, err = kfake.NewCluster(append(opts, options.Extra...)...); err != nil {
		return nil, errors.Join(fmt.Errorf("kafkatest: the in-process broker cannot start: %w", err), f.proxies.close())
	}
	return f, nil
}

func (o FakeOptions) kfake() ([]kfake.Opt, error) {
	opts := []kfake.Opt{kfake.NumBrokers(max(1, o.Nodes))}
	for _, topic := range slices.Sorted(maps.Keys(o.Topics)) {
		opts = append(opts, kfake.SeedTopics(o.Topics[topic], topic))
	}
	if o.Version != "" {
		versions := kversion.FromString(o.Version)
		if versions == nil {
			return nil, fmt.Errorf("kafkatest: %q is not a Kafka version that the fake knows: want one such as 3.9 or 0.11.0", o.Version)
		}
		opts = append(opts, kfake.MaxVersions(versions))
	}
	if o.TLS != nil {
		opts = append(opts, kfake.TLS(o.TLS))
	}
	if o.Users != nil {
		opts = append(opts, kfake.EnableSASL())
	}
	for _, u := range o.Users {
		opts = append(opts, kfake.Superuser(u.Mechanism, u.Name, u.Password))
	}
	if o.Config != nil {
		opts = append(opts, kfake.BrokerConfigs(o.Config))
	}
	return opts, nil
}

// Addrs are the addresses for clients, in the order in which the nodes were started.
func (f *Fake) Addrs() []string { return f.ListenAddrs() }

// Dial connects to an address of this cluster, over its Network or TCP.
func (f *Fake) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if f.network != nil {
		return f.network.Dial(ctx, network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// Proxy stands before the node that was started as the i-th; nil without FakeOptions.Proxies or for a node that there
// never was.
func (f *Fake) Proxy(i int) *Proxy { return f.proxies.at(i) }

// Close ends the cluster and its proxies. Calling it again returns the same.
func (f *Fake) Close() error {
	f.closing.Do(func() {
		f.Cluster.Close()
		f.closed = f.proxies.close()
	})
	return f.closed
}

// fakeProxies makes a proxy for every listener that kfake opens. kfake advertises its listeners' addresses, so a listener
// that gives its proxy's address is all it takes.
type fakeProxies struct {
	options ProxyOptions
	mu      sync.Mutex
	list    []*Proxy
}

func (p *fakeProxies) listen(network, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: %q is no address: %w", address, err)
	}
	inner, err := p.options.Listen(network, net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	options := p.options
	options.Address = address
	proxy, err := OpenProxy(inner.Addr().String(), options)
	if err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, proxy)
	return &proxiedListener{Listener: inner, addr: memAddr(proxy.Addr())}, nil
}

func (p *fakeProxies) at(i int) *Proxy {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i < 0 || i >= len(p.list) {
		return nil
	}
	return p.list[i]
}

func (p *fakeProxies) close() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, proxy := range p.list {
		errs = append(errs, proxy.Close())
	}
	return errors.Join(errs...)
}

type proxiedListener struct {
	net.Listener
	addr net.Addr
}

func (l *proxiedListener) Addr() net.Addr { return l.addr }
