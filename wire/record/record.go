package record

import (
	"slices"
	"time"
)

// NoTimestamp is the timestamp of records that have none: those of format v0.
const NoTimestamp int64 = -1

// Record is one record. Key and Value tell null (nil) from empty ([]byte{}): a null
// value is a tombstone in a compacted topic.
//
// A decoded record's Key, Value and Headers point into the buffer that it was read
// from; Clone detaches them. A Record is not safe for concurrent changes.
type Record struct {
	Key     []byte
	Value   []byte
	Headers Headers

	// Timestamp is in milliseconds since the Unix epoch. 0 on a record to be
	// produced stands for now. NoTimestamp if the format has none.
	Timestamp int64

	// Where the record was read from. Producing ignores all three.
	Topic     string
	Partition int32
	Offset    int64
}

// Time is the timestamp as a time; the zero time if the record has none.
func (r *Record) Time() time.Time {
	if r.Timestamp == NoTimestamp {
		return time.Time{}
	}
	return time.UnixMilli(r.Timestamp)
}

// Clone returns a copy that shares no memory with the buffer that r was read from.
func (r *Record) Clone() Record {
	c := *r
	buf := make([]byte, 0, len(r.Key)+len(r.Value)+len(r.Headers.raw))
	c.Key, buf = cloneInto(buf, r.Key)
	c.Value, buf = cloneInto(buf, r.Value)
	c.Headers.raw, _ = cloneInto(buf, r.Headers.raw)
	return c
}

// cloneInto appends b to buf and returns the appended part, nil for nil.
func cloneInto(buf, b []byte) (part, rest []byte) {
	if b == nil {
		return nil, buf
	}
	at := len(buf)
	buf = append(buf, b...)
	return slices.Clip(buf[at:len(buf):len(buf)]), buf
}
