package behaviors

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// phash2Vectors are what erlang:phash2/1 answered.
var phash2Vectors = map[string]uint32{
	"":                       13708901,
	"a":                      112802447,
	"abc":                    98228475,
	"some-key":               21705401,
	"hello world":            33550279,
	"0123456789ab":           115360506,
	"0123456789abc":          67923675,
	"user-42":                106851094,
	strings.Repeat("x", 100): 131552894,
	"\xff\x00\x01":           24906399,
}

func TestPhash2AsErlang(t *testing.T) {
	for key, want := range phash2Vectors {
		require.Equal(t, want, phash2([]byte(key)), "%q", key)
	}
}
