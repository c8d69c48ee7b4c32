package behaviors

import (
	"fmt"
	"time"
)

// Position is a place in a partition. The zero value is Latest.
type Position struct {
	kind positionKind
	n    int64
}

type positionKind uint8

const (
	latest positionKind = iota
	earliest
	at
	since
	last
)

var (
	// Latest is the end: only records that are written later are read.
	Latest = Position{}
	// Earliest is the oldest record that is still there.
	Earliest = Position{kind: earliest}
)

// At is the record with this offset, or the next one there is.
func At(offset int64) Position { return Position{kind: at, n: offset} }

// AfterProcessed is the record after one that was processed.
func AfterProcessed(offset int64) Position { return At(offset + 1) }

// Since is the first record whose timestamp is not before t; the end if there
// is none. Kafka counts milliseconds since 1970; an earlier t is 1970.
func Since(t time.Time) Position {
	return Position{kind: since, n: max(t.Add(time.Millisecond-time.Nanosecond).UnixMilli(), 0)}
}

// Last is n offsets before the end, but not before the oldest record: the last n
// records, or fewer where the log has gaps, as compacted topics and transactions
// make them. Last(0), and a negative n, is Latest.
func Last(n int64) Position {
	if n <= 0 {
		return Latest
	}
	return Position{kind: last, n: n}
}

// Offset is the offset of a position made by At or AfterProcessed.
func (p Position) Offset() (int64, bool) { return p.n, p.kind == at }

// Back is how many offsets a position made by Last lies before the one that its
// Timestamp asks for. Who resolves it takes them off, and goes to the oldest
// record where that is later.
func (p Position) Back() (int64, bool) { return p.n, p.kind == last }

// Timestamp is what the ListOffsets request asks for: -1 for Latest and Last, -2
// for Earliest, milliseconds for Since. It is false for a position that needs no
// look-up.
func (p Position) Timestamp() (int64, bool) {
	switch p.kind {
	case latest, last:
		return -1, true
	case earliest:
		return -2, true
	case since:
		return p.n, true
	default:
		return 0, false
	}
}

// String is the position in words.
func (p Position) String() string {
	switch p.kind {
	case latest:
		return "latest"
	case earliest:
		return "earliest"
	case last:
		return fmt.Sprintf("last %d", p.n)
	case since:
		return "since " + time.UnixMilli(p.n).UTC().Format(time.RFC3339Nano)
	default:
		return fmt.Sprintf("offset %d", p.n)
	}
}
