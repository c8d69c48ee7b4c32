package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func runsOf(perCPU ...float64) []*measurement {
	var all []*measurement
	for _, v := range perCPU {
		if v == 0 {
			all = append(all, nil)
			continue
		}
		all = append(all, &measurement{Records: 100, RecordsPerCPU: v, Requests: 4, P50: v})
	}
	return all
}

func TestTableComparesWithOurs(t *testing.T) {
	o := parsed(t, "-rows", "produce")
	text := table(o.rows[0], o, []outcome{
		{client: moldauClient(), runs: runsOf(300, 600, 330)},
		{client: kafkaGoClient(), runs: runsOf(100, 200, 0), why: "it fell over", batch: 12},
		{client: client{name: "gone", missing: "left out"}, why: "left out"},
	})
	require.Contains(t, text, "| moldau | 330 | 1.00 |")
	require.Contains(t, text, "| kafka-go | 150 | 3.00 |")
	require.Contains(t, text, "| 25 | 12 |\n", "records of a request and of a batch")
	require.Contains(t, text, "| gone | – | – |")
	require.Contains(t, text, "* kafka-go: it fell over")
	require.Contains(t, text, "* gone: left out")
	require.Contains(t, text, "kafka-go has no idempotence")
	columns := -1
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			if columns < 0 {
				columns = strings.Count(line, "|")
			}
			require.Equal(t, columns, strings.Count(line, "|"), line)
		}
	}
}

func TestTableOfLatency(t *testing.T) {
	o := parsed(t, "-rows", "sync")
	text := table(o.rows[0], o, []outcome{{client: moldauClient(), runs: runsOf(100, 110)}, {client: franzClient(), runs: runsOf(150, 165)}})
	require.Contains(t, text, "| moldau | 105 |")
	require.Contains(t, text, "| franz-go | 158 | – | 1.50 |")
}

func TestTableWithoutOurs(t *testing.T) {
	o := parsed(t, "-rows", "consume")
	require.Contains(t, table(o.rows[0], o, []outcome{{client: franzClient(), runs: runsOf(100)}}), "| franz-go | 100 | – |")
}

func TestLastLine(t *testing.T) {
	require.Equal(t, "b", lastLine("a\nb\n"))
	require.Equal(t, "a", lastLine("a"))
	require.Empty(t, lastLine(""))
}

func TestFilledTopicsHaveNoEmptyPartition(t *testing.T) {
	require.Equal(t, fillBytes, fillBatch(&job{Records: 5_000_000, Partitions: 6, Size: 100}))
	require.Equal(t, 110*200, fillBatch(&job{Records: 200_000, Partitions: 1000, Size: 100}))
	require.Equal(t, 300, fillBatch(&job{Records: 10, Partitions: 1000, Size: 100}))
}
