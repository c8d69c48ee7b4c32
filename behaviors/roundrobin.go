package behaviors

import "sync/atomic"

// RoundRobin is a Partitioner that goes through the partitions one after
// another, whatever the key, beginning with 0: of n records each of count
// partitions gets n/count, or one more. Every RoundRobin has a count of its own;
// as a client's configured partitioner it has one for each topic. It may be used
// concurrently and takes no lock.
func RoundRobin() Partitioner { return new(roundRobin) }

type roundRobin struct{ made atomic.Uint64 }

func (p *roundRobin) Partition(_ Record, count int32) int32 {
	if count <= 0 {
		return -1
	}
	return int32((p.made.Add(1) - 1) % uint64(count))
}

// ForTopic keeps a topic's share even when several are produced to in turn.
func (*roundRobin) ForTopic(string) Partitioner { return new(roundRobin) }

// Equal says that two of them are the same configuration, wherever they are.
func (*roundRobin) Equal(*roundRobin) bool { return true }
