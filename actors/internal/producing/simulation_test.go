package producing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/actors/internal/outbox"
	"github.com/moldau-go/moldau/internal/simulator"
	"github.com/moldau-go/moldau/wire"
)

// The cores of a producer and of a client actor against three brokers, which
// lose connections, stop, come back and hand the partition from one to another.

const requestTimeout = time.Second

// disk is what survives: the brokers' log and who leads, and the handle's slot.
type disk struct {
	leader int32
	term   int32
	log    partition
	view   *metadata.Cluster

	store
	made int // batches
}

type (
	produceRequest struct {
		id      uint64
		records []uint64
		stamp   stamp
		node    int32
		conn    int
	}
	produceAnswer struct {
		id       uint64
		base     int64
		err      error
		conn     int
		throttle time.Duration
	}
	metadataRequest struct{ number int }
	metadataAnswer  struct {
		number int
		resp   *kmsg.MetadataResponse
	}
	findLeader  struct{ stale bool }
	leaderFound struct {
		leader int32
		err    error
	}
)

func (m produceRequest) String() string  { return fmt.Sprint("produce ", m.id, m.stamp, m.conn) }
func (m produceAnswer) String() string   { return fmt.Sprint("produced ", m.id, m.base, m.err, m.conn) }
func (m metadataRequest) String() string { return fmt.Sprint("metadata ", m.number) }
func (m metadataAnswer) String() string  { return fmt.Sprint("metadata is ", m.number) }
func (m findLeader) String() string      { return fmt.Sprint("leader? ", m.stale) }
func (m leaderFound) String() string     { return fmt.Sprint("leader ", m.leader, m.err) }

func brokerName(id int32) string { return fmt.Sprint("broker ", id) }

func brokerOf(name string) (id int32, ok bool) {
	_, err := fmt.Sscanf(name, "broker %d", &id)
	return id, err == nil
}

// broker is a node of the cluster; all that it knows is on the disk.
type broker struct {
	id   int32
	disk *disk
}

func (b *broker) Handle(in simulator.Input) []simulator.Action {
	message, ok := in.Event.(simulator.Message)
	if !ok {
		return nil
	}
	switch m := message.Body.(type) {
	case produceRequest:
		answer := produceAnswer{id: m.id, base: -1, conn: m.conn}
		var refuse, failure error
		switch {
		case b.disk.leader != b.id:
			refuse = notLeader
		case in.Rand.IntN(20) == 0:
			refuse = notEnough
		case in.Rand.IntN(20) == 0:
			failure = coded(wire.RequestTimedOut)
		}
		if in.Rand.IntN(30) == 0 {
			answer.throttle = time.Duration(in.Rand.IntN(3000)) * time.Millisecond
		}
		answer.base, answer.err = b.disk.log.produce(m.stamp, m.records, refuse, failure)
		return []simulator.Action{simulator.Send{To: message.From, Body: answer}}
	case metadataRequest:
		return []simulator.Action{simulator.Send{To: message.From, Body: metadataAnswer{m.number, b.view()}}}
	}
	return nil
}

func (b *broker) view() *kmsg.MetadataResponse {
	resp := kmsg.NewPtrMetadataResponse()
	for id := int32(1); id <= 3; id++ {
		n := kmsg.NewMetadataResponseBroker()
		n.NodeID, n.Host, n.Port = id, brokerName(id), 9092
		resp.Brokers = append(resp.Brokers, n)
	}
	t := kmsg.NewMetadataResponseTopic()
	t.Topic = kmsg.StringPtr("t")
	p := kmsg.NewMetadataResponseTopicPartition()
	p.Leader, p.LeaderEpoch = b.disk.leader, b.disk.term
	t.Partitions = append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	return resp
}

// client is the client actor's shell.
type client struct {
	core  *metadata.Core
	disk  *disk
	asked map[int]int32
	out   []simulator.Action
}

