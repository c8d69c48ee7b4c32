package main

import (
	"fmt"
	"slices"
	"strings"
)

// row is one line of comparison: one kind of work, done by every client.
type row struct {
	name       string
	kind       kind
	size       int
	partitions int32
	codec      string
	plainAcks  bool // without idempotence
	tls        bool
	throttled  bool
	moves      int // of the leader during one synchronous call
	list       int // records of a produce call, where a client takes several
	// share of -records that it runs with: the main rows take all.
	share float64
}

const (
	usualPartitions = 6
	manyPartitions  = 1000
)

// rows are all there are, in the order of the report.
func rows() []row {
	all := []row{
		{name: "produce", kind: produce},
		{name: "produce-plain", kind: produce, plainAcks: true},
		{name: "produce-lists", kind: produce, list: 500},
		{name: "consume", kind: consume},
		{name: "produce-1k", kind: produce, size: 1000, share: 0.2},
		{name: "consume-1k", kind: consume, size: 1000, share: 0.2},
		{name: "produce-10k", kind: produce, size: 10_000, share: 0.01},
	}
	for _, codec := range []string{"lz4", "zstd", "snappy", "gzip"} {
		all = append(all,
			row{name: "produce-" + codec, kind: produce, codec: codec, share: 0.2},
			row{name: "consume-" + codec, kind: consume, codec: codec, share: 0.2})
	}
	all = append(all,
		row{name: "produce-tls", kind: produce, tls: true, share: 0.2},
		row{name: "consume-tls", kind: consume, tls: true, share: 0.2},
		row{name: "produce-1000p", kind: produce, partitions: manyPartitions, share: 0.1},
		row{name: "consume-1000p", kind: consume, partitions: manyPartitions, share: 0.2},
		row{name: "sync", kind: latency, plainAcks: true},
		row{name: "sync-idempotent", kind: latency},
		row{name: "failover", kind: latency, partitions: 1, moves: 1},
		row{name: "failover-3", kind: latency, partitions: 1, moves: 3},
		row{name: "beside-throttle", kind: beside, partitions: 1, throttled: true},
		row{name: "beside-flush", kind: beside, codec: "gzip", size: 1000},
		row{name: "panic", kind: calls, partitions: 1},
	)
	for i := range all {
		all[i] = all[i].withDefaults()
	}
	return all
}

func (r row) withDefaults() row {
	if r.size == 0 {
		r.size = 100
	}
	if r.partitions == 0 {
		r.partitions = usualPartitions
	}
	if r.codec == "" {
		r.codec = "none"
	}
	if r.share == 0 {
		r.share = 1
	}
	return r
}

// text says what the row is, for the report.
func (r row) text() string {
	parts := []string{string(r.kind), fmt.Sprintf("%d B", r.size)}
	if r.partitions != usualPartitions {
		parts = append(parts, fmt.Sprintf("%d partitions", r.partitions))
	}
	if r.codec != "none" {
		parts = append(parts, r.codec)
	}
	if r.list > 1 {
		parts = append(parts, fmt.Sprintf("lists of %d where a client takes them", r.list))
	}
	if r.tls {
		parts = append(parts, "TLS")
	}
	if r.kind != consume {
		if r.plainAcks {
			parts = append(parts, "not idempotent")
		} else {
			parts = append(parts, "idempotent")
		}
	}
	return strings.Join(parts, ", ")
}

// chosen are the rows that a list names: names with commas between, "all", and
// groups: "codecs", "tls", "1000p", "1k".
func chosenRows(list string) ([]row, error) {
	var out []row
	all := rows()
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		some := slices.DeleteFunc(slices.Clone(all), func(r row) bool { return !r.called(name) })
		if len(some) == 0 {
			return nil, fmt.Errorf("-rows: no row is called %q; there are %s; and all, codecs, tls, 1k, 1000p", name, strings.Join(rowNames(all), ", "))
		}
		for _, r := range some {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func (r row) called(name string) bool {
	switch name {
	case "all":
		return true
	case "codecs":
		return r.codec != "none" && r.kind != beside
	case "tls":
		return r.tls
	case "beside":
		return r.kind == beside
	case "failover":
		return r.moves > 0
	case "1k":
		return r.size == 1000 && r.kind != beside
	case "1000p":
		return r.partitions == manyPartitions
	}
	return r.name == name
}

func rowNames(all []row) []string {
	var names []string
	for _, r := range all {
		names = append(names, r.name)
	}
	return names
}

// chosenClients are the clients that a list names; "all" for every one.
func chosenClients(list string) ([]client, error) {
	if strings.TrimSpace(list) == "all" {
		return clients(), nil
	}
	var out []client
	for name := range strings.SplitSeq(list, ",") {
		c, err := clientNamed(strings.TrimSpace(name))
		if err != nil {
			return nil, fmt.Errorf("-clients: %w", err)
		}
		if !slices.ContainsFunc(out, func(o client) bool { return o.name == c.name }) {
			out = append(out, c)
		}
	}
	return out, nil
}
