package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// preamble says what was measured with what.
func (b *bench) preamble() string {
	o := b.options
	var versions []string
	for _, c := range o.clients {
		if c.module != "" && c.missing == "" && c.name != franzPoolsClient().name {
			versions = append(versions, c.name+" "+versionOf(c.module))
		}
	}
	procs := o.maxProcs
	if procs == 0 {
		procs = runtime.NumCPU()
	}
	lines := []string{
		fmt.Sprintf("Machine: %d cores, %s, %s/%s; %s; the broker shares it.", runtime.NumCPU(), processor(), runtime.GOOS, runtime.GOARCH, runtime.Version()),
		fmt.Sprintf("Broker: Kafka %s, over loopback.", b.broker.version),
		"Clients: " + strings.Join(versions, ", ") + ".",
		fmt.Sprintf("Settings of all: acks=all, linger %v (none in sync rows), batches of %d bytes, %d MiB of records that are not acked (franz-go: 10,000 records, its default, with which it does better), "+
			"fetches of %d MiB and of %d MiB a partition, GOGC=%d, GOMAXPROCS=%d. Not idempotent: one request of a partition at a time where a client can be told; idempotent: each client's own.",
			o.linger, o.batchBytes, bufferBytes>>20, fetchBytes>>20, fetchPartitionBytes>>20, o.gogc, procs),
		"records/CPU s: records per second of user and system time of the client's process, warm-up and start left out; consuming counts from before the client's start, its allocations from the first records on. ours/theirs: the median of the rounds' ratios.",
	}
	return strings.Join(lines, "\n\n") + "\n"
}

// versionOf is the version of a module in this binary.
func versionOf(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of unknown version"
	}
	for _, d := range info.Deps {
		if d.Path == module {
			return d.Version
		}
	}
	return "of unknown version"
}

// processor is the processor's name, where Linux tells.
func processor() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