func newClient(d *disk) *client {
	var seeds []metadata.Broker
	for id := int32(1); id <= 3; id++ {
		seeds = append(seeds, metadata.Broker{ID: -id, Host: brokerName(id), Port: 9092})
	}
	c := &client{disk: d, asked: map[int]int32{}}
	c.core = metadata.New(metadata.Config{
		Seeds: seeds, Refresh: 5 * time.Minute, Hedge: 500 * time.Millisecond, Timeout: 10 * time.Second, BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second,
	}, func(n int) int { return n - 1 })
	c.core.Resume(d.view)
	return c
}

func (c *client) Handle(in simulator.Input) []simulator.Action {
	c.out = nil
	switch m := in.Event.(type) {
	case simulator.Started:
		c.do(in.Now, c.core.Start(in.Now))
	case simulator.TimerFired:
		c.timer(in.Now, m.Name)
	case simulator.PeerUp:
		if id, ok := brokerOf(m.Peer); ok {
			c.up(in.Now, id)
		}
	case simulator.PeerDown:
		if id, ok := brokerOf(m.Peer); ok {
			c.do(in.Now, c.core.BrokerDown(in.Now, id, errLost))
			c.do(in.Now, c.core.BrokerDown(in.Now, -id, errLost))
		}
	case simulator.Message:
		switch body := m.Body.(type) {
		case metadataAnswer:
			c.do(in.Now, c.core.Answer(in.Now, body.number, body.resp, nil))
		case findLeader:
			c.do(in.Now, c.core.Need(in.Now, m.From, "t", 0, body.stale))
		}
	}
	return c.out
}

// up tells of a broker under the name by which it is known.
func (c *client) up(now time.Time, id int32) {
	if len(c.core.Cluster().Brokers) == 0 {
		id = -id
	}
	c.do(now, c.core.BrokerUp(now, id))
}

func (c *client) timer(now time.Time, name string) {
	var number int
	if _, err := fmt.Sscanf(name, "request %d", &number); err == nil {
		c.do(now, c.core.Answer(now, number, nil, errLost))
		return
	}
	c.do(now, c.core.Tick(now))
}

func (c *client) do(now time.Time, actions []metadata.Action) {
	alarm := time.Time{}
	for _, a := range actions {
		switch a := a.(type) {
		case metadata.Ask:
			to := max(a.Broker, -a.Broker)
			c.out = append(c.out, simulator.Send{To: brokerName(to), Body: metadataRequest{a.Number}},
				simulator.StartTimer{Name: fmt.Sprint("request ", a.Number), After: requestTimeout})
		case metadata.SetBrokers:
			defer c.setBrokers(now, a.Brokers)
		case metadata.Publish:
			c.disk.view = a.Cluster
		case metadata.Tell:
			leader, _ := c.core.Cluster().Leader("t", 0)
			c.out = append(c.out, simulator.Send{To: a.Ref.(string), Body: leaderFound{leader.Leader, a.Err}})
		case metadata.Wake:
			if alarm.IsZero() || a.At.Before(alarm) {
				alarm = a.At
			}
		}
	}
	if !alarm.IsZero() {
		c.out = append(c.out, simulator.StartTimer{Name: "tick", After: alarm.Sub(now)})
	}
}

// setBrokers lets actors of the brokers that are named come up.
func (c *client) setBrokers(now time.Time, list []metadata.Broker) {
	for _, b := range list {
		if _, known := c.asked[int(b.ID)]; !known {
			c.asked[int(b.ID)] = b.ID
			c.do(now, c.core.BrokerUp(now, b.ID))
		}
	}
}

// producer is the producer actor's shell.
type producer struct {
	core   *Core
	disk   *disk
	cfg    Config
	conn   int
	boxes  map[int32]*outbox.Core // what the brokers' actors have to send
	flying []produceRequest
	out    []simulator.Action
}

