package simulator

import (
	"fmt"
	"strings"
	"time"
)

// Violation is why a run failed: an invariant that did not hold, a panic, a
// mistake of the scenario, or the step limit.
type Violation struct {
	// Seed brings the same run back.
	Seed uint64
	// At is the virtual time since the start of the run.
	At time.Duration
	// Step is the number of the event after which it was noticed.
	Step int
	// Invariant is the name of what did not hold.
	Invariant string
	// Cause is what the invariant said.
	Cause error
	// Hash is the digest of the trace up to here.
	Hash uint64
	// Tail is the end of the trace, oldest line first.
	Tail []string
}

// Error is the whole report, over many lines.
func (v *Violation) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "invariant %q does not hold: %v\n", v.Invariant, v.Cause)
	fmt.Fprintf(&b, "seed %d, virtual time %s, step %d, trace %016x\n", v.Seed, v.At, v.Step, v.Hash)
	fmt.Fprintf(&b, "the last %d lines of the trace:\n", len(v.Tail))
	for _, text := range v.Tail {
		b.WriteString("  " + text + "\n")
	}
	return b.String()
}

// Unwrap gives what the invariant said.
func (v *Violation) Unwrap() error { return v.Cause }
