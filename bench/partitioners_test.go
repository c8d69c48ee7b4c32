package main

import (
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/moldau-go/moldau"
)

// chooser is how another client chooses a partition for a key.
type chooser func(key []byte, count int32) int32

func bySarama(new sarama.PartitionerConstructor) chooser {
	by := new("orders")
	return func(key []byte, count int32) int32 {
		p, err := by.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(key)}, count)
		if err != nil {
			panic(err)
		}
		return p
	}
}

func byFranz(by kgo.Partitioner) chooser {
	topic := by.ForTopic("orders")
	return func(key []byte, count int32) int32 { return int32(topic.Partition(&kgo.Record{Key: key}, int(count))) }
}

func byKafkaGo(by kafka.Balancer) chooser {
	partitions := make([]int, 100)
	for i := range partitions {
		partitions[i] = i
	}
	return func(key []byte, count int32) int32 {
		return int32(by.Balance(kafka.Message{Key: key}, partitions[:count]...))
	}
}

func fnv1a(key []byte) uint32 {
	hash := fnv.New32a()
	_, _ = hash.Write(key)
	return hash.Sum32()
}

// Records with a key go where the client puts them that a partitioner is named after.
func TestPartitionersAgreeWithOtherClients(t *testing.T) {
	for _, c := range []struct {
		name  string
		ours  moldau.Partitioner
		their chooser
	}{
		{"java, franz-go", moldau.LikeJava, byFranz(kgo.StickyKeyPartitioner(nil))},
		{"java, Sarama", moldau.LikeJava, bySarama(sarama.NewMurmur2Partitioner)},
		{"java, kafka-go", moldau.LikeJava, byKafkaGo(kafka.Murmur2Balancer{})},
		{"kafkaex, Sarama", moldau.LikeKafkaEx, bySarama(sarama.NewMurmur2Partitioner)},
		{"sarama, Sarama", moldau.LikeSarama, bySarama(sarama.NewHashPartitioner)},
		{"sarama, franz-go", moldau.LikeSarama, byFranz(kgo.StickyKeyPartitioner(kgo.SaramaCompatHasher(fnv1a)))},
		{"sarama, kafka-go", moldau.LikeSarama, byKafkaGo(&kafka.Hash{})},
		{"librdkafka, Sarama", moldau.LikeLibrdkafka, bySarama(sarama.NewConsistentCRCHashPartitioner)},
		{"librdkafka, kafka-go", moldau.LikeLibrdkafka, byKafkaGo(kafka.CRC32Balancer{})},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys := rapid.SliceOfN(rapid.Byte(), 1, 64)
			rapid.Check(t, func(t *rapid.T) {
				key := keys.Draw(t, "key")
				for count := int32(1); count <= 100; count++ {
					ours, theirs := c.ours.Partition(moldau.Record{Key: key}, count), c.their(key, count)
					if ours != theirs {
						t.Fatalf("%x: partition %d of %d, and theirs is %d", key, ours, count, theirs)
					}
				}
			})
		})
	}
}

// An empty key is a key for Sarama and franz-go.
func TestPartitionersAgreeOnAnEmptyKey(t *testing.T) {
	sameAs := func(ours moldau.Partitioner, theirs chooser) {
		t.Helper()
		for count := int32(1); count <= 100; count++ {
			require.Equal(t, theirs([]byte{}, count), ours.Partition(moldau.Record{Key: []byte{}}, count), fmt.Sprint(count))
		}
	}
	sameAs(moldau.LikeJava, byFranz(kgo.StickyKeyPartitioner(nil)))
	sameAs(moldau.LikeKafkaEx, bySarama(sarama.NewMurmur2Partitioner))
	sameAs(moldau.LikeSarama, bySarama(sarama.NewHashPartitioner))
}
