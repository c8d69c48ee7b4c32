// Package behaviors holds what users of moldau implement and what they are
// handed: records, message sets, assignments and the worker interfaces. It
// knows nothing of actors; a behavior can be written and tested with this
// package alone.
package behaviors

import "github.com/moldau-go/moldau/wire/record"

type (
	// Record is one Kafka record: what is produced, and what a message set yields.
	Record = record.Record
	// Header is one key and value that travel with a record.
	Header = record.Header
	// Headers are the headers of a record in wire form; the zero value is none.
	Headers = record.Headers
)

// HeadersOf makes Headers of single headers, in their order.
func HeadersOf(headers ...Header) Headers { return record.HeadersOf(headers...) }
