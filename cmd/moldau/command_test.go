package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/internal/kafkatest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// outcome is what a run of the program left behind.
type outcome struct {
	status      int
	out, errors string
}

// moldauWith runs the program as a shell would.
func moldauWith(t *testing.T, environ []string, args ...string) outcome {
	t.Helper()
	var out, errors bytes.Buffer
	status := run(t.Context(), args, environ, &out, &errors)
	return outcome{status, out.String(), errors.String()}
}

// cluster is an in-process cluster of three nodes with some topics.
func cluster(t *testing.T) (brokers string) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 3, "audit": 1}})
	return strings.Join(fake.Addrs(), ",")
}

// golden compares with a file, after what differs from run to run is masked.
func golden(t *testing.T, name, is string) {
	t.Helper()
	for mask, with := range map[string]string{
		`"id":"[0-9a-f]{32}"`:                         `"id":"TOPIC-ID"`,
		`127\.0\.0\.1:\d+`:                            "127.0.0.1:PORT",
		`"port":\d+`:                                  `"port":"PORT"`,
		`"timestamp":"20\d\d-[0-9T:.-]+Z"`:            `"timestamp":"TIME"`,
		`(?m)^cluster .*$`:                            "cluster ID",
		`"cluster_id":"[^"]*"`:                        `"cluster_id":"ID"`,
		`controller \d+`:                              "controller N",
		`"controller":\d+`:                            `"controller":N`,
		`leader \d+  replicas [\d,]+  in sync [\d,]+`: "leader N  replicas N  in sync N",
		`"leader":\d+,"leader_epoch":-?\d+,"replicas":\[[\d,]*\],"in_sync":\[[\d,]*\]`: `"leader":N,"leader_epoch":N,"replicas":[N],"in_sync":[N]`,
	} {
		is = regexp.MustCompile(mask).ReplaceAllString(is, with)
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(is), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), is, "go test -update writes %s anew", path)
}

// TestCommandsPrintTheirData runs every command that prints data, in text and in JSON, one after another on one cluster.
func TestCommandsPrintTheirData(t *testing.T) {
	brokers := cluster(t)
	for i, step := range []struct{ name, args string }{
		{"meta", "meta"},
		{"meta-json", "meta --json"},
		{"meta-topic", "meta --topic orders --topic audit"},
		{"meta-topic-json", "meta --topic orders --json"},
		{"send", "send --topic orders --partition 1 --key k1 --value v1 --header a=1 --header b=x=y"},
		{"send-json", "send --topic orders --partition 1 --key k2 --tombstone --json"},
		{"send-empty", "send --topic orders --partition 1 --key= --value= --codec zstd --acks leader"},
		{"send-by-key", "send --topic orders --key customer-7 --value hashed"},
		{"offset-one", "offset --topic orders --partition 1"},
		{"offset-one-json", "offset --topic orders --partition 1 --time earliest --json"},
		{"offset-all", "offset --topic orders"},
		{"offset-all-json", "offset --topic orders --partition all --json"},
		{"offset-since", "offset --topic orders --partition 1 --time 2001-02-03T04:05:06Z"},
		{"offset-after-all", "offset --topic orders --partition 1 --time 4102444800000"},
		{"fetch-last", "fetch --topic orders --partition 1 --format okv"},
		{"fetch-all", "fetch --topic orders --partition 1 --offset earliest --count -1 --format okv --wait 0s"},
		{"fetch-values", "fetch --topic orders --partition 1 --offset 0 --count 2"},
		{"fetch-kv", "fetch --topic orders --partition 1 --offset 0 --format kv"},
		{"fetch-json", "fetch --topic orders --partition 1 --offset 0 --count 3 --json"},
		{"fetch-end", "fetch --topic orders --partition 1 --offset latest --count 5 --wait 0s"},
	} {
		t.Run(step.name, func(t *testing.T) {
			args := append(strings.Fields(step.args), "--brokers", brokers)
			got := moldauWith(t, nil, args...)
			require.Zero(t, got.status, "step %d: %s", i, got.errors)
			golden(t, step.name, got.out+"--- stderr\n"+got.errors)
		})
	}
}

// TestBinaryDataIsNotMangledInJSON: bytes that are no text come in base64.
func TestBinaryDataIsNotMangledInJSON(t *testing.T) {
	brokers := cluster(t)
	require.Zero(t, moldauWith(t, nil, "send", "--brokers", brokers, "--topic", "audit", "--partition", "0", "--value", "\xff\xfe").status)
	got := moldauWith(t, nil, "fetch", "--brokers", brokers, "--topic", "audit", "--partition", "0", "--json")
	require.Contains(t, got.out, `"value":null,"value_base64":"//4="`)
}

