package behaviors

// Partitioner chooses a record's partition among count, numbered from 0. It is
// called by the goroutine that produces, for many records at once, and must be
// quick. A choice outside the range fails the record. What the library has is a
// Scheme, RoundRobin and On; a function of yours is a PartitionerFunc.
type Partitioner interface {
	Partition(r Record, count int32) int32
}

// TopicPartitioner may be implemented by a Partitioner that keeps something of
// each topic, as RoundRobin does: as a client's configured partitioner it is
// asked once for the Partitioner of every topic that is produced to. ForTopic
// must be quick and call nothing of the client.
type TopicPartitioner interface {
	Partitioner
	ForTopic(topic string) Partitioner
}

// PartitionerFunc makes a function a Partitioner.
type PartitionerFunc func(r Record, count int32) int32

// Partition calls the function.
func (f PartitionerFunc) Partition(r Record, count int32) int32 { return f(r, count) }

// On is the Partitioner that always chooses one partition.
func On(partition int32) Partitioner { return fixed(partition) }

type fixed int32

func (p fixed) Partition(Record, int32) int32 { return int32(p) }

// ByKey is the partition that Java's default partitioner gives a key: murmur2,
// the sign bit dropped, modulo count. Without partitions there is none: -1.
// A nil key is hashed as an empty one; Java hashes none.
func ByKey(key []byte, count int32) int32 {
	if count <= 0 {
		return -1
	}
	return int32(murmur2(key)&0x7fffffff) % count
}
