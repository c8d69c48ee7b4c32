package handle

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRetryPoliciesAndIdempotence(t *testing.T) {
	for _, c := range []struct {
		produce ProduceConfig
		mistake string
	}{
		{ProduceConfig{Retry: RetrySafe, Idempotence: IdempotenceOn}, ""},
		{ProduceConfig{Retry: RetryAtLeastOnce, Idempotence: IdempotenceOff}, ""},
		{ProduceConfig{Retry: RetryAtLeastOnce, MaxInFlight: 9}, ""},
		{ProduceConfig{Retry: RetryAtLeastOnce, Idempotence: IdempotenceOn}, "RetryAtLeastOnce is without idempotence"},
		{ProduceConfig{MaxInFlight: 9}, "at most 5 with idempotence"},
		{ProduceConfig{Retry: 3}, "want one of idempotent, at_least_once, safe"},
		{ProduceConfig{MaxRetries: -1}, "Produce.MaxRetries -1: must not be negative"},
	} {
		_, err := New(Config{Brokers: "localhost:9092", Produce: c.produce})
		if c.mistake == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.mistake)
		}
	}
}

// At least once asks for no producer id; the safe policy may have one.
func TestAtLeastOnceIsPlain(t *testing.T) {
	for retry, want := range map[Retry]bool{RetryIdempotent: false, RetryAtLeastOnce: true, RetrySafe: false} {
		h, err := New(Config{Brokers: "localhost:9092", Produce: ProduceConfig{Retry: retry}})
		require.NoError(t, err)
		_, _, plain := h.Identity(&h.config.Produce)
		require.Equal(t, want, plain)
	}
}