// TestWrongUsage: status 2, a reason that names the flag, and nothing on stdout.
func TestWrongUsage(t *testing.T) {
	for args, reason := range map[string]string{
		"nonsense":                                 "nonsense",
		"meta --nonsense":                          "--nonsense",
		"meta extra":                               "extra",
		"meta --brokers host:99999":                "host:99999",
		"meta --brokers kafka://a":                 "without a protocol",
		"meta --timeout soon":                      "soon",
		"meta --config no-such-file.json":          "no-such-file.json",
		"offset":                                   "topic",
		"offset --topic t --time yesterday":        "--time",
		"offset --topic t --time -5":               "--time",
		"offset --topic t --partition x":           "--partition",
		"offset --topic t --partition -1":          "--partition",
		"send --topic t":                           "value",
		"send --value v":                           "topic",
		"send --topic t --value v --tombstone":     "tombstone",
		"send --topic t --value v --acks some":     "--acks",
		"send --topic t --value v --codec rar":     "--codec",
		"send --topic t --value v --header x":      "--header",
		"send --topic t --value v --partition -2":  "--partition",
		"fetch --topic t":                          "partition",
		"fetch --topic t --partition 0 --offset x": "--offset",
		"fetch --topic t --partition 0 --count 0":  "--count",
		"fetch --topic t --partition 0 --format x": "--format",
		"fetch --topic t --partition 0 --wait -1s": "--wait",
		"fetch --topic t --partition -1":           "--partition",
		"perf":                                     "arg",
		"perf swim":                                "swim",
		"perf produce --acks 7":                    "--acks",
		"perf produce --records 0":                 "--records",
		"perf sync --size -1":                      "--size",
		"demo --records 0":                         "--records",
		"demo --partitions x":                      "--partitions",
	} {
		got := moldauWith(t, nil, strings.Fields(args)...)
		require.Equal(t, wrongUsage, got.status, "%s: %s", args, got.errors)
		require.Contains(t, got.errors, reason, args)
		require.Contains(t, got.errors, "--help", args)
		require.Empty(t, got.out, args)
	}
	got := moldauWith(t, []string{"MOLDAU_BROKRES=a:1", "MOLDAU_PRODUCE_LINGER=5"}, "meta")
	require.Equal(t, wrongUsage, got.status)
	require.Contains(t, got.errors, "MOLDAU_BROKRES")
	require.Contains(t, got.errors, "MOLDAU_PRODUCE_LINGER")
}

// TestWhatFailsSaysWhy: status 1 within the timeout, with the cause.
func TestWhatFailsSaysWhy(t *testing.T) {
	brokers := cluster(t)
	closed := closedPort(t)
	for args, reason := range map[string][]string{
		"meta --timeout 1500ms --brokers " + closed:                           {"refused", closed, "--timeout 1.5s is over"},
		"offset --topic t --timeout 1500ms --brokers " + closed:               {"refused", closed},
		"offset --topic t --partition 0 --timeout 1500ms --brokers " + closed: {"refused", closed},
		"send --topic t --value v --timeout 1500ms --brokers " + closed:       {"refused", closed},
		"fetch --topic t --partition 0 --timeout 1500ms --brokers " + closed:  {"refused", closed},
		"perf consume --topic nope --brokers " + brokers:                      {"nope", "UNKNOWN_TOPIC_OR_PARTITION"},
		"meta --topic nope --brokers " + brokers:                              {"nope", "UNKNOWN_TOPIC_OR_PARTITION", "create the topic"},
		"offset --topic nope --brokers " + brokers:                            {"nope", "UNKNOWN_TOPIC_OR_PARTITION"},
		"offset --topic orders --partition 9 --brokers " + brokers:            {"orders/9", "UNKNOWN_TOPIC_OR_PARTITION"},
		"send --topic nope --value v --brokers " + brokers:                    {"nope", "UNKNOWN_TOPIC_OR_PARTITION"},
		"send --topic orders --partition 9 --value v --brokers " + brokers:    {"orders", "no 9"},
		"fetch --topic orders --partition 9 --brokers " + brokers:             {"orders/9", "UNKNOWN_TOPIC_OR_PARTITION"},
		"fetch --topic orders --partition 0 --offset 77 --brokers " + brokers: {"orders/0", "OFFSET_OUT_OF_RANGE"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel() // each waits for its timeout
			got := moldauWith(t, nil, strings.Fields(args)...)
			require.Equal(t, workFailed, got.status, got.errors)
			for _, part := range reason {
				require.Contains(t, got.errors, part)
			}
			require.Empty(t, got.out)
		})
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// TestInterrupt: what a signal ends has status 130.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errors bytes.Buffer
	require.Equal(t, interruption, run(ctx, []string{"meta", "--brokers", closedPort(t)}, nil, &out, &errors))
	require.Contains(t, errors.String(), "interrupted")
}

// TestSettingsComeFromFileEnvironmentAndFlags: later ones go before earlier ones.
func TestSettingsComeFromFileEnvironmentAndFlags(t *testing.T) {
	brokers, closed := cluster(t), closedPort(t)
	file := filepath.Join(t.TempDir(), "moldau.json")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `{"brokers": ["%s"], "clientID": "cli"}`, closed), 0o600))
	env := []string{"MOLDAU_BROKERS=" + brokers, "HOME=x"}
	require.Zero(t, moldauWith(t, env, "meta").status)
	require.Zero(t, moldauWith(t, env, "meta", "--config", file).status)
	require.Zero(t, moldauWith(t, []string{"MOLDAU_BROKERS=" + closed}, "meta", "--config", file, "--brokers", brokers).status)
	require.Equal(t, workFailed, moldauWith(t, nil, "meta", "--config", file, "--timeout", "200ms").status)
}

// TestVerboseTalksOnStderr and leaves stdout alone.
func TestVerboseTalksOnStderr(t *testing.T) {
	got := moldauWith(t, nil, "offset", "--topic", "audit", "--partition", "0", "--brokers", cluster(t), "--verbose")
	require.Zero(t, got.status)
	require.Equal(t, "0\n", got.out)
	require.Contains(t, got.errors, "connection.opened")
}
