package main

import (
	"context"
	"encoding/json"
	"io"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/moldau-go/moldau"
)

// perf measures the client through its public API, record by record.
type perf struct {
	session
	topic      string
	records    int
	warmUp     int
	size       int
	partitions int32
	replicas   int16
	acks       string
	codec      string
	linger     time.Duration
	batchBytes int
	out        io.Writer
}

func perfCommand(environ []string) *cobra.Command {
	p := perf{session: session{environ: environ}}
	cmd := &cobra.Command{
		Use:       "perf produce|consume|sync",
		Short:     "Measure throughput and latency, record by record through the public API",
		Long:      "Prints one JSON object. cpu_s is the user and system time of this process; allocs_per_record is\ncounted after the warm-up. The result of every record is checked. consume reads what is in the\ntopic, so run produce on the same --topic first.",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"produce", "consume", "sync"},
		RunE: func(cmd *cobra.Command, args []string) error {
			p.out = cmd.OutOrStdout()
			return p.run(cmd, args[0])
		},
	}
	p.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&p.topic, "topic", "moldau-perf", "topic; produce and sync create it if it is not there")
	f.IntVar(&p.records, "records", 1_000_000, "records to measure")
	f.IntVar(&p.warmUp, "warm-up", 100_000, "records before the measurement (sync: at most a tenth of --records)")
	f.IntVar(&p.size, "size", 100, "bytes of a record's value")
	f.Int32Var(&p.partitions, "partitions", 6, "partitions of a topic that is created")
	f.Int16Var(&p.replicas, "replicas", 1, "replicas of a topic that is created")
	f.StringVar(&p.acks, "acks", "all", "all, leader or none")
	f.StringVar(&p.codec, "codec", "none", "none, gzip, snappy, lz4 or zstd")
	f.DurationVar(&p.linger, "linger", 5*time.Millisecond, "how long a batch waits for more; 0 for not at all")
	f.IntVar(&p.batchBytes, "batch-bytes", 0, "bytes of a full batch; 0: the default")
	return cmd
}

// adjust puts the flags into the settings.
func (p *perf) adjust() (func(*moldau.Config), error) {
	acks, err := parseAcks(p.acks)
	if err != nil {
		return nil, err
	}
	codec, err := parseCodec(p.codec)
	if err != nil {
		return nil, err
	}
	for flag, n := range map[string]int{"records": p.records, "size": p.size, "partitions": int(p.partitions), "replicas": int(p.replicas)} {
		if n < 1 {
			return nil, usagef("--%s %d: want a number from 1", flag, n)
		}
	}
	if p.warmUp < 0 || p.linger < 0 || p.batchBytes < 0 {
		return nil, usagef("--warm-up, --linger and --batch-bytes must not be negative")
	}
	return func(c *moldau.Config) {
		c.Produce.Acks, c.Produce.Codec, c.Produce.BatchBytes, c.Produce.Linger = acks, codec, p.batchBytes, p.linger
		if p.linger == 0 {
			c.Produce.Linger = moldau.NoLinger
		}
	}, nil
}

func (p *perf) run(cmd *cobra.Command, what string) error {
	adjust, err := p.adjust()
	if err != nil {
		return err
	}
	return p.with(cmd, adjust, func(ctx context.Context, client *moldau.Client) error {
		if what != "consume" {
			if err := ensureTopic(ctx, client, p.topic, p.partitions, p.replicas); err != nil {
				return err
			}
		}
		m := &measurement{Records: p.records}
		measure := map[string]func(context.Context, *moldau.Client, *measurement) error{"produce": p.produce, "consume": p.consume, "sync": p.sync}[what]
		if err := measure(ctx, client, m); err != nil {
			return err
		}
		return json.NewEncoder(p.out).Encode(m)
	})
}

// window is how many records produce has open before it checks the oldest.
const window = 1 << 16

func (p *perf) produce(ctx context.Context, client *moldau.Client, m *measurement) error {
	topic := client.Topic(p.topic)
	record := moldau.Record{Value: payload(p.size)}
	ring := make([]moldau.Pending, window)
	send := func(n int) error {
		for i := range n {
			if i >= window {
				if _, err := ring[i%window].Wait(ctx); err != nil {
					return err
				}
			}
			ring[i%window] = topic.Produce(ctx, record)
		}
		if err := topic.Flush(ctx); err != nil {
			return err
		}
		for i := range min(n, window) {
			if _, err := ring[i].Wait(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	if err := send(p.warmUp); err != nil {
		return err
	}
	m.begin()
	if err := send(p.records); err != nil {
		return err
	}
	m.end(int64(p.records) * int64(p.size))
	return nil
}

func (p *perf) sync(ctx context.Context, client *moldau.Client, m *measurement) error {
	topic := client.Topic(p.topic).By(moldau.On(0))
	record := moldau.Record{Value: payload(p.size)}
	for range min(p.warmUp, p.records/10) {
		if _, err := topic.ProduceSync(ctx, record); err != nil {
			return err
		}
	}
	took := make([]time.Duration, p.records)
	m.begin()
	for i := range took {
		begun := time.Now()
		if _, err := topic.ProduceSync(ctx, record); err != nil {
			return err
		}
		took[i] = time.Since(begun)
	}
	m.end(int64(p.records) * int64(p.size))
	slices.Sort(took)
	at := func(q float64) *float64 {
		us := float64(took[int(q*float64(len(took)-1))]) / float64(time.Microsecond)
		return &us
	}
	m.P50, m.P99, m.P999 = at(0.5), at(0.99), at(0.999)
	return nil
}

func payload(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte('a' + i*7%26)
	}
	return b
}

// measurement is what perf prints.
type measurement struct {
	Records         int      `json:"records"`
	Bytes           int64    `json:"bytes"`
	Seconds         float64  `json:"seconds"`
	RecordsPerSec   float64  `json:"records_per_s"`
	CPU             float64  `json:"cpu_s"`
	RecordsPerCPU   float64  `json:"records_per_cpu_s"`
	AllocsPerRecord float64  `json:"allocs_per_record"`
	MaxRSS          float64  `json:"max_rss_mib"`
	P50             *float64 `json:"p50_us,omitempty"`
	P99             *float64 `json:"p99_us,omitempty"`
	P999            *float64 `json:"p999_us,omitempty"`

	begun   time.Time
	cpu     time.Duration
	mallocs uint64
}

func (m *measurement) begin() {
	runtime.GC()
	m.mallocs = mallocs()
	m.cpu, _ = usage()
	m.begun = time.Now()
}

func (m *measurement) end(bytes int64) {
	seconds := time.Since(m.begun).Seconds()
	cpu, rss := usage()
	m.Bytes, m.Seconds = bytes, seconds
	m.RecordsPerSec = per(m.Records, seconds)
	m.CPU = (cpu - m.cpu).Seconds()
	m.RecordsPerCPU = per(m.Records, m.CPU)
	m.AllocsPerRecord = float64(mallocs()-m.mallocs) / float64(max(m.Records, 1))
	m.MaxRSS = rss
}

// per is 0 for what was too short to be measured.
func per(records int, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(records) / seconds
}

func mallocs() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}

// usage is the process's CPU time and its largest resident size in MiB.
func usage() (time.Duration, float64) {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), float64(r.Maxrss) / 1024
}
