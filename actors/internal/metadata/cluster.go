// Package metadata is the pure core of the client actor: what is known of the
// cluster, who is asked for more and when, and who waits for the answer. It
// does no I/O and reads no clock; every event carries the time.
package metadata

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire"
)

// Cluster is one view of the cluster. It is never changed once published, so
// it may be read by anyone at any time.
type Cluster struct {
	ID         string
	Controller int32
	Brokers    []Broker // by node id
	Topics     map[string]*Topic
}

// Broker is one node. Bootstrap addresses, whose node id is not known yet,
// have negative ids.
type Broker struct {
	ID   int32
	Host string
	Port int32
	Rack string
}

// Seed says whether the broker is a bootstrap address.
func (b Broker) Seed() bool { return b.ID < 0 }

// Topic is a topic that somebody asked for.
type Topic struct {
	Name       string
	ID         [16]byte
	Err        wire.Code // of the whole topic, 0 for none
	Partitions []Partition
	held       int // answers in a row, this one included, from which a leader was not taken
}

// Partition is one partition; its index in Topic.Partitions is its number.
type Partition struct {
	Err    wire.Code
	Leader int32 // -1: none at present
	Epoch  int32 // of the leader, -1 where the broker does not tell
}

// Count is the number of partitions of a topic, 0 while it is not known.
func (c *Cluster) Count(topic string) int32 {
	if t := c.Topics[topic]; t != nil {
		return int32(len(t.Partitions))
	}
	return 0
}

// Leader is a partition's leader, and false while there is none.
func (c *Cluster) Leader(topic string, partition int32) (Partition, bool) {
	t := c.Topics[topic]
	if t == nil || partition < 0 || int(partition) >= len(t.Partitions) {
		return Partition{}, false
	}
	p := t.Partitions[partition]
	return p, p.Leader >= 0
}

func (c *Cluster) broker(id int32) (Broker, bool) {
	for _, b := range c.Brokers {
		if b.ID == id {
			return b, true
		}
	}
	return Broker{}, false
}

// merge makes the next view of this one and an answer: brokers are replaced,
// topics that the answer names are replaced, others stay.
func (c *Cluster) merge(resp *kmsg.MetadataResponse) *Cluster {
	next := &Cluster{ID: c.ID, Controller: resp.ControllerID, Topics: make(map[string]*Topic, len(c.Topics)+len(resp.Topics))}
	if resp.ClusterID != nil {
		next.ID = *resp.ClusterID
	}
	for name, topic := range c.Topics {
		next.Topics[name] = topic
	}
	for i := range resp.Brokers {
		b := &resp.Brokers[i]
		broker := Broker{ID: b.NodeID, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			broker.Rack = *b.Rack
		}
		next.Brokers = append(next.Brokers, broker)
	}
	slices.SortFunc(next.Brokers, func(a, b Broker) int { return int(a.ID) - int(b.ID) })
	for i := range resp.Topics {
		if t := topicOf(&resp.Topics[i]); t.Name != "" {
			next.Topics[t.Name] = t.keepLeaders(c.Topics[t.Name])
		}
	}
	return next
}

func topicOf(t *kmsg.MetadataResponseTopic) *Topic {
	topic := &Topic{ID: t.TopicID, Err: wire.Code(t.ErrorCode)}
	if t.Topic != nil {
		topic.Name = strings.Clone(*t.Topic)
	}
	if len(t.Partitions) == 0 {
		return topic
	}
	topic.Partitions = make([]Partition, len(t.Partitions))
	for i := range topic.Partitions {
		topic.Partitions[i] = Partition{Leader: -1, Epoch: -1, Err: wire.LeaderNotAvailable}
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if p.Partition < 0 || int(p.Partition) >= len(topic.Partitions) {
			continue // a hole in the numbering: what is not told stays without leader
		}
		topic.Partitions[p.Partition] = Partition{Err: wire.Code(p.ErrorCode), Leader: p.Leader, Epoch: p.LeaderEpoch}
	}
	return topic
}

// mostHeld is how many answers in a row may tell of older leaders than the view. A
// broker lags for less than it takes to ask that often.
const mostHeld = 4

// keepLeaders holds on to a newer leader than a lagging broker tells of, as
// KIP-320's epochs allow. A topic that was made anew starts over: its id says so
// or, with brokers that give none (before 2.8), one answer after another.
func (t *Topic) keepLeaders(old *Topic) *Topic {
	if old == nil || old.ID != t.ID || old.held == mostHeld {
		return t
	}
	for i := range t.Partitions {
		if i < len(old.Partitions) && t.Partitions[i].Epoch >= 0 && old.Partitions[i].Epoch > t.Partitions[i].Epoch {
			t.Partitions[i] = old.Partitions[i]
			if t.ID == ([16]byte{}) {
				t.held = old.held + 1
			}
		}
	}
	return t
}
