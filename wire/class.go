package wire

import "errors"

// class is a set of error classes, one bit for each sentinel below. A failure
// may belong to several: REQUEST_TIMED_OUT is a timeout and leaves the outcome
// unsure.
type class uint32

const (
	classNotLeader class = 1 << iota
	classUnknownTopic
	classTimeout
	classConnection
	classClosed
	classAuthentication
	classAuthorization
	classFenced
	classTooLarge
	classCorrupt
	classUnsupportedVersion
	classCoordinator
	classThrottled
	classUnsure
	classBusy
	classOffsetOutOfRange
	classNotEnoughReplicas
	classRejoin
	classNotController
	classTransaction
	classSession
	classInvalid
	classExists
	classNotFound
	classServer
)

// sentinel is one class as an error value, for errors.Is.
type sentinel struct {
	class class
	text  string
}

func (s *sentinel) Error() string { return s.text }

// The classes of failure. Test for one with errors.Is; an error may be of
// several classes at once.
var (
	// ErrNotLeader: the broker does not lead the partition (any more), or the
	// leader is not known yet. Fresh metadata tells who does.
	ErrNotLeader error = &sentinel{classNotLeader, "not the leader"}
	// ErrUnknownTopic: the broker does not know the topic, topic id or partition.
	ErrUnknownTopic error = &sentinel{classUnknownTopic, "unknown topic or partition"}
	// ErrTimeout: a deadline passed, here or on the broker.
	ErrTimeout error = &sentinel{classTimeout, "timed out"}
	// ErrConnection: the connection could not be made, or broke.
	ErrConnection error = &sentinel{classConnection, "connection failed"}
	// ErrClosed: the connection was closed on this side.
	ErrClosed error = &sentinel{classClosed, "connection closed"}
	// ErrAuthentication: the login failed (SASL, or the broker refused the
	// certificate).
	ErrAuthentication error = &sentinel{classAuthentication, "authentication failed"}
	// ErrAuthorization: the login is fine, its permissions are not.
	ErrAuthorization error = &sentinel{classAuthorization, "not authorized"}
	// ErrFenced: a newer instance (producer, member, leader) has taken over, or
	// an epoch is stale.
	ErrFenced error = &sentinel{classFenced, "fenced"}
	// ErrTooLarge: a record, batch, request or answer is over a limit.
	ErrTooLarge error = &sentinel{classTooLarge, "too large"}
	// ErrCorrupt: bytes that do not mean what they should.
	ErrCorrupt error = &sentinel{classCorrupt, "corrupt data"}
	// ErrUnsupportedVersion: the broker and this client have no version or
	// feature in common for what was asked.
	ErrUnsupportedVersion error = &sentinel{classUnsupportedVersion, "unsupported version"}
	// ErrCoordinator: the coordinator has moved, is loading or is away. Find it
	// again.
	ErrCoordinator error = &sentinel{classCoordinator, "coordinator not available"}
	// ErrThrottled: a quota was exceeded.
	ErrThrottled error = &sentinel{classThrottled, "quota exceeded"}
	// ErrUnsure: the request may or may not have taken effect.
	ErrUnsure error = &sentinel{classUnsure, "outcome unsure"}
	// ErrBusy: a limit of this client on queued calls is reached; nothing was sent.
	ErrBusy error = &sentinel{classBusy, "too many calls"}
	// ErrOffsetOutOfRange: the offset is not, or no longer, in the log.
	ErrOffsetOutOfRange error = &sentinel{classOffsetOutOfRange, "offset out of range"}
	// ErrNotEnoughReplicas: fewer replicas in sync than min.insync.replicas.
	ErrNotEnoughReplicas error = &sentinel{classNotEnoughReplicas, "not enough replicas in sync"}
	// ErrRejoin: the group member has to join its group again.
	ErrRejoin error = &sentinel{classRejoin, "group has to be joined again"}
	// ErrNotController: the broker is not the controller.
	ErrNotController error = &sentinel{classNotController, "not the controller"}
	// ErrTransaction: the transaction cannot go on as it is.
	ErrTransaction error = &sentinel{classTransaction, "transaction failed"}
	// ErrSession: a fetch or share session has to be set up anew.
	ErrSession error = &sentinel{classSession, "fetch session lost"}
	// ErrInvalid: the request or a setting in it is wrong; trying again cannot help.
	ErrInvalid error = &sentinel{classInvalid, "invalid request"}
	// ErrExists: what was to be made is there already.
	ErrExists error = &sentinel{classExists, "exists already"}
	// ErrNotFound: what was named (not a topic) is not there.
	ErrNotFound error = &sentinel{classNotFound, "not found"}
	// ErrServer: the broker failed in a way that is its own trouble.
	ErrServer error = &sentinel{classServer, "broker failure"}
)

// is tells whether target is the sentinel of one of the classes in c.
func (c class) is(target error) bool {
	s, ok := target.(*sentinel)
	return ok && c&s.class != 0
}

// classified is what every error of this package answers about itself.
// The helpers below find it through any wrapping.
type classified interface {
	error
	Retriable() bool
	SafeToRetry() bool
	RefreshMetadata() bool
}

// Retriable tells whether the same request may succeed later, perhaps at
// another broker. It looks through wrapping; nil and errors that this package
// does not know are not retriable.
func Retriable(err error) bool {
	var c classified
	return errors.As(err, &c) && c.Retriable()
}

// SafeToRetry tells whether sending the same request again is worth it
// (Retriable) and cannot make it take effect twice: the broker refused it
// before any effect, it never left this process, or the API only reads. It
// looks through wrapping.
func SafeToRetry(err error) bool {
	var c classified
	return errors.As(err, &c) && c.SafeToRetry()
}

// RefreshMetadata tells whether the error means that what is known of leaders
// and topics is stale. It looks through wrapping.
func RefreshMetadata(err error) bool {
	var c classified
	return errors.As(err, &c) && c.RefreshMetadata()
}

// CodeOf finds the Kafka error code in err, through wrapping. It answers false
// if there is none.
func CodeOf(err error) (Code, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Code, true
	}
	return None, false
}
