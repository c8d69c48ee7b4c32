package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// bench is a whole comparison.
type bench struct {
	options *options
	broker  *broker
	log     io.Writer // progress
	program string    // this binary
	topics  int
}

// outcome is what a client did in a row, round by round.
type outcome struct {
	client client
	runs   []*measurement // nil where a run failed
	why    string         // why there is none, or the last failure
	batch  float64        // records of a batch in the log; 0 if unknown
}

// runRow does all rounds of a row. In each, every client runs once, and the next
// round begins with the next client, so that none always follows the same one.
func (b *bench) runRow(ctx context.Context, r row) ([]outcome, error) {
	var outcomes []outcome
	for _, c := range b.options.clients {
		if r.kind == calls && !c.takesCalls() {
			continue
		}
		if c.takesPart(r.kind) && (r.moves == 0 && r.kind != beside || c.name != floorClient().name) { // the floor does not retry
			outcomes = append(outcomes, outcome{client: c, why: c.missing})
		}
	}
	topic := ""
	if r.kind == consume {
		var err error
		if topic, err = b.filled(ctx, r); err != nil {
			return nil, fmt.Errorf("row %s: the topic to consume: %w", r.name, err)
		}
		defer b.drop(ctx, topic)
	}
	for round := range b.options.rounds {
		for i := range outcomes {
			o := &outcomes[(round+i)%len(outcomes)]
			if o.client.missing != "" {
				continue
			}
			m, err := b.runClient(ctx, r, o, topic, round)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				o.why = err.Error()
			}
			o.runs = append(o.runs, m)
			b.progress(r, o, round, m, err)
		}
	}
	return outcomes, nil
}

func (b *bench) progress(r row, o *outcome, round int, m *measurement, err error) {
	switch {
	case err != nil:
		fmt.Fprintf(b.log, "%s, round %d, %s: %v\n", r.name, round+1, o.client.name, err)
	case r.kind == calls:
		fmt.Fprintf(b.log, "%s, round %d, %s: died %v, %d acked after it\n", r.name, round+1, o.client.name, m.Died, m.AckedAfter)
	case r.kind == beside:
		fmt.Fprintf(b.log, "%s, round %d, %s: %.1f ms\n", r.name, round+1, o.client.name, m.ExtraMS)
	case r.moves > 0:
		fmt.Fprintf(b.log, "%s, round %d, %s: %.1f ms extra\n", r.name, round+1, o.client.name, m.ExtraMS)
	case r.kind == latency:
		fmt.Fprintf(b.log, "%s, round %d, %s: p50 %.0f us, p99 %.0f us\n", r.name, round+1, o.client.name, m.P50, m.P99)
	default:
		fmt.Fprintf(b.log, "%s, round %d, %s: %.0f records per CPU second, %.0f per second\n", r.name, round+1, o.client.name, m.RecordsPerCPU, m.RecordsPerSec)
	}
}

// runClient does one job in a child; producers get a topic of their own.
func (b *bench) runClient(ctx context.Context, r row, o *outcome, topic string, round int) (*measurement, error) {
	if r.kind == calls {
		return b.runPanic(ctx, r, o.client)
	}
	if r.kind == beside {
		return b.runBeside(ctx, r, o.client)
	}
	if r.moves > 0 {
		return b.runFailover(ctx, r, o.client)
	}
	j := b.options.jobOf(r, o.client)
	b.broker.address(&j, r.tls)
	if j.Topic = topic; topic == "" {
		var err error
		if j.Topic, err = b.fresh(ctx, r.partitions); err != nil {
			return nil, err
		}
		defer b.drop(ctx, j.Topic)
	}
	if b.options.profiles != "" {
		j.CPUProfile = filepath.Join(b.options.profiles, r.name+"-"+o.client.name+".pprof")
	}
	m, err := b.child(ctx, &j)
	if err == nil && r.kind == produce && round == 0 {
		o.batch, err = b.broker.recordsPerBatch(ctx, j.Topic, r.partitions)
	}
	return m, err
}

func (b *bench) fresh(ctx context.Context, partitions int32) (string, error) {
	b.topics++
	name := fmt.Sprintf("bench-%d-%d", os.Getpid(), b.topics)
	return name, b.broker.create(ctx, name, partitions)
}

func (b *bench) drop(ctx context.Context, topic string) {
	if err := b.broker.remove(context.WithoutCancel(ctx), topic); err != nil {
		fmt.Fprintf(b.log, "topic %s is left behind: %v\n", topic, err)
	}
}

// filled makes the topic that the clients of a row read.
func (b *bench) filled(ctx context.Context, r row) (string, error) {
	topic, err := b.fresh(ctx, r.partitions)
	if err != nil {
		return "", err
	}
	j := b.options.jobOf(r, floorClient())
	b.broker.address(&j, false)
	j.Topic, j.Kind, j.Idempotent, j.BatchBytes = topic, produce, false, fillBatch(&j)
	_, err = b.child(ctx, &j)
	return topic, err
}

// fillBatch is the size of a filled topic's batches: no partition stays empty.
func fillBatch(j *job) int {
	share := j.total() / int(j.Partitions) * (j.Size + 10)
	return min(fillBytes, max(share, j.Size+200))
}

// child runs a job in a process of this binary, whose CPU time is the client's.
func (b *bench) child(ctx context.Context, j *job) (*measurement, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.options.timeout, fmt.Errorf("no result within %v", b.options.timeout))
	defer cancel()
	cmd := exec.CommandContext(ctx, b.program, "-job", string(text))
	cmd.Env = append(os.Environ(), "GOGC="+strconv.Itoa(b.options.gogc))
	if b.options.maxProcs > 0 {
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+strconv.Itoa(b.options.maxProcs))
	}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %s", err, lastLine(complaint.String()))
	}
	m := &measurement{}
	return m, json.Unmarshal(out.Bytes(), m)
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
