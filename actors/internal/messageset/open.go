// Package messageset turns what a broker answered for a partition into the
// message set that a worker is handed: checksums checked, batches decompressed,
// control and aborted batches dropped, nothing copied that is not compressed.
package messageset

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

// Answer is what a fetch returned for a partition.
type Answer struct {
	Topic         string
	Partition     int32
	From          int64 // the offset that was asked for
	Data          []byte
	HighWatermark int64
	LastStable    int64
	// Aborted are the aborted transactions in Data, with a read_committed fetch.
	Aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction
	// Scratch gives memory to decompress a batch into; it may be too small. nil:
	// every batch gets memory of its own.
	Scratch func() []byte
}

// Opened is what a worker is to see of an answer.
type Opened struct {
	Set  *behaviors.MessageSet // nil if there is nothing for the worker
	Next int64                 // the offset to go on from
	Size int                   // bytes that the set keeps alive
	// Epoch is the leader epoch of the last batch, dropped ones too; -1: not known.
	Epoch int32
	// Aliases says that records of the set are in the answer's data.
	Aliases bool
	// Scratch is the memory that records were decompressed into.
	Scratch [][]byte
}

// Open reads an answer. An error says that the data is not what a broker should
// send; nothing of it is handed out then, but for whole good batches before the
// bad one, which come with a nil error first. A record that is larger than what
// was asked for is an error of class ErrTooLarge that names its size.
func Open(a Answer, codecs *compress.Registry, most int) (Opened, error) {
	o := opener{answer: a, codecs: codecs, most: most, next: a.From, epoch: record.NoLeaderEpoch, aborted: abortedOf(a.Aborted)}
	cursor := record.NewBatches(a.Data)
	var batch record.Batch
	for cursor.Next(&batch) {
		if batch.NextOffset() <= a.From {
			continue
		}
		if err := o.take(&batch); err != nil {
			if o.next > a.From {
				break // what stands before it is good; the next fetch begins at it
			}
			return Opened{}, err
		}
	}
	if err := cursor.Err(); err != nil && o.next == a.From {
		return Opened{}, err
	}
	if have, need := cursor.Partial(); have > 0 && o.next == a.From {
		return Opened{}, &PartialError{Have: have, Need: need}
	}
	return o.opened(), nil
}

// PartialError is an answer that holds not even one whole batch: the broker is
// older than 0.10.1 and the batch larger than what was asked for.
type PartialError struct{ Have, Need int }

func (e *PartialError) Error() string {
	return fmt.Sprintf("a batch of %d bytes is cut at %d; raise Consume.MaxPartitionBytes", e.Need, e.Have)
}

// Retriable says that asking for more bytes helps.
func (e *PartialError) Retriable() bool { return true }

type opener struct {
	answer  Answer
	codecs  *compress.Registry
	most    int
	aborted record.Aborted
	next    int64
	epoch   int32
	batches []record.Records
	count   int
	size    int
	aliases bool
	scratch [][]byte
}

func (o *opener) take(b *record.Batch) error {
	if err := b.Verify(); err != nil {
		return err
	}
	skip, err := o.aborted.Skip(b)
	if err != nil {
		return err
	}
	if skip {
		o.passed(b)
		return nil
	}
	records, err := o.open(b)
	if err != nil {
		return err
	}
	n, err := o.countOf(b, records)
	if err != nil {
		return err
	}
	o.passed(b)
	o.size += len(b.Bytes())
	if b.Attributes.Codec() != compress.None {
		o.size += records.Size()
	}
	if n > 0 {
		o.count += n
		o.batches = append(o.batches, records)
	}
	return nil
}

// passed goes on behind a batch.
func (o *opener) passed(b *record.Batch) {
	o.next = b.NextOffset()
	if b.Magic == 2 {
		o.epoch = b.PartitionLeaderEpoch
	}
}

func (o *opener) open(b *record.Batch) (record.Records, error) {
	if b.Attributes.Codec() == compress.None {
		o.aliases = true
		return b.Open(nil, 0)
	}
	if o.answer.Scratch == nil {
		return b.Open(o.codecs, o.most)
	}
	records, memory, err := b.OpenInto(o.answer.Scratch(), o.codecs, o.most)
	o.scratch = append(o.scratch, memory)
	return records, err
}

func abortedOf(list []kmsg.FetchResponseTopicPartitionAbortedTransaction) record.Aborted {
	transactions := make([]record.AbortedTransaction, len(list))
	for i, t := range list {
		transactions[i] = record.AbortedTransaction{ProducerID: t.ProducerID, FirstOffset: t.FirstOffset}
	}
	return record.NewAborted(transactions)
}

// countOf is the number of a batch's records from the wanted offset on. The
// header tells it for a whole v2 batch; else they are walked.
func (o *opener) countOf(b *record.Batch, records record.Records) (int, error) {
	if b.Magic == 2 && b.BaseOffset >= o.answer.From {
		return int(b.Count), nil
	}
	n := 0
	var r record.Record
	for records.Next(&r) {
		if r.Offset >= o.answer.From {
			n++
		}
	}
	if n == 0 {
		return 0, records.Err()
	}
	return n, nil
}

func (o *opener) opened() Opened {
	out := Opened{Next: o.next, Epoch: o.epoch, Size: o.size, Aliases: o.aliases, Scratch: o.scratch}
	if o.count > 0 {
		out.Set = behaviors.SetOf(o.answer.Topic, o.answer.Partition, o.answer.From, o.next-1, o.count, o.batches)
		out.Set.HighWatermark, out.Set.LastStableOffset = o.answer.HighWatermark, o.answer.LastStable
	}
	return out
}