func newProducer(d *disk, cfg Config, incarnation int) *producer {
	p := &producer{disk: d, cfg: cfg, conn: incarnation * 1_000_000, boxes: map[int32]*outbox.Core{}}
	for id := int32(1); id <= 3; id++ {
		p.boxes[id] = outbox.New(outbox.Config{MaxRequests: 5, MaxBytes: 1000})
	}
	p.core = New(cfg, d.left(), func() float64 { return 0.5 })
	return p
}

func (p *producer) Handle(in simulator.Input) []simulator.Action {
	p.out = nil
	switch m := in.Event.(type) {
	case simulator.Started:
		p.do(in.Now, p.core.Start(in.Now))
		p.look(in.Now)
	case simulator.Text: // something is in the slot
		p.look(in.Now)
	case simulator.TimerFired:
		if m.Name == "request" {
			p.disconnect(in.Now)
		} else {
			p.do(in.Now, p.core.Tick(in.Now))
		}
	case simulator.PeerDown:
		if id, ok := brokerOf(m.Peer); ok {
			p.brokerDown(in.Now, id)
		}
	case simulator.Message:
		p.message(in.Now, m)
	}
	p.pump(in.Now)
	if len(p.flying) == 0 {
		p.out = append(p.out, simulator.StopTimer{Name: "request"})
	}
	return p.out
}

func (p *producer) message(now time.Time, m simulator.Message) {
	switch body := m.Body.(type) {
	case produceAnswer:
		at := slices.IndexFunc(p.flying, func(r produceRequest) bool { return r.id == body.id && r.conn == body.conn })
		if at < 0 {
			return // of a connection that is closed
		}
		box := p.boxes[p.flying[at].node]
		p.flying = slices.Delete(p.flying, at, at+1)
		box.Done()
		box.Throttle(now, body.throttle)
		p.do(now, p.core.Answer(now, body.id, body.base, body.err, true))
	case leaderFound:
		if body.err != nil {
			p.do(now, p.core.NoLeader(now, body.err))
		} else {
			p.do(now, p.core.Leader(now, body.leader))
		}
	}
}

// disconnect is a request past its deadline: all on the connection are lost.
func (p *producer) disconnect(now time.Time) {
	lost := p.flying
	p.flying = nil
	for _, r := range lost {
		p.boxes[r.node].Done()
		p.do(now, p.core.Answer(now, r.id, -1, errLost, p.disk.plant != lostIsTakenAsNotSent))
	}
}

func (p *producer) look(now time.Time) { p.do(now, p.core.Look(now, len(p.disk.ready), time.Time{})) }

func (p *producer) do(now time.Time, actions []Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case Take:
			p.do(now, p.core.Taken(now, p.disk.takeBatch(), true))
			p.look(now)
		case Part:
			p.do(now, p.core.Parted(now, a.ID, p.disk.part(a)))
		case Send:
			p.send(now, a)
		case Bump:
			p.disk.bump(a.IDs)
		case Settle:
			p.disk.settle(a, &p.disk.log)
		case FindLeader:
			p.out = append(p.out, simulator.Send{To: "client", Body: findLeader{a.Stale}})
		case Wake:
			if a.At.After(now) {
				p.out = append(p.out, simulator.StartTimer{Name: fmt.Sprint("tick ", a.At.UnixNano()), After: a.At.Sub(now)})
			}
		}
	}
}

// send gives a batch to its broker's actor.
func (p *producer) send(now time.Time, a Send) {
	l := p.disk.send(a.ID, p.cfg.Idempotent)
	p.conn++ // tells a request from the same batch's earlier ones
	r := produceRequest{id: a.ID, records: l.records, stamp: l.stamp, node: a.Node, conn: p.conn}
	p.boxes[a.Node].Add(outbox.Item{Ref: r, Partition: int32(p.conn), Size: len(l.records), Deadline: l.opened.Add(p.cfg.DeliveryTimeout)})
}

