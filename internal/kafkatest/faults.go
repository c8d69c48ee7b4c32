package kafkatest

import "time"

// Faults is what a Proxy does. The zero value passes everything on.
type Faults struct {
	Up       Flow // from the client to the target
	Down     Flow // from the target to the client
	Refuse   bool // reset new connections at once (Proxy.Down refuses them before the handshake)
	MaxConns int  // reset new connections while so many are open; 0 = no limit
}

// Flow is what happens to the bytes of one direction of every connection, in this order: Drop, CorruptAt, CutAfter,
// then Delay, Hold and BytesPerSecond.
type Flow struct {
	// Drop swallows the bytes: a black hole. What was swallowed does not come back when Drop ends, so end the
	// connection then.
	Drop bool
	// Hold keeps the bytes back until it is unset: a partition that heals. At most 1,024 pieces of up to
	// 16 KiB are kept, then the sender feels it.
	Hold bool
	// Delay puts the bytes off. Order is kept.
	Delay time.Duration
	// Jitter adds a random time from 0 to Jitter to Delay for each piece read.
	Jitter time.Duration
	// BytesPerSecond limits the throughput; 0 = no limit.
	BytesPerSecond int
	// CorruptAt inverts the n-th byte (1 is the first) after Set, or after the start of a later connection; 0 = none.
	CorruptAt int64
	// CutAfter ends the connection, both directions, when so many bytes have passed after Set, or after the start of a
	// later connection, whatever frame they are in; 0 = never. The bytes before the cut arrive.
	CutAfter int64
	// CutReset makes CutAfter's end a reset rather than an end of file.
	CutReset bool
}
