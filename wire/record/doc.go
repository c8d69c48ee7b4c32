// Package record reads and writes Kafka's records as they are on the wire: batches
// of message format v2 (Kafka 0.11 and later) and message sets of v0 and v1.
//
// Encoding appends the final bytes of a record to a buffer (Append); a batch's
// header is made when it is sent (PutHeader). Decoding is two cursors: Batches walks
// the bytes that a fetch returned, Records the records of one batch. Both are plain
// values; a record costs no allocation either way, and what a cursor hands out
// points into the bytes that it was given.
//
// Bytes from the network are never trusted: every count and length is held against
// what is there, checksums are checked, and what does not add up is an *Error.
//
// The formats are those of Kafka's documentation, "Message Format", with KIP-31 and
// KIP-32 (v1), KIP-98 (v2, transactions), KIP-534 (delete horizon).
package record
