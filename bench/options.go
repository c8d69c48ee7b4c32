package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"
)

// options are the flags.
type options struct {
	rows        []row
	clients     []client
	rounds      int
	records     int
	syncRecords int
	warmUp      int
	linger      time.Duration
	batchBytes  int
	gogc        int
	maxProcs    int
	brokers     string
	heapMB      int
	profiles    string
	timeout     time.Duration
	job         string
}

const usageText = `bench compares Kafka clients on a real broker that it starts (Java and Maven are
needed), or on -brokers. Each measurement is a process of its own; the figure is
records per second of that process's user and system time.

  go run ./bench -quick                     ours, franz-go and the floor, under 2 minutes
  go run ./bench -rows produce,consume,sync the main rows, every client
  go run ./bench -rows all                  everything

`

func parseOptions(args []string, out io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() { fmt.Fprint(out, usageText); f.PrintDefaults() }
	rowList := f.String("rows", "produce,produce-plain,consume,sync", "rows of the report, with commas between, or all")
	clientList := f.String("clients", "all", "clients to compare, with commas between, or all")
	quick := f.Bool("quick", false, "3 rounds of 1,000,000 records by ours, franz-go and the floor")
	f.IntVar(&o.rounds, "rounds", 5, "rounds; every client runs once in each")
	f.IntVar(&o.records, "records", 5_000_000, "records of a run; rows other than the main ones take a fifth or tenth")
	f.IntVar(&o.syncRecords, "sync-records", 10_000, "records of a run of a sync row")
	f.IntVar(&o.warmUp, "warm-up", 100_000, "records before a run's measurement; sync rows take a fifth of theirs")
	f.DurationVar(&o.linger, "linger", 5*time.Millisecond, "how long a batch waits for more records; none in sync rows")
	f.IntVar(&o.batchBytes, "batch-bytes", 1_000_000, "bytes of a full batch")
	f.IntVar(&o.gogc, "gogc", 100, "GOGC of every client")
	f.IntVar(&o.maxProcs, "gomaxprocs", 0, "GOMAXPROCS of every client; 0 for all cores")
	f.StringVar(&o.brokers, "brokers", "", "brokers to use instead of starting one; TLS rows are left out")
	f.IntVar(&o.heapMB, "heap", 2048, "largest heap of the broker that is started, in MiB")
	f.StringVar(&o.profiles, "profiles", "", "folder for CPU profiles, one for each row and client")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "limit of one run")
	f.StringVar(&o.job, "job", "", "one measurement as JSON: what the runs are started with")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q is no flag", f.Arg(0))
	}
	if *quick {
		setUnlessGiven(f, map[string]string{"rounds": "3", "records": "1000000", "sync-records": "2000", "clients": "moldau,franz-go,franz-go-pools,floor", "rows": "produce,consume,sync"})
	}
	var rowsErr, clientsErr error
	o.rows, rowsErr = chosenRows(*rowList)
	o.clients, clientsErr = chosenClients(*clientList)
	return o, errors.Join(rowsErr, clientsErr, o.check())
}

// setUnlessGiven sets flags that are not on the command line.
func setUnlessGiven(f *flag.FlagSet, values map[string]string) {
	f.Visit(func(given *flag.Flag) { delete(values, given.Name) })
	for name, value := range values {
		_ = f.Set(name, value)
	}
}

func (o *options) check() error {
	var errs []error
	for name, n := range map[string]int{"rounds": o.rounds, "records": o.records, "sync-records": o.syncRecords, "batch-bytes": o.batchBytes, "gogc": o.gogc, "heap": o.heapMB} {
		if n <= 0 {
			errs = append(errs, fmt.Errorf("-%s %d: must be positive", name, n))
		}
	}
	if o.warmUp < 0 || o.linger < 0 || o.maxProcs < 0 {
		errs = append(errs, errors.New("-warm-up, -linger and -gomaxprocs must not be negative"))
	}
	return errors.Join(errs...)
}

// jobOf is what a client is told in a row; topic and broker are not in it yet.
func (o *options) jobOf(r row, c client) job {
	j := job{
		Client: c.name, Kind: r.kind, Partitions: r.partitions, Size: r.size, Codec: r.codec, List: r.list, Moves: r.moves, Throttled: r.throttled,
		Records: max(int(float64(o.records)*r.share), 1), WarmUp: o.warmUp,
		Idempotent: !r.plainAcks && c.idempotent, Linger: o.linger, BatchBytes: o.batchBytes,
	}
	// Large values would else warm up with far more bytes than they measure.
	j.WarmUp = min(j.WarmUp, j.Records)
	if r.kind == latency {
		j.Records, j.WarmUp, j.Linger = o.syncRecords, o.syncRecords/5, 0
	}
	if r.kind == beside {
		j.Records, j.WarmUp = flushBytes/r.size, 1
	}
	return j
}

// needsBroker tells whether any row runs on a real broker.
func (o *options) needsBroker() bool {
	return slices.ContainsFunc(o.rows, func(r row) bool { return r.moves == 0 && r.kind != calls && r.kind != beside })
}