// pump is the brokers' actors: what may be sent is, in requests of one batch.
func (p *producer) pump(now time.Time) {
	for id := int32(1); id <= 3; id++ {
		box := p.boxes[id]
		for _, i := range box.Expired(now) {
			p.do(now, p.core.Answer(now, i.Ref.(produceRequest).id, -1, errNeverSent, false))
		}
		for items := box.Next(now); len(items) > 0; items = box.Next(now) {
			for _, i := range items {
				r := i.Ref.(produceRequest)
				box.Sent()
				p.flying = append(p.flying, r)
				p.out = append(p.out, simulator.Send{To: brokerName(id), Body: r}, simulator.StartTimer{Name: "request", After: requestTimeout})
			}
		}
		if at := box.Wake(now); at.After(now) {
			p.out = append(p.out, simulator.StartTimer{Name: fmt.Sprint("outbox ", id), After: at.Sub(now)})
		}
	}
}

var errNeverSent error = &wire.ConnError{Stage: wire.StageWrite, Address: "broker"}

// brokerDown is the end of a broker's actor: what it had not sent it gives back.
func (p *producer) brokerDown(now time.Time, id int32) {
	for _, i := range p.boxes[id].Failed() {
		p.do(now, p.core.Answer(now, i.Ref.(produceRequest).id, -1, errNeverSent, false))
	}
	p.boxes[id] = outbox.New(outbox.Config{MaxRequests: 5, MaxBytes: 1000})
	p.flying = slices.DeleteFunc(p.flying, func(r produceRequest) bool { return r.node == id })
	p.do(now, p.core.BrokerDown(now, id, errLost))
}

const batches = 60

// scenario runs a producer through a troubled minute.
func scenario(cfg Config, bug plant) simulator.Scenario {
	return simulator.Play(func(w *simulator.World) {
		d := &disk{leader: 1, term: 1, store: store{plant: bug, ended: map[uint64]outcome{}, sentOnce: map[uint64]bool{}}}
		for id := int32(1); id <= 3; id++ {
			w.Add(simulator.Node{Name: brokerName(id), RestartAfter: simulator.Range{Min: 100 * time.Millisecond, Max: 2 * time.Second},
				Start: func(int) simulator.Core { return &broker{id, d} }})
		}
		w.Add(simulator.Node{Name: "client", Start: func(int) simulator.Core { return newClient(d) }})
		w.Add(simulator.Node{Name: "producer", RestartAfter: simulator.Range{Min: time.Millisecond, Max: 500 * time.Millisecond},
			Start: func(n int) simulator.Core { return newProducer(d, cfg, n) }})
		w.SetLink("client", "producer", simulator.Link{})
		w.Unleash(simulator.Chaos{
			Nodes: []string{"broker 1", "broker 2", "broker 3", "producer"}, End: 20 * time.Second,
			Crash: simulator.Range{Min: 500 * time.Millisecond, Max: 4 * time.Second},
			Cut:   simulator.Range{Min: 200 * time.Millisecond, Max: 3 * time.Second}, CutFor: simulator.Range{Max: 2 * time.Second},
			Pause: simulator.Range{Min: time.Second, Max: 5 * time.Second}, PauseFor: simulator.Range{Max: 2 * time.Second},
		})
		trouble(w, d)
		late := never
		if !cfg.Idempotent {
			late = d.unsure
		}
		w.Invariant("the log is in order", func() error { return d.log.inOrder(!cfg.Idempotent && !cfg.Safe, late) })
		w.Invariant("outcomes are right", d.broken)
		w.Until(func() bool { return d.made == batches && len(d.ended) == int(d.records) })
		w.Finally("nothing is lost", func() error { return complete(cfg, d) })
	})
}

