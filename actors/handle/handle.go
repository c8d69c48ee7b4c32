// Package handle is what of a client outlives its actors: the slots that
// producers take records from, what is subscribed and how far each partition
// is acked, the last view of the cluster, and where the living incarnations
// are. Nothing in it does I/O or decides. Actors attach with a lease that every
// change checks, so an incarnation that was left behind changes nothing.
package handle

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire/compress"
)

// Handle is one client's. All methods may be called from anywhere at any time.
type Handle struct {
	config Config
	codecs *compress.Registry
	pool   *chunkPool
	// packing has a place for each batch that may be compressed at once. More than
	// there are processors would not be done sooner: they would wait for each other,
	// and everything else that wants to run would wait for all of them.
	packing chan struct{}
	clock   clock
	// answers is the memory of fetches.
	answers      Answers
	coordinators Coordinators

	maxRecords int64        // 0: they are not counted
	records    atomic.Int64 // not settled; if they are counted
	drops      drops
	queued     budget // of messages that wait for room
	pressure   pressure

	cluster atomic.Pointer[metadata.Cluster]

	mu       sync.Mutex
	topics   map[string]*Topic
	subs     map[string]*Subscription
	direct   map[Partition]*Direct
	seeds    []metadata.Broker
	nodes    []metadata.Broker
	brokers  map[int32]*actor.PID
	identity identityState
	stopped  error
	ended    chan struct{}
}

// New checks a configuration and makes the handle of a client that has no
// actors yet. The error is a *ConfigError.
func New(config Config) (*Handle, error) {
	config = config.withDefaults()
	seeds, err := config.check()
	if err != nil {
		return nil, err
	}
	h := &Handle{
		config: config, seeds: seeds, codecs: compress.NewRegistry(), pool: &chunkPool{budget: &budget{limit: int64(config.Produce.BufferBytes)}},
		packing: make(chan struct{}, runtime.GOMAXPROCS(0)), maxRecords: int64(config.Produce.BufferRecords),
		topics: map[string]*Topic{}, subs: map[string]*Subscription{}, direct: map[Partition]*Direct{}, brokers: map[int32]*actor.PID{}, ended: make(chan struct{}),
	}
	h.queued.limit = int64(config.Produce.QueueBytes)
	h.answers.most = int(config.Consume.MaxBytes) + answerSlack
	h.nodes = seeds
	h.cluster.Store(&metadata.Cluster{Topics: map[string]*metadata.Topic{}})
	return h, nil
}

// Config is the configuration with its defaults filled in.
func (h *Handle) Config() *Config { return &h.config }

// Name is the client's name.
func (h *Handle) Name() string { return h.config.Name }

// Seeds are the bootstrap addresses: the configuration's, and what its
// BrokersFunc gave last.
func (h *Handle) Seeds() []metadata.Broker {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seeds
}

// SetSeeds puts other bootstrap addresses in place of those that were known.
func (h *Handle) SetSeeds(list []metadata.Broker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seeds = list
}

// Codecs are the client's compression codecs.
func (h *Handle) Codecs() *compress.Registry { return h.codecs }

// Cluster is the last view of the cluster. It is never nil and never changed.
func (h *Handle) Cluster() *metadata.Cluster { return h.cluster.Load() }

// SetCluster publishes a view.
func (h *Handle) SetCluster(c *metadata.Cluster) { h.cluster.Store(c) }

// Emit tells the user's telemetry handler.
func (h *Handle) Emit(e telemetry.Event) { telemetry.Emit(h.config.Telemetry, e) }

// answerSlack is how much larger than Consume.MaxBytes an answer may be: brokers
// send a first batch that is larger all the same, and there are headers.
const answerSlack = 8 << 20

// Answers is the memory that fetches are read into.
func (h *Handle) Answers() *Answers { return &h.answers }

// Coordinators are the brokers that are known to coordinate groups.
func (h *Handle) Coordinators() *Coordinators { return &h.coordinators }

// Buffered is the memory of all records that are accepted and not settled.
func (h *Handle) Buffered() int { return h.pool.budget.Used() }

// SetNodes names the brokers that must have an actor.
func (h *Handle) SetNodes(list []metadata.Broker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nodes = list
}

// Nodes are the brokers that must have an actor: bootstrap addresses until
// others are known.
func (h *Handle) Nodes() []metadata.Broker {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.nodes
}

// SetBroker tells where a broker's actor is; nil takes back what old said.
func (h *Handle) SetBroker(id int32, pid, old *actor.PID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if pid != nil {
		h.brokers[id] = pid
	} else if old.Equal(h.brokers[id]) {
		delete(h.brokers, id)
	}
}

// Broker is where a broker's actor is, nil if there is none at present.
func (h *Handle) Broker(id int32) *actor.PID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.brokers[id]
}

// Topics are all topics that are produced to, by name.
func (h *Handle) Topics() []*Topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*Topic, 0, len(h.topics))
	for _, t := range h.topics {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *Topic) int { return strings.Compare(a.name, b.name) })
	return list
}

// ErrDuplicate is a subscription whose name is taken.
var ErrDuplicate = errors.New("moldau: a subscription of this name exists")

// Subscribe registers a subscription under its name.
func (h *Handle) Subscribe(s *Subscription) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped != nil {
		return h.stopped
	}
	if h.subs[s.Name] != nil {
		return fmt.Errorf("%w: %q", ErrDuplicate, s.Name)
	}
	h.subs[s.Name] = s
	return nil
}

// Unsubscribe forgets a subscription and its ack floors; not another one that
// has its name by now.
func (h *Handle) Unsubscribe(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs[s.Name] == s {
		delete(h.subs, s.Name)
	}
}

// Subscribes says whether the subscription is registered.
func (h *Handle) Subscribes(s *Subscription) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.subs[s.Name] == s
}

// Subscriptions are all that are registered, by name.
func (h *Handle) Subscriptions() []*Subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*Subscription, 0, len(h.subs))
	for _, s := range h.subs {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *Subscription) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Stop ends the handle: records that are not settled fail with err, calls that
// come fail with it, and Ended is closed. Only the first Stop counts.
func (h *Handle) Stop(err error) {
	h.mu.Lock()
	if h.stopped != nil {
		h.mu.Unlock()
		return
	}
	h.stopped = err
	topics := slices.Collect(maps.Values(h.topics)) // EndTopic may be called meanwhile
	h.mu.Unlock()
	for _, t := range topics {
		t.end(err, err)
	}
	close(h.ended)
}

// Ended is closed by Stop.
func (h *Handle) Ended() <-chan struct{} { return h.ended }

// Stopped is the error that Stop was given; nil before.
func (h *Handle) Stopped() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stopped
}
