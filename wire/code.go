package wire

import "strconv"

// Code is an error code of the Kafka protocol
// (https://kafka.apache.org/protocol#protocol_error_codes). All methods are
// safe for concurrent use.
type Code int16

// codeInfo is one row of the table in codetable.go.
type codeInfo struct {
	name  string
	flags codeFlags
	class class
	cause string
	cure  string
}

type codeFlags uint8

const (
	// retry: the same request may succeed later.
	retry codeFlags = 1 << iota
	// refresh: leaders or topics have to be looked up again.
	refresh
	// before: the broker answers this code only before the request had any
	// effect, so that a retry cannot take effect twice.
	before
)

// info finds the row of a code; a code from a newer broker gets a row that
// promises nothing.
func (c Code) info() *codeInfo {
	if i := int(c) + 1; i >= 0 && i < len(codeTable) {
		return &codeTable[i]
	}
	return &unknownCode
}

// Known tells whether this client has a name for the code. A newer broker may
// send codes that it does not know.
func (c Code) Known() bool { return c.info() != &unknownCode }

// Name is Kafka's name of the code, as NOT_LEADER_OR_FOLLOWER; for a code that
// is not known, CODE_ and the number.
func (c Code) Name() string {
	if !c.Known() {
		return "CODE_" + strconv.Itoa(int(c))
	}
	return c.info().name
}

// String is the name.
func (c Code) String() string { return c.Name() }

// Description says in a few words what the code means.
func (c Code) Description() string { return c.info().cause }

// Cure says in a few words what helps; empty if nothing general does.
func (c Code) Cure() string { return c.info().cure }

// Retriable tells whether the same request may succeed later.
func (c Code) Retriable() bool { return c.info().flags&retry != 0 }

// RefreshMetadata tells whether leaders or topics have to be looked up again.
func (c Code) RefreshMetadata() bool { return c.info().flags&refresh != 0 }

// SafeToRetry tells whether the code is retriable and always comes before the
// request had any effect, whatever the API. NOT_LEADER_OR_FOLLOWER is not: with
// acks=all a leader that steps down while it waits for its followers answers it
// for records that the next leader may keep. (*Error).SafeToRetry also knows the
// API and so can say more.
func (c Code) SafeToRetry() bool { return c.info().flags&(retry|before) == retry|before }

// Is tells whether the code belongs to the class of a sentinel of this package,
// as errors.Is does for an Error.
func (c Code) Is(class error) bool { return c.info().class.is(class) }

var unknownCode = codeInfo{cause: "an error code that this client does not know", cure: "look it up for the broker's version; update moldau"}
