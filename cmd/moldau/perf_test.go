package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPerfPrintsItsMeasurement: one JSON object with every field that is promised.
func TestPerfPrintsItsMeasurement(t *testing.T) {
	brokers := cluster(t)
	for _, what := range []string{"produce", "consume", "sync"} {
		args := "perf " + what + " --topic perf --records 2000 --warm-up 500 --size 50 --brokers " + brokers
		if what == "sync" {
			args = strings.Replace(args, "2000", "50", 1)
		}
		got := moldauWith(t, nil, strings.Fields(args)...)
		require.Zero(t, got.status, got.errors)
		var m map[string]float64
		require.NoError(t, json.Unmarshal([]byte(got.out), &m), got.out)
		require.Equal(t, 1, strings.Count(got.out, "\n"))
		for _, field := range []string{"records", "bytes", "seconds", "records_per_s", "cpu_s", "records_per_cpu_s", "allocs_per_record", "max_rss_mib"} {
			require.Contains(t, m, field, what)
		}
		require.Positive(t, m["records"], what)
		require.GreaterOrEqual(t, m["bytes"], m["records"]*50, what)
		_, p50 := m["p50_us"]
		require.Equal(t, what == "sync", p50)
	}
}
