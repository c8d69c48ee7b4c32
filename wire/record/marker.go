package record

import (
	"encoding/binary"
	"strconv"
)

// MarkerType is what a control record means.
type MarkerType int16

// The markers that end a transaction (KIP-98). Brokers write others into their own
// metadata log.
const (
	MarkerAbort  MarkerType = 0
	MarkerCommit MarkerType = 1
)

// String names the type.
func (t MarkerType) String() string {
	switch t {
	case MarkerAbort:
		return "abort"
	case MarkerCommit:
		return "commit"
	}
	return "control type " + strconv.Itoa(int(t))
}

// Marker is a control record: the end of a producer's transaction in a partition.
type Marker struct {
	Type             MarkerType
	Version          int16 // of the marker's schema
	CoordinatorEpoch int32 // of the transaction coordinator; -1 if the marker has none
	Offset           int64
	Timestamp        int64
}

// Marker reads a control batch, which holds one record; its transaction is that of
// the batch's ProducerID. It fails for a batch that is not a control batch.
func (b *Batch) Marker() (Marker, error) {
	if b.Magic != 2 || !b.Attributes.Control() {
		return Marker{}, corruptf(b.BaseOffset, "not a control batch")
	}
	records, err := b.Open(nil, 0)
	if err != nil {
		return Marker{}, err
	}
	var r Record
	if !records.Next(&r) {
		if err := records.Err(); err != nil {
			return Marker{}, err
		}
		return Marker{}, corruptf(b.BaseOffset, "a control batch without a record")
	}
	return parseMarker(&r)
}

func parseMarker(r *Record) (Marker, error) {
	if len(r.Key) < 4 {
		return Marker{}, corruptf(r.Offset, "a control record with a key of %d bytes", len(r.Key))
	}
	m := Marker{
		Version:          int16(binary.BigEndian.Uint16(r.Key)),
		Type:             MarkerType(binary.BigEndian.Uint16(r.Key[2:])),
		CoordinatorEpoch: -1,
		Offset:           r.Offset,
		Timestamp:        r.Timestamp,
	}
	ends := m.Type == MarkerAbort || m.Type == MarkerCommit
	if !ends {
		return m, nil
	}
	if len(r.Value) < 6 {
		return Marker{}, corruptf(r.Offset, "a marker with a value of %d bytes", len(r.Value))
	}
	m.CoordinatorEpoch = int32(binary.BigEndian.Uint32(r.Value[2:]))
	return m, nil
}
