package main

import (
	"context"
	"fmt"
	"io"
	"math"
)

// report runs everything and prints the tables as they come.
func (b *bench) report(ctx context.Context, out io.Writer) error {
	if b.options.needsBroker() {
		if err := b.warmBroker(ctx); err != nil {
			return fmt.Errorf("warming up the broker: %w", err)
		}
	}
	fmt.Fprint(out, b.preamble())
	for _, r := range b.options.rows {
		if r.tls && b.broker.secure == "" {
			fmt.Fprintf(out, "\n### %s\n\nLeft out: -brokers has no TLS address.\n", r.text())
			continue
		}
		outcomes, err := b.runRow(ctx, r)
		if err != nil {
			return err
		}
		if r.kind == calls {
			fmt.Fprint(out, panicTable(b.options.rounds, outcomes))
			continue
		}
		if r.kind == beside {
			fmt.Fprint(out, besideTable(r, b.options.rounds, outcomes))
			continue
		}
		if r.moves > 0 {
			fmt.Fprint(out, failoverTable(r, b.options.rounds, outcomes))
			continue
		}
		fmt.Fprint(out, table(r, b.options, outcomes))
	}
	return nil
}

// warmBroker lets the broker's compiler see the work before anything is measured.
func (b *bench) warmBroker(ctx context.Context) error {
	o := *b.options
	o.rounds, o.clients = 1, []client{floorClient()}
	o.records, o.syncRecords = min(o.records, 1_000_000), 5*o.syncRecords
	quiet := &bench{options: &o, broker: b.broker, log: io.Discard, program: b.program}
	for _, r := range []row{{name: "warm-up", kind: produce}, {name: "warm-up", kind: consume}, {name: "warm-up", kind: latency}} {
		outcomes, err := quiet.runRow(ctx, r.withDefaults())
		if err != nil {
			return err
		}
		if outcomes[0].runs[0] == nil {
			return fmt.Errorf("the floor: %s", outcomes[0].why)
		}
		b.topics += quiet.topics
	}
	return nil
}

// figures are one figure of every run; 0 for a failed one.
func (o *outcome) figures(of func(*measurement) float64) []float64 {
	var all []float64
	for _, m := range o.runs {
		if m == nil {
			all = append(all, 0)
			continue
		}
		all = append(all, of(m))
	}
	return all
}

// middle is the median of the runs that worked.
func (o *outcome) middle(of func(*measurement) float64) float64 {
	var all []float64
	for _, m := range o.runs {
		if m != nil {
			all = append(all, of(m))
		}
	}
	return median(all)
}

func perCPU(m *measurement) float64  { return m.RecordsPerCPU }
func perSec(m *measurement) float64  { return m.RecordsPerSec }
func p50(m *measurement) float64     { return m.P50 }
func p99(m *measurement) float64     { return m.P99 }
func allocs(m *measurement) float64  { return m.AllocsPerRecord }
func heap(m *measurement) float64    { return m.BytesPerRecord }
func rss(m *measurement) float64     { return m.MaxRSS }
func request(m *measurement) float64 { return float64(m.Records) / float64(m.Requests) }

// number prints what is known, in so many digits.
func number(v float64, format string) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v == 0 {
		return "–"
	}
	return fmt.Sprintf(format, v)
}
