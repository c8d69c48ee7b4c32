package main

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/moldau-go/moldau/telemetry"
)

// ledger counts what the demo did. Nothing in it is estimated.
type ledger struct {
	records         int
	produced, acked int // by the producing goroutine alone

	mu       sync.Mutex
	next     []int64 // by partition: the offset after the last one booked
	handled  int
	again    int // booked a second time, after a restart
	gaps     int // offsets that were skipped
	failures int // workers that failed
	restarts int // of their actors
	complete chan struct{}
}

func newLedger(records int, partitions int32) *ledger {
	return &ledger{records: records, next: make([]int64, partitions), complete: make(chan struct{})}
}

// book counts one handled record.
func (l *ledger) book(partition int32, offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch next := l.next[partition]; {
	case offset < next:
		l.again++
		return
	case offset > next:
		l.gaps += int(offset - next)
	}
	l.next[partition] = offset + 1
	if l.handled++; l.handled == l.records {
		close(l.complete)
	}
}

// Handle takes the client's events: the ledger is its telemetry handler.
func (l *ledger) Handle(e telemetry.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := e.(type) {
	case telemetry.WorkerFailed:
		l.failures++
	case telemetry.ActorChanged:
		if e.Child == "handler" && e.State == "restarting" {
			l.restarts++
		}
	}
}

func (l *ledger) print(w io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(w, "records produced  %d\nrecords acked     %d\nrecords handled   %d\nrecords lost      %d\nhandled again     %d\nworkers failed    %d\nworkers restarted %d\n",
		l.produced, l.acked, l.handled, l.acked-l.handled+l.gaps, l.again, l.failures, l.restarts)
}

// verdict is an error if a figure is not what it must be. A record may be
// handled again: the set that held the poison was not acked.
func (l *ledger) verdict() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var wrong []error
	expect := func(what string, is, must int) {
		if is != must {
			wrong = append(wrong, fmt.Errorf("%s: %d, must be %d", what, is, must))
		}
	}
	expect("records produced", l.produced, l.records)
	expect("records acked", l.acked, l.records)
	expect("records handled", l.handled, l.records)
	expect("offsets skipped", l.gaps, 0)
	expect("workers failed", l.failures, 1)
	expect("workers restarted", l.restarts, 1)
	return errors.Join(wrong...)
}