// trouble moves the leader about and produces.
func trouble(w *simulator.World, d *disk) {
	for range 10 {
		to := int32(1 + w.Rand().IntN(3))
		w.At(time.Duration(w.Rand().IntN(20_000))*time.Millisecond, "leader moves", func() { d.leader, d.term = to, d.term+1 })
	}
	for range 6 {
		limit := []int{0, 1, 2, 4, 5}[w.Rand().IntN(5)]
		w.At(time.Duration(w.Rand().IntN(20_000))*time.Millisecond, "the limit changes", func() { d.log.limit = limit })
	}
	w.At(20*time.Second, "no limit", func() { d.log.limit = 0 })
	var produce func()
	produce = func() {
		d.made++
		d.ready = append(d.ready, d.load(w.Now(), 1+w.Rand().IntN(5)))
		w.Inject("producer", simulator.Text("look"))
		if d.made == batches {
			return
		}
		w.After(time.Duration(w.Rand().IntN(500))*time.Millisecond, "produce", produce)
	}
	w.After(0, "produce", produce)
}

// complete: every record has its one outcome, in its time, and fails for a reason.
func complete(cfg Config, d *disk) error {
	if err := d.complete(&d.log); err != nil {
		return err
	}
	for r, o := range d.ended {
		switch c := code(o.err); {
		case o.err == nil, c == wire.OutOfOrderSequenceNumber, c == wire.InvalidProducerEpoch:
		case isBad(r) && c == wire.InvalidRecord, weight(r) > 1 && c == wire.MessageTooLarge:
		case cfg.DeliveryTimeout < time.Minute && errors.Is(o.err, wire.ErrTimeout):
		case errors.Is(o.err, wire.ErrUnsure) && (cfg.Safe || isBad(r) || c == wire.InvalidRecord || c == wire.MessageTooLarge):
		case cfg.MaxRetries > 0 && strings.Contains(o.err.Error(), "given up"):
		default:
			return fmt.Errorf("record %d failed, though there was time: %w", r, o.err)
		}
	}
	return nil
}

func simulate(t *testing.T, cfg Config) {
	simulator.Explore(t, simulator.Seeds{Count: 60, Soak: 20_000}, weather, scenario(cfg, sound))
}

// weather is how long a simulation may take and what its links are like.
var weather = simulator.Config{
	Time: 5 * time.Minute,
	Link: simulator.Link{Loss: 0.01, Latency: simulator.Range{Min: time.Millisecond, Max: 30 * time.Millisecond}, Notify: true},
}

// simulated is a producer that is given two minutes.
var simulated = Config{DeliveryTimeout: 2 * time.Minute, BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second, MaxInFlight: 1, Forget: time.Minute}

func TestProducerAndClientAmongBrokersThatFail(t *testing.T) { simulate(t, simulated) }

func TestIdempotentProducerAmongBrokersThatFail(t *testing.T) {
	cfg := simulated
	cfg.MaxInFlight, cfg.Idempotent = 5, true
	simulate(t, cfg)
}

func TestSafeProducerAmongBrokersThatFail(t *testing.T) {
	cfg := simulated
	cfg.Safe = true
	simulate(t, cfg)
}

func TestSafeAndIdempotentProducerAmongBrokersThatFail(t *testing.T) {
	cfg := simulated
	cfg.Safe, cfg.MaxInFlight, cfg.Idempotent = true, 5, true
	simulate(t, cfg)
}

// A delivery timeout that is shorter than the outages: what expires says whether
// it may be in the log.
func TestImpatientProducerAmongBrokersThatFail(t *testing.T) {
	cfg := simulated
	cfg.DeliveryTimeout, cfg.MaxInFlight, cfg.Idempotent = 1500*time.Millisecond, 5, true
	simulate(t, cfg)
}

func TestProducerWithALimitOfRetriesAmongBrokersThatFail(t *testing.T) {
	cfg := simulated
	cfg.MaxRetries, cfg.MaxInFlight, cfg.Idempotent = 3, 5, true
	simulate(t, cfg)
}
