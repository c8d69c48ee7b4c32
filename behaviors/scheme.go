package behaviors

import (
	"hash/crc32"
	"math/rand/v2"
)

// Scheme is a Partitioner that needs nothing but the record. Most of them agree
// with another client's, so that records of a key go on to where that client
// put them. The zero value is the default, LikeJava. An empty key is a key,
// unless it says otherwise below; an absent one is nil.
type Scheme uint8

const (
	// LikeJava hashes the key with murmur2, as the Java client does by default,
	// and with it most clients of today. Records without key stay with one
	// partition until its batch is full or sent (KIP-480); called directly, not
	// by a client that produces, it chooses one at random.
	LikeJava Scheme = iota
	// LikeKafkaEx is LikeJava, but every record without key goes to a partition
	// at random: KafkaEx's default, and librdkafka's murmur2_random.
	LikeKafkaEx
	// LikeKafkaExLegacy is KafkaEx's default before 1.0, its Legacy since: the
	// murmur2 hash with its sign bit, which puts about half of the keys elsewhere
	// than LikeJava. Without key: at random.
	LikeKafkaExLegacy
	// LikeBrod is brod's hash: Erlang's phash2 of the key as a binary. Without key
	// it is that of the atom undefined, which is brod's absent key, so all those
	// records go to one partition.
	LikeBrod
	// LikeSarama is Sarama's default (NewHashPartitioner): FNV-1a of the key as a
	// signed number, whose remainder loses its sign. It is librdkafka's
	// fnv1a_random too, and for records with a key kafka-go's Hash. Without key:
	// at random.
	LikeSarama
	// LikeLibrdkafka is the default of librdkafka, and so of kcat and of
	// Confluent's clients for Python, Go and .NET: CRC-32 of the key
	// (consistent_random). Without key, or with an empty one: at random.
	LikeLibrdkafka
	// Random ignores the key: each record goes to a partition at random, as with
	// brod's random.
	Random
)

var schemeWords = [...]string{"java", "kafkaex", "kafkaex_legacy", "brod", "sarama", "librdkafka", "random"}

// String is the word for the scheme in a configuration; empty if there is no
// such scheme.
func (s Scheme) String() string {
	if int(s) >= len(schemeWords) {
		return ""
	}
	return schemeWords[s]
}

// Partition implements Partitioner. Without partitions, and for a number that
// is no scheme, it is -1. It does not allocate.
func (s Scheme) Partition(r Record, count int32) int32 {
	if count <= 0 || s > Random {
		return -1
	}
	if s.ignores(r.Key) {
		return rand.Int32N(count)
	}
	switch s {
	case LikeKafkaExLegacy:
		return int32(murmur2(r.Key) % uint32(count))
	case LikeBrod:
		return int32(brodHash(r.Key) % uint32(count))
	case LikeSarama:
		rest := int32(fnv1a(r.Key)) % count
		return max(rest, -rest)
	case LikeLibrdkafka:
		return int32(crc32.ChecksumIEEE(r.Key) % uint32(count))
	}
	return ByKey(r.Key, count)
}

// ignores says that the key has no part in the choice.
func (s Scheme) ignores(key []byte) bool {
	switch s {
	case Random:
		return true
	case LikeBrod:
		return false
	case LikeLibrdkafka:
		return len(key) == 0
	}
	return key == nil
}

func brodHash(key []byte) uint32 {
	if key == nil {
		return phash2Undefined
	}
	return phash2(key)
}
