//go:build kafka

package suite

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// hashed is a key and the number of partitions to choose from.
type hashed struct {
	key   []byte
	count int32
}

// randomKeys are keys of 0 to 64 bytes, with small and large numbers of partitions.
func randomKeys(n int) []hashed {
	keys := make([]hashed, n)
	for i := range keys {
		key := make([]byte, rand.IntN(65))
		for at := range key {
			key[at] = byte(rand.Uint32())
		}
		keys[i] = hashed{key, 1 + rand.Int32N(1<<rand.IntN(31))}
	}
	return keys
}

// TestProducePartitionsAsJava asks the Java producer's own code where it would put a million random keys.
func TestProducePartitionsAsJava(t *testing.T) {
	const n = 1_000_000
	keys, dir := randomKeys(n), t.TempDir()
	question, answer := filepath.Join(dir, "keys"), filepath.Join(dir, "partitions")
	file, err := os.Create(question)
	require.NoError(t, err)
	to := bufio.NewWriter(file)
	put := func(number int) {
		_, err := to.Write(binary.BigEndian.AppendUint32(nil, uint32(number)))
		require.NoError(t, err)
	}
	put(n)
	for _, k := range keys {
		put(int(k.count))
		put(len(k.key))
		_, err := to.Write(k.key)
		require.NoError(t, err)
	}
	require.NoError(t, to.Flush())
	require.NoError(t, file.Close())

	_, err = kafkatest.RunJava(patient(t), kafkatest.JavaCommand{Source: "testdata/Partitions.java", Args: []string{question, answer}})
	require.NoError(t, err)
	partitions, err := os.ReadFile(answer)
	require.NoError(t, err)
	require.Len(t, partitions, 4*n)
	for i, k := range keys {
		java := int32(binary.BigEndian.Uint32(partitions[4*i:]))
		if ours := moldau.LikeJava.Partition(moldau.Record{Key: k.key}, k.count); ours != java {
			t.Fatalf("%x goes to partition %d of %d, and Java's to %d", k.key, ours, k.count, java)
		}
	}
}

// TestProducePartitionsAsLibrdkafka lets kcat produce with each of librdkafka's hashes, and looks where its records went.
func TestProducePartitionsAsLibrdkafka(t *testing.T) {
	const count, records = 7, 2000
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	for _, c := range []struct {
		theirs string
		ours   moldau.Partitioner
	}{{"consistent_random", moldau.LikeLibrdkafka}, {"murmur2_random", moldau.LikeKafkaEx}, {"fnv1a_random", moldau.LikeSarama}} {
		t.Run(c.theirs, func(t *testing.T) {
			ctx := patient(t)
			topic := newTopic(t, k, c.theirs, count)
			var lines bytes.Buffer
			for i := range records {
				fmt.Fprintf(&lines, "user-%d-%x:v\n", i, rand.Uint64()>>rand.IntN(64))
			}
			_, err := kafkatest.RunKcat(ctx, &lines, "-P", "-b", k.Addrs()[0], "-t", topic, "-K", ":", "-X", "partitioner="+c.theirs)
			require.NoError(t, err)
			used, read := map[int32]bool{}, 0
			newForeign(t, k.Addrs(), nil).read(ctx, topic, func(r *kgo.Record) {
				require.Equal(t, r.Partition, c.ours.Partition(moldau.Record{Key: r.Key}, count), "%s", r.Key)
				used[r.Partition], read = true, read+1
			})
			require.Equal(t, records, read)
			require.Len(t, used, count)
		})
	}
}
