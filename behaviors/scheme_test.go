package behaviors

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSchemesAndTheirVectors(t *testing.T) {
	const count = 1000
	for key, hash := range javaVectors {
		r := Record{Key: []byte(key)}
		require.Equal(t, (hash&0x7fffffff)%count, LikeJava.Partition(r, count), key)
		require.Equal(t, (hash&0x7fffffff)%count, LikeKafkaEx.Partition(r, count), key)
		require.Equal(t, int32(uint32(hash)%count), LikeKafkaExLegacy.Partition(r, count), key)
	}
	for key, hash := range phash2Vectors {
		require.Equal(t, int32(hash%count), LikeBrod.Partition(Record{Key: []byte(key)}, count), key)
	}
	require.Equal(t, int32(45914356%count), LikeBrod.Partition(Record{}, count), "phash2 of the atom undefined")
	// CRC-32's check value, and FNV-1a's of its authors, which is negative: -1080231576.
	require.Equal(t, int32(0xcbf43926%count), LikeLibrdkafka.Partition(Record{Key: []byte("123456789")}, count))
	require.Equal(t, int32(576), LikeSarama.Partition(Record{Key: []byte("foobar")}, count))
}

// What becomes of records whose key is absent or empty.
func TestSchemesWithoutKey(t *testing.T) {
	spreads := func(s Scheme, key []byte) bool {
		seen := map[int32]bool{}
		for range 1000 {
			seen[s.Partition(Record{Key: key}, 8)] = true
		}
		require.True(t, len(seen) == 1 || len(seen) == 8, "%v: %d", s, len(seen))
		return len(seen) == 8
	}
	for s := LikeJava; s <= Random; s++ {
		require.Equal(t, s != LikeBrod, spreads(s, nil), "%v without key", s)
		require.Equal(t, s == Random || s == LikeLibrdkafka, spreads(s, []byte{}), "%v with an empty key", s)
		require.Equal(t, s == Random, spreads(s, []byte("key")), "%v with a key", s)
	}
}

func TestSchemesHaveWords(t *testing.T) {
	require.Equal(t, "java", Scheme(0).String(), "the zero value is the default")
	require.Equal(t, "random", Random.String())
	require.Empty(t, (Random + 1).String())
	require.Equal(t, int32(-1), (Random+1).Partition(Record{}, 3))
}
