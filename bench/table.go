package main

import (
	"fmt"
	"slices"
	"strings"
)

// table is a row's table in Markdown.
func table(r row, o *options, outcomes []outcome) string {
	var b strings.Builder
	j := o.jobOf(r, moldauClient())
	fmt.Fprintf(&b, "\n### %s\n\n%s, medians of %d rounds\n\n", r.text(), amount(&j), o.rounds)
	ours := oursOf(outcomes)
	var notes []string
	if r.kind == latency {
		b.WriteString("| client | p50 µs | p99 µs | theirs/ours p50 |\n|---|---:|---:|---:|\n")
	} else {
		b.WriteString("| client | records/CPU s | ours/theirs | records/s | allocs/record | B/record | RSS MiB | records/request | records/batch |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	}
	for i := range outcomes {
		c := &outcomes[i]
		if c.why != "" {
			notes = append(notes, fmt.Sprintf("%s: %s", c.client.name, c.why))
		}
		if r.kind == latency {
			b.WriteString(latencyLine(c, ours))
			continue
		}
		b.WriteString(line(c, ours))
	}
	for _, n := range notes {
		fmt.Fprintf(&b, "\n* %s", n)
	}
	if notes != nil {
		b.WriteString("\n")
	}
	if r.kind != consume && !r.plainAcks && slices.ContainsFunc(outcomes, func(c outcome) bool { return !c.client.idempotent && c.runs != nil }) {
		b.WriteString("\nkafka-go has no idempotence and runs without.\n")
	}
	return b.String()
}

// amount says how many records count.
func amount(j *job) string {
	if j.Kind == consume {
		return fmt.Sprintf("%d records a run", j.total())
	}
	return fmt.Sprintf("%d records a run after %d of warm-up", j.Records, j.WarmUp)
}

func oursOf(outcomes []outcome) *outcome {
	for i := range outcomes {
		if outcomes[i].client.module == "" && outcomes[i].client.name != "floor" {
			return &outcomes[i]
		}
	}
	return nil
}

func line(c, ours *outcome) string {
	compared := "–"
	if ours != nil {
		compared = number(ratio(ours.figures(perCPU), c.figures(perCPU)), "%.2f")
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", c.client.name,
		number(c.middle(perCPU), "%.0f"), compared, number(c.middle(perSec), "%.0f"),
		number(c.middle(allocs), "%.4f"), number(c.middle(heap), "%.1f"), number(c.middle(rss), "%.0f"),
		number(c.middle(request), "%.0f"), number(c.batch, "%.0f"))
}

func latencyLine(c, ours *outcome) string {
	compared := "–"
	if ours != nil {
		compared = number(ratio(c.figures(p50), ours.figures(p50)), "%.2f")
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", c.client.name, number(c.middle(p50), "%.0f"), number(c.middle(p99), "%.0f"), compared)
}
