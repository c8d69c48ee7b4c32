package behaviors

// Partitioner chooses a record's partition among count, numbered from 0. It is
// called by the goroutine that produces, for many records at once, and must be
// quick. A choice outside the range fails the record.
type Partitioner interface {
	Partition(r Record, count int32) int32
}

// PartitionerFunc makes a function a Partitioner.
type PartitionerFunc func(r Record, count int32) int32

// Partition calls the function.
func (f PartitionerFunc) Partition(r Record, count int32) int32 { return f(r, count) }

// On is the Partitioner that always chooses one partition.
func On(partition int32) Partitioner {
	return PartitionerFunc(func(Record, int32) int32 { return partition })
}

// ByKey is the partition that Java's default partitioner gives a key: murmur2,
// the sign bit dropped, modulo count. Without partitions there is none: -1.
func ByKey(key []byte, count int32) int32 {
	if count <= 0 {
		return -1
	}
	return int32(murmur2(key)&0x7fffffff) % count
}

// murmur2 is the 32-bit MurmurHash2 with the seed that Kafka's Java client uses.
func murmur2(data []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := uint32(seed) ^ uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h = h*m ^ k
	}
	switch len(data) {
	case 3:
		h ^= uint32(data[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(data[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(data[0])) * m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}
