package behaviors

import (
	"iter"

	"github.com/moldau-go/moldau/wire/record"
)

// MessageSet is what a worker is handed: records of one partition in offset
// order, with the positions that were known when they were fetched.
//
// It is a view. Keys, values and headers alias the buffer that the answer was
// read into; that buffer is garbage collected and never written again, so
// keeping a set or a record is safe and costs the whole buffer's memory.
// Record.Clone detaches one. A set must not be iterated by two goroutines at
// once.
type MessageSet struct {
	// Topic and Partition say where the records come from.
	Topic     string
	Partition int32
	// HighWatermark is the offset after the last replicated record of the
	// partition at the time of the fetch.
	HighWatermark int64
	// LastStableOffset is the offset that a read_committed reader cannot pass;
	// -1 where the broker does not tell it.
	LastStableOffset int64

	batches []record.Records
	first   int64
	last    int64
	count   int
	err     error
}

// SetOf makes a MessageSet of opened batches: what consumers do, and what a
// test of a behavior does. Records below first are skipped, as the first batch
// of a fetch may begin before the offset that was asked for. last is the
// offset that an ack of the whole set acknowledges: the last offset that the
// batches cover, whether a record still stands there or not. count is the
// number of records from first on.
func SetOf(topic string, partition int32, first, last int64, count int, batches []record.Records) *MessageSet {
	return &MessageSet{
		Topic: topic, Partition: partition, HighWatermark: last + 1, LastStableOffset: -1,
		first: first, last: last, count: count, batches: batches,
	}
}

// First is the offset from which on the set covers the partition.
func (s *MessageSet) First() int64 { return s.first }

// Last is the last offset that the set covers; acking it acks the whole set.
func (s *MessageSet) Last() int64 { return s.last }

// Count is the number of records in the set.
func (s *MessageSet) Count() int { return s.count }

// Lag is how many offsets stand between the end of this set and the high
// watermark of its fetch.
func (s *MessageSet) Lag() int64 { return max(s.HighWatermark-s.last-1, 0) }

// Err is the error that ended the last iteration before the end of the set: a
// record that cannot be decoded. It is nil before any iteration. The library
// asks it after the handler; a malformed set is not acked.
func (s *MessageSet) Err() error { return s.err }

// Records iterates over the records in offset order, decoding them in place.
// It may be called more than once. Iteration ends at a record that cannot be
// decoded, and Err then says why.
func (s *MessageSet) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		r := Record{Topic: s.Topic, Partition: s.Partition}
		for _, batch := range s.batches {
			for batch.Next(&r) {
				if r.Offset > s.last {
					return
				}
				if r.Offset >= s.first && !yield(r) {
					return
				}
			}
			if err := batch.Err(); err != nil {
				s.err = err
				return
			}
		}
	}
}
