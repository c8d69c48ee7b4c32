package record

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// txnLog builds the bytes of a partition with transactions.
type txnLog struct {
	t      *testing.T
	next   int64
	data   []byte
	expect []string
}

func (l *txnLog) batch(producer int64, attributes Attributes, r Record) {
	h := NewBatchHeader()
	h.BaseOffset, h.ProducerID, h.Attributes = l.next, producer, attributes
	r.Offset = l.next
	l.data = append(l.data, batchOf(l.t, nil, h, []Record{r})...)
	l.next++
}

// write adds a record, of a transaction if producer is not negative; seen tells
// whether a reader of committed data is to see it.
func (l *txnLog) write(producer int64, value string, seen bool) {
	attributes := AttrTransactional
	if producer < 0 {
		attributes = 0
	}
	l.batch(producer, attributes, Record{Value: []byte(value)})
	if seen {
		l.expect = append(l.expect, value)
	}
}

func (l *txnLog) end(producer int64, marker MarkerType) {
	key := binary.BigEndian.AppendUint16(nil, 0)
	key = binary.BigEndian.AppendUint16(key, uint16(marker))
	l.batch(producer, AttrTransactional|AttrControl, Record{Key: key, Value: make([]byte, 6)})
}

func (l *txnLog) committed(list []AbortedTransaction) (out []string) {
	aborted := NewAborted(list)
	batches := NewBatches(l.data)
	var b Batch
	for batches.Next(&b) {
		skip, err := aborted.Skip(&b)
		require.NoError(l.t, err)
		if skip {
			continue
		}
		records, err := b.Open(nil, 0)
		require.NoError(l.t, err)
		for r := range records.All() {
			out = append(out, string(r.Value))
		}
		require.NoError(l.t, records.Err())
	}
	require.NoError(l.t, batches.Err())
	return out
}

func TestAborted(t *testing.T) {
	l := &txnLog{t: t, next: 100}
	l.write(-1, "plain", true)
	l.write(1, "1 aborted", false)
	l.write(2, "2 committed", true)
	l.write(1, "1 aborted too", false)
	l.end(1, MarkerAbort)
	l.write(1, "1 now commits", true)
	l.end(2, MarkerCommit)
	l.end(1, MarkerCommit)
	second := l.next
	l.write(1, "1 aborts again", false)
	l.write(-1, "between", true)
	l.end(1, MarkerAbort)
	l.write(1, "1 is open", true) // below the last stable offset only if it committed

	list := []AbortedTransaction{{1, second}, {1, 101}} // brokers sort it; it need not be
	require.Equal(t, l.expect, l.committed(list))
	require.Equal(t, []AbortedTransaction{{1, second}, {1, 101}}, list, "the list is left alone")

	everything := l.committed(nil)
	require.Contains(t, everything, "1 aborted")
	require.Len(t, everything, 8, "control batches are never data")
}

// A fetch that begins inside an aborted transaction.
func TestAbortedBegunBefore(t *testing.T) {
	l := &txnLog{t: t, next: 100}
	l.write(1, "aborted", false)
	l.end(1, MarkerAbort)
	l.write(1, "committed", true)
	require.Equal(t, l.expect, l.committed([]AbortedTransaction{{1, 5}}))
}

func TestMarkerErrors(t *testing.T) {
	control := func(records ...Record) Batch {
		h := NewBatchHeader()
		h.Attributes = AttrControl
		return oneBatch(t, batchOf(t, nil, h, records))
	}
	for name, b := range map[string]Batch{
		"data":        oneBatch(t, golden(t, "v2-none")),
		"no record":   control(),
		"short key":   control(Record{Key: []byte{0, 0, 0}, Value: make([]byte, 6)}),
		"null key":    control(Record{Value: make([]byte, 6)}),
		"short value": control(Record{Key: make([]byte, 4), Value: make([]byte, 5)}),
	} {
		_, err := b.Marker()
		require.ErrorIs(t, err, ErrCorrupt, name)
	}
	b := control(Record{Key: []byte{0, 0, 0, 9}})
	m, err := b.Marker()
	require.NoError(t, err)
	require.Equal(t, "control type 9", m.Type.String())
	require.Equal(t, "abort commit", MarkerAbort.String()+" "+MarkerCommit.String())
}
