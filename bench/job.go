package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// job is one measurement: what a child process is told, as JSON.
type job struct {
	Client     string `json:"client"`
	Kind       kind   `json:"kind"`
	Broker     string `json:"broker"` // host:port, or several with commas between
	CA         string `json:"ca"`     // PEM; not empty: TLS
	Topic      string `json:"topic"`
	Partitions int32  `json:"partitions"`
	Records    int    `json:"records"`   // to measure
	WarmUp     int    `json:"warm_up"`   // before that
	Size       int    `json:"size"`      // bytes of a value
	List       int    `json:"list"`      // records of a call, where a client takes several; 0 or 1: one by one
	Throttled  bool   `json:"throttled"` // the broker asks for a pause after the first record
	Moves      int    `json:"moves"`     // of the leader during the last call; 0: another kind of run
	Codec      string `json:"codec"`     // none, gzip, snappy, lz4, zstd
	Idempotent bool   `json:"idempotent"`
	// Linger and BatchBytes are the same for every client that can be told.
	Linger     time.Duration `json:"linger"`
	BatchBytes int           `json:"batch_bytes"`
	CPUProfile string        `json:"cpu_profile"` // a file for pprof; empty for none
}

// kind is what a job measures.
type kind string

const (
	produce kind = "produce"
	consume kind = "consume"
	latency kind = "sync"   // one record at a time
	calls   kind = "panic"  // a callback panics
	beside  kind = "beside" // a request of another kind, while producing is held up
)

// total is what a topic holds once the job's warm-up and measurement are in it.
func (j *job) total() int { return j.Records + j.WarmUp }

// oneByOne says that every record is waited for, and goes to partition 0.
func (j *job) oneByOne() bool { return j.Kind == latency || j.Throttled }

// tls is the configuration of a TLS connection, nil for plain text.
func (j *job) tls() (*tls.Config, error) {
	if j.CA == "" {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(j.CA)) {
		return nil, errors.New("the CA is not PEM")
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// producer is a client as a job drives it.
type producer interface {
	// send produces n records, value by value, and returns when each is known to
	// be acked without an error.
	send(ctx context.Context, n int) error
	// one produces a record to partition 0 and returns when it is acked.
	one(ctx context.Context, value []byte) error
	// requests is how many Produce requests went out; 0 where a client does not tell.
	requests() int64
	close()
}

// asker is a producer that has requests of another kind.
type asker interface {
	// ask asks partition 0's leader for the latest offset.
	ask(ctx context.Context) error
}

// consumer is a client as a job drives it.
type consumer interface {
	// run reads every partition from its beginning, shows each record to the
	// tally, and returns when the tally is full.
	run(ctx context.Context, t *tally) error
	// requests is how many Fetch requests went out; 0 where a client does not tell.
	requests() int64
	close()
}

// client makes producers and consumers of one library. One of both may be nil:
// it has no part in those rows.
type client struct {
	name     string
	module   string // for the version in the report; empty: this checkout
	producer func(ctx context.Context, j *job) (producer, error)
	consumer func(ctx context.Context, j *job) (consumer, error)
	// idempotent tells that it can produce with idempotence.
	idempotent bool
	// missing says why the client is not built in; empty if it is.
	missing string
}

// takesPart tells whether a client is in the rows of a kind.
func (c client) takesPart(k kind) bool {
	if k == consume {
		return c.consumer != nil || c.missing != ""
	}
	return c.producer != nil || c.missing != ""
}

// clients are all that can be compared, ours first and the floor last.
func clients() []client {
	return []client{moldauClient(), moldauRecyclingClient(), franzClient(), franzPoolsClient(), saramaClient(), kafkaGoClient(), confluentClient(), floorClient()}
}

func clientNamed(name string) (client, error) {
	for _, c := range clients() {
		if c.name == name {
			return c, nil
		}
	}
	return client{}, fmt.Errorf("no client is called %q", name)
}
