package record

import "slices"

// OpenRecords returns the cursor over records as Append made them, not compressed,
// one chunk behind the other, for who has to write them anew. h is their header, of
// which BaseTimestamp, LastOffsetDelta and Count are used; offsets count from 0.
// With more than one chunk the records are copied into one piece.
func OpenRecords(h *BatchHeader, chunks ...[]byte) (Records, error) {
	b := Batch{BatchHeader: *h}
	b.BaseOffset = 0
	records, err := b.openRecords(joined(chunks))
	records.appendTime = false
	return records, err
}

// joined is the records in one piece: one may lie across two chunks.
func joined(chunks [][]byte) []byte {
	if len(chunks) == 1 {
		return chunks[0]
	}
	return slices.Concat(chunks...)
}
