package main

import "fmt"

// What every client is given.
const (
	bufferBytes         = 64 << 20  // records that are not acked
	fetchBytes          = 50 << 20  // one fetch
	fetchPartitionBytes = 1 << 20   // one partition in a fetch
	fillBytes           = 128 << 10 // a batch of the topics that are consumed
	stay                = 1000      // records for a partition before the next one, where we have to partition
	tellEvery           = 100       // records that a reader of single records counts before it tells the tally
)

// allAcked is the last check of a producer's run.
func allAcked(acked int64, n int) error {
	if acked != int64(n) {
		return fmt.Errorf("%d records are acked, %d were produced", acked, n)
	}
	return nil
}
