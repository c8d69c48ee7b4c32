package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDemo is the whole job on the in-process broker: 100,000 records, one panic, nothing lost.
func TestDemo(t *testing.T) {
	got := moldauWith(t, nil, "demo")
	require.Zero(t, got.status, got.errors)
	requireDemo(t, got.out)
}

// requireDemo looks for the tree and the figures in what the demo printed.
func requireDemo(t *testing.T, out string) {
	t.Helper()
	for _, line := range []string{
		"moldau:demo  running", "client:demo  running rest_for_one", "broker:", "producer:5  running", "worker:", "mailbox=0", "restarts=1", "position=",
		"records produced  100000\n", "records acked     100000\n", "records handled   100000\n", "records lost      0\n",
		"workers failed    1\n", "workers restarted 1\n",
	} {
		require.Contains(t, out, line)
	}
}

// TestDemoEndsInTime: a cluster that is not there costs no more than the timeout, and the reason is told.
func TestDemoEndsInTime(t *testing.T) {
	got := moldauWith(t, nil, "demo", "--brokers", closedPort(t), "--timeout", "300ms")
	require.Equal(t, workFailed, got.status)
	require.Contains(t, got.errors, "refused")
}
