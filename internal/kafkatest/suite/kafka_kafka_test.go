//go:build kafka

package suite

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/internal/kafkatest"
)

// Limits of tests on real brokers.
const (
	kafkaPatience = 90 * time.Second
	chaosRecords  = 200_000
	soakRecords   = 2_000_000
)

// chaosCount is how many records flow through each trouble.
func chaosCount() int {
	if soak() {
		return soakRecords
	}
	return chaosRecords
}

// patient bounds a test on real brokers.
func patient(t *testing.T) context.Context {
	if soak() {
		return bounded(t, 10*time.Minute)
	}
	return bounded(t, kafkaPatience)
}

// newTopic creates a topic on real brokers.
func newTopic(t *testing.T, k *kafkatest.Kafka, name string, partitions int) string {
	t.Helper()
	require.NoError(t, k.CreateTopic(patient(t), kafkatest.Topic{Name: name, Partitions: partitions}))
	return name
}
