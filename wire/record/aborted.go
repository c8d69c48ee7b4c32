package record

import "slices"

// AbortedTransaction is an entry of the list that a read_committed fetch returns.
type AbortedTransaction struct {
	ProducerID  int64
	FirstOffset int64
}

// Aborted tells which batches of a fetch belong to aborted transactions. Ask it about
// each batch, in order. The zero value skips nothing but control batches. It is not
// safe for concurrent use.
type Aborted struct {
	waiting []AbortedTransaction // by first offset, highest first
	open    []int64              // producers whose aborted transaction has begun
}

// NewAborted makes the filter for one fetched partition. It copies the list.
func NewAborted(list []AbortedTransaction) Aborted {
	waiting := slices.Clone(list)
	slices.SortFunc(waiting, func(a, b AbortedTransaction) int {
		switch {
		case a.FirstOffset > b.FirstOffset:
			return -1
		case a.FirstOffset < b.FirstOffset:
			return 1
		}
		return 0
	})
	return Aborted{waiting: waiting}
}

// Skip tells whether users must not see the batch: it is a control batch, or the data
// of an aborted transaction. An abort marker ends one transaction of its producer; the
// same producer's later ones are looked at anew. Nothing is decompressed. The error is
// that of a malformed marker.
func (a *Aborted) Skip(b *Batch) (bool, error) {
	for n := len(a.waiting); n > 0 && a.waiting[n-1].FirstOffset <= b.LastOffset(); n-- {
		a.begin(a.waiting[n-1].ProducerID)
		a.waiting = a.waiting[:n-1]
	}
	if b.Magic < 2 {
		return false, nil
	}
	if !b.Attributes.Control() {
		return b.Attributes.Transactional() && slices.Contains(a.open, b.ProducerID), nil
	}
	if len(a.open) == 0 {
		return true, nil
	}
	marker, err := b.Marker()
	if err == nil && marker.Type == MarkerAbort {
		a.end(b.ProducerID)
	}
	return true, err
}

func (a *Aborted) begin(producer int64) {
	if !slices.Contains(a.open, producer) {
		a.open = append(a.open, producer)
	}
}

func (a *Aborted) end(producer int64) {
	a.open = slices.DeleteFunc(a.open, func(id int64) bool { return id == producer })
}
