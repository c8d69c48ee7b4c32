package main

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func parsed(t *testing.T, args ...string) *options {
	t.Helper()
	o, err := parseOptions(args, io.Discard)
	require.NoError(t, err)
	return o
}

func TestOptionsHaveDefaults(t *testing.T) {
	o := parsed(t)
	require.Equal(t, []string{"produce", "produce-plain", "consume", "sync"}, rowNames(o.rows))
	require.Len(t, o.clients, len(clients()))
	require.Equal(t, 5, o.rounds)
	require.Equal(t, 5_000_000, o.records)
}

func TestQuickGivesWayToFlags(t *testing.T) {
	o := parsed(t, "-quick", "-rounds", "4")
	require.Equal(t, 4, o.rounds)
	require.Equal(t, 1_000_000, o.records)
	var names []string
	for _, c := range o.clients {
		names = append(names, c.name)
	}
	require.Equal(t, []string{"moldau", "franz-go", "franz-go-pools", "floor"}, names)
}

func TestRowsAreChosen(t *testing.T) {
	require.Equal(t, []string{"sync", "produce"}, rowNames(parsed(t, "-rows", "sync, produce,sync").rows))
	require.Len(t, parsed(t, "-rows", "codecs").rows, 8)
	require.Equal(t, []string{"produce-tls", "consume-tls"}, rowNames(parsed(t, "-rows", "tls").rows))
	require.Equal(t, []string{"produce-1000p", "consume-1000p"}, rowNames(parsed(t, "-rows", "1000p").rows))
	require.Equal(t, rowNames(rows()), rowNames(parsed(t, "-rows", "all").rows))
}

func TestMistakesAreNamedTogether(t *testing.T) {
	_, err := parseOptions([]string{"-rows", "prodice", "-clients", "frans-go", "-rounds", "0", "-linger", "-1s"}, io.Discard)
	require.ErrorContains(t, err, `no row is called "prodice"; there are produce,`)
	require.ErrorContains(t, err, `no client is called "frans-go"`)
	require.ErrorContains(t, err, "-rounds 0")
	require.ErrorContains(t, err, "-linger")
	_, err = parseOptions([]string{"produce"}, io.Discard)
	require.ErrorContains(t, err, `"produce" is no flag`)
}

func TestJobsAreTheSameForEveryClient(t *testing.T) {
	o := parsed(t, "-records", "1000", "-rows", "all")
	for _, r := range o.rows {
		ours := o.jobOf(r, moldauClient())
		for _, c := range o.clients {
			theirs := o.jobOf(r, c)
			require.Equal(t, c.idempotent && !r.plainAcks, theirs.Idempotent)
			theirs.Client, theirs.Idempotent = ours.Client, ours.Idempotent
			require.Equal(t, ours, theirs, "%s, %s", r.name, c.name)
		}
		require.Positive(t, ours.Records)
	}
}

func TestNoRowWarmsUpLongerThanItMeasures(t *testing.T) {
	o := parsed(t, "-rows", "produce-10k,produce-1k")
	require.Equal(t, 50_000, o.jobOf(o.rows[0], moldauClient()).Records)
	require.Equal(t, 50_000, o.jobOf(o.rows[0], moldauClient()).WarmUp)
	require.Equal(t, 100_000, o.jobOf(o.rows[1], moldauClient()).WarmUp)
}

func TestSyncRowsDoNotLinger(t *testing.T) {
	o := parsed(t, "-rows", "sync,produce", "-sync-records", "50", "-linger", "7ms")
	require.Zero(t, o.jobOf(o.rows[0], moldauClient()).Linger)
	require.Equal(t, 50, o.jobOf(o.rows[0], moldauClient()).Records)
	require.Equal(t, 7*time.Millisecond, o.jobOf(o.rows[1], moldauClient()).Linger)
}

func TestClientsTakePartWhereTheyCan(t *testing.T) {
	require.False(t, franzPoolsClient().takesPart(produce))
	require.True(t, franzPoolsClient().takesPart(consume))
	for _, c := range clients() {
		require.True(t, c.takesPart(consume), c.name)
	}
}
