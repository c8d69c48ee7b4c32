package metadata

import "fmt"

// Unreachable is what somebody is told who waits for a topic while no broker answers.
type Unreachable struct {
	Topic string
	Err   error // of the broker that was asked last
}

func (e *Unreachable) Error() string {
	return fmt.Sprintf("no broker tells of topic %q: %v", e.Topic, e.Err)
}

// Unwrap gives the class of what keeps the brokers from answering.
func (e *Unreachable) Unwrap() error { return e.Err }

// Retriable says that brokers may come back, whatever one of them failed with.
func (e *Unreachable) Retriable() bool { return true }

// SafeToRetry says that nothing was sent that takes effect.
func (e *Unreachable) SafeToRetry() bool { return true }
