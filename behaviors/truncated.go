package behaviors

import "fmt"

// TruncatedError tells that a partition's log was cut below where it was read up to,
// as after an unclean election: what stands from To on now is not what was read
// (KIP-320). Brokers tell it from Kafka 2.7 on.
type TruncatedError struct {
	From int64 // where the next record was to be read
	To   int64 // the end of what the log still has of what was read
}

// Error implements error.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("the log was truncated: it was read up to offset %d, and is the same up to %d only", e.From, e.To)
}
