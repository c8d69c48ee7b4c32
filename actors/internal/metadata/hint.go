package metadata

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// Hint is what a broker said of a partition's leader beside an error (KIP-951):
// who it is, of which epoch, and where the brokers are that it names.
type Hint struct {
	Topic     string
	Partition int32
	Leader    int32
	Epoch     int32
	Brokers   []Broker
}

// Hint takes a newer leader into the view without asking for it. One that is not
// newer than the view's, of a topic that nobody uses, or at a broker whose address
// is not known, changes nothing.
func (c *Core) Hint(now time.Time, h Hint) []Action {
	known, there := c.partition(h.Topic, h.Partition)
	if !there || h.Leader < 0 || h.Epoch <= known.Epoch {
		return nil
	}
	before := c.cluster
	next := *before
	named := slices.IndexFunc(h.Brokers, func(b Broker) bool { return b.ID == h.Leader })
	if _, there := before.broker(h.Leader); !there && named < 0 {
		return nil
	}
	if named >= 0 {
		next.Brokers = before.with(h.Brokers[named])
	}
	topic := *before.Topics[h.Topic]
	topic.Partitions = slices.Clone(topic.Partitions)
	topic.Partitions[h.Partition] = Partition{Leader: h.Leader, Epoch: h.Epoch}
	next.Topics = maps.Clone(before.Topics)
	next.Topics[h.Topic] = &topic
	c.cluster = &next
	c.dropMoved(before)
	out := []Action{Publish{c.cluster}, c.brokers()}
	for number, id := range c.asked {
		if !c.up[id] { // its actor ends, and may do so before it looks at the request
			out = c.fail(now, number, errMoved, out)
		}
	}
	return c.next(now, c.tell(now, 0, out))
}

// errMoved is what a broker was asked that has another address now.
var errMoved = errors.New("the broker has moved to another address")

func (c *Core) partition(topic string, partition int32) (Partition, bool) {
	t := c.cluster.Topics[topic]
	if t == nil || partition < 0 || int(partition) >= len(t.Partitions) {
		return Partition{}, false
	}
	return t.Partitions[partition], true
}

// newer says whether the view has a leader that is new enough for a waiter.
func (c *Core) newer(w waiter) bool {
	p, there := c.partition(w.topic, w.partition)
	return there && w.atLeast > 0 && p.Leader >= 0 && p.Epoch >= w.atLeast
}

// with is the brokers with one that is new, or has another address. Its rack is
// not told of beside its address, so a known one stays.
func (c *Cluster) with(b Broker) []Broker {
	list := slices.Clone(c.Brokers)
	if at := slices.IndexFunc(list, func(o Broker) bool { return o.ID == b.ID }); at >= 0 {
		if b.Rack == "" {
			b.Rack = list[at].Rack
		}
		list[at] = b
		return list
	}
	list = append(list, b)
	slices.SortFunc(list, func(a, b Broker) int { return int(a.ID) - int(b.ID) })
	return list
}
