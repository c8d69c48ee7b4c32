package behaviors

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The vectors are those of Kafka's own UtilsTest.
func TestMurmur2AsJava(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		require.Equal(t, want, int32(murmur2([]byte(key))), key)
	}
}

func TestByKeyStaysInRange(t *testing.T) {
	for i := range 1000 {
		p := ByKey([]byte{byte(i), byte(i >> 8)}, 7)
		require.True(t, p >= 0 && p < 7)
	}
	require.Equal(t, int32(3), On(3).Partition(Record{}, 6))
}
