package record

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire/compress"
)

const t0 = 1700000000000

// plainHeader is a record header as tests compare it.
type plainHeader struct {
	Key   string
	Value []byte
}

// plainRecord is a record with its headers taken apart.
type plainRecord struct {
	Key, Value []byte
	Headers    []plainHeader
	Timestamp  int64
	Offset     int64
}

func plain(r *Record) plainRecord {
	p := plainRecord{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp, Offset: r.Offset}
	for k, v := range r.Headers.All() {
		p.Headers = append(p.Headers, plainHeader{k, v})
	}
	return p
}

// batchOf makes a whole v2 batch; h's Count, LastOffsetDelta and timestamps are set
// from the records.
func batchOf(t require.TestingT, codecs *compress.Registry, h BatchHeader, records []Record) []byte {
	var body []byte
	for i := range records {
		body = Append(body, records[i].Timestamp-h.BaseTimestamp, int32(records[i].Offset-h.BaseOffset), &records[i])
		h.MaxTimestamp = max(h.MaxTimestamp, records[i].Timestamp)
		h.LastOffsetDelta = max(h.LastOffsetDelta, int32(records[i].Offset-h.BaseOffset))
	}
	h.Count = int32(len(records))
	return sealed(t, codecs, h, body)
}

// sealed puts a header before record bytes, compressing them as it says.
func sealed(t require.TestingT, codecs *compress.Registry, h BatchHeader, body []byte) []byte {
	packed, err := codecs.Compress(h.Attributes.Codec(), nil, body, 0)
	require.NoError(t, err)
	var head [HeaderSize]byte
	PutHeader(&head, &h, packed)
	return append(head[:], packed...)
}

// readAll reads everything in data, checksums checked.
func readAll(codecs *compress.Registry, data []byte) (out []plainRecord, err error) {
	batches := NewBatches(data)
	var b Batch
	for batches.Next(&b) {
		if err := b.Verify(); err != nil {
			return out, err
		}
		records, err := b.Open(codecs, 1<<24)
		if err != nil {
			return out, err
		}
		var r Record
		for records.Next(&r) {
			out = append(out, plain(&r))
		}
		if records.Err() != nil {
			return out, records.Err()
		}
	}
	return out, batches.Err()
}

// oneBatch returns the only batch of data.
func oneBatch(t *testing.T, data []byte) Batch {
	t.Helper()
	batches := NewBatches(data)
	var b Batch
	require.True(t, batches.Next(&b), "%v", batches.Err())
	return b
}
