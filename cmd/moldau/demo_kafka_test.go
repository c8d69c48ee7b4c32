//go:build kafka

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/internal/kafkatest"
)

// TestLifecycleDemo is the demo on three real brokers.
func TestLifecycleDemo(t *testing.T) {
	kafka := kafkatest.StartKafka(t, kafkatest.Options{Version: "4.3.1", Nodes: 3})
	got := moldauWith(t, nil, "demo", "--brokers", strings.Join(kafka.Addrs(), ","))
	require.Zero(t, got.status, got.errors)
	requireDemo(t, got.out)
}
