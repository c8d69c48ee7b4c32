package wire

import (
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Call is one request and its one outcome. The caller allocates it, must not
// touch it nor its Request from Send until Done, and may reuse both after.
type Call struct {
	// Request is what to send. Its key, version, flexibility and kind of
	// response are used, and its encoding unless it is Vectored.
	Request kmsg.Request
	// FixedVersion leaves the version as the caller has set it; otherwise Send
	// sets the negotiated one.
	FixedVersion bool
	// Timeout is the deadline of queueing, writing and answering together; 0
	// means Config.RequestTimeout. Its expiry closes the connection.
	Timeout time.Duration
	// NoResponse says that the broker will not answer (Produce with acks=0):
	// Done is called once the request is written.
	NoResponse bool
	// Memory, if not nil, gives the memory for an answer of more than a few KiB,
	// n bytes of it; what the answer refers to is in there, and it is the caller's
	// to use again when he is done with that. nil leaves it to the connection. It
	// is called on the connection's goroutine before the bytes are there, on the
	// word of the broker: it should refuse what is not to be expected.
	Memory func(n int) []byte
	// Raw gives the answer's body undecoded, in one buffer of its own.
	Raw bool
	// Done gets the outcome, exactly once, on the connection's goroutine (or on
	// the caller's, within Send, if the call is refused at once). It must not
	// block, or it blocks the connection.
	Done func(Result)
}

// Result is the outcome of a Call.
type Result struct {
	// Response is the decoded answer; nil with Raw, NoResponse or Err.
	Response kmsg.Response
	// Body is the answer without its header; with Raw only. The caller owns it.
	Body []byte
	// Err is why there is no answer: *ConnError, *VersionError or *CallError.
	// Error codes within a Response are for the caller to read.
	Err error
	// Written: the request may have reached the broker.
	Written bool
	// Throttle is how long the broker asks the client to wait; Throttled tells
	// whether the client has to do so (brokers since 2.0), or the broker already
	// did.
	Throttle  time.Duration
	Throttled bool
	// Queued is the time from Send until the request was encoded for writing,
	// RoundTrip that from then to the answer.
	Queued, RoundTrip time.Duration
	// RequestBytes and ResponseBytes are the sizes of the frames, without their
	// length fields.
	RequestBytes, ResponseBytes int
}

// Vectored may be implemented by a Request to be written from where its bytes
// are, without a copy.
type Vectored interface {
	// AppendVectors appends the request's body (no header) to v: small parts
	// may be put into scratch, which may grow, and be referred to. It returns
	// both. Bytes of scratch that were there before must not be changed.
	AppendVectors(scratch []byte, v net.Buffers) ([]byte, net.Buffers)
	// Release is called exactly once, when the connection holds none of the
	// buffers any more, also if nothing was ever written. It may come before or
	// after Done, on any goroutine, and must not block.
	Release()
}
