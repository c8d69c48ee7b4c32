// Package wire is Kafka's protocol on one connection: framing, pipelining,
// deadlines, version negotiation, login and typed errors. It knows nothing of
// actors, and keeps no state outside its values.
//
// Dial makes a Conn; Send puts a Call on it; the Call's Done gets its Result
// exactly once, whatever happens to the connection.
//
// Request and response structs are those of
// github.com/twmb/franz-go/pkg/kmsg.
package wire
