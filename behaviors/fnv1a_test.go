package behaviors

import (
	"hash/fnv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFNV1aIsTheLibrarys(t *testing.T) {
	require.Equal(t, uint32(0xbf9cf968), fnv1a([]byte("foobar")))
	rapid.Check(t, func(t *rapid.T) {
		key := keys().Draw(t, "key")
		hash := fnv.New32a()
		_, _ = hash.Write(key)
		if hash.Sum32() != fnv1a(key) {
			t.Fatalf("%x, want %x", fnv1a(key), hash.Sum32())
		}
	})
}
