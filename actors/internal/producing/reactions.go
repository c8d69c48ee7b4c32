package producing

import (
	"errors"

	"github.com/moldau-go/moldau/wire"
)

// reaction is what a producer does about a batch that was not acked.
type reaction uint8

const (
	fail      reaction = iota // its records fail with the broker's error
	acked                     // it was written before: that is an ack, without an offset
	resend                    // it is sent again after a pause
	alone                     // the same, in requests of its own until one is acked
	newLeader                 // the leader is looked up at once, and it is sent again
	renumber                  // its place in the sequence is wrong: see Core.gap
	split                     // it is sent again in halves; a single record fails
	reject                    // the records that the broker names fail, the others are sent again; if it names none, all fail
)

// written says whether a batch may be in the log all the same.
type written uint8

const (
	no       written = iota
	perhaps          // it may be
	perhapsR         // it may be if the leader waited for replicas (acks=all); it looks whether it leads before it writes
	yes
)

// row is what is known of one way to fail.
type row struct {
	reaction reaction
	written  written
	most     int // times in a row, then the batch fails; 0: as often as its time allows
}

// corruptMost: a checksum that was wrong on the way is right the next time, and a
// record without the key that a compacted topic needs, for which brokers before
// 2.4 have the same code, never is.
const corruptMost = 3

// reactions are the answers that a broker may give to a batch. Those that are
// missing are for other requests; rowOf knows what to do if one comes all the same.
var reactions = map[wire.Code]row{
	wire.UnknownServerError:                 {reaction: fail, written: perhaps},
	wire.CorruptMessage:                     {reaction: resend, most: corruptMost},
	wire.UnknownTopicOrPartition:            {reaction: newLeader},
	wire.LeaderNotAvailable:                 {reaction: newLeader},
	wire.NotLeaderOrFollower:                {reaction: newLeader, written: perhapsR},
	wire.RequestTimedOut:                    {reaction: alone, written: perhaps},
	wire.BrokerNotAvailable:                 {reaction: newLeader, written: perhaps},
	wire.ReplicaNotAvailable:                {reaction: newLeader},
	wire.MessageTooLarge:                    {reaction: split},
	wire.NetworkException:                   {reaction: newLeader, written: perhaps},
	wire.InvalidTopic:                       {reaction: fail},
	wire.RecordListTooLarge:                 {reaction: split},
	wire.NotEnoughReplicas:                  {reaction: alone},
	wire.NotEnoughReplicasAfterAppend:       {reaction: alone, written: perhaps},
	wire.InvalidRequiredAcks:                {reaction: fail},
	wire.TopicAuthorizationFailed:           {reaction: fail},
	wire.ClusterAuthorizationFailed:         {reaction: fail},
	wire.InvalidTimestamp:                   {reaction: reject},
	wire.UnsupportedVersion:                 {reaction: fail},
	wire.InvalidRequest:                     {reaction: fail},
	wire.UnsupportedForMessageFormat:        {reaction: fail},
	wire.PolicyViolation:                    {reaction: fail},
	wire.OutOfOrderSequenceNumber:           {reaction: renumber},
	wire.DuplicateSequenceNumber:            {reaction: acked, written: yes},
	wire.InvalidProducerEpoch:               {reaction: renumber},
	wire.InvalidTxnState:                    {reaction: fail},
	wire.InvalidProducerIDMapping:           {reaction: fail},
	wire.ConcurrentTransactions:             {reaction: resend},
	wire.TransactionalIDAuthorizationFailed: {reaction: fail},
	wire.KafkaStorageError:                  {reaction: newLeader, written: perhaps},
	wire.UnknownProducerID:                  {reaction: renumber},
	wire.FencedLeaderEpoch:                  {reaction: newLeader, written: perhapsR},
	wire.UnknownLeaderEpoch:                 {reaction: newLeader},
	wire.UnsupportedCompressionType:         {reaction: fail},
	wire.InvalidRecord:                      {reaction: reject},
	wire.ThrottlingQuotaExceeded:            {reaction: resend},
	wire.ProducerFenced:                     {reaction: fail},
	wire.UnknownTopicID:                     {reaction: newLeader},
	wire.InconsistentTopicID:                {reaction: newLeader},
	wire.NewLeaderElected:                   {reaction: newLeader, written: perhaps},
	wire.TransactionAbortable:               {reaction: fail},
	wire.RebootstrapRequired:                {reaction: newLeader},
}

// rowOf is the row of a code. One that Produce is not known to answer is tried
// again if it may pass, and taken as unsure unless it always comes before any
// effect; any other, and one that a newer broker made up, fails the batch.
func rowOf(code wire.Code) row {
	r, known := reactions[code]
	if !known {
		r = byClass(code)
	}
	return r
}

// verdict is what an error says of itself, whatever it is.
type verdict interface {
	Retriable() bool
	SafeToRetry() bool
	RefreshMetadata() bool
}

func byClass(v verdict) row {
	r := row{reaction: fail, written: perhaps}
	switch {
	case v.Retriable() && v.RefreshMetadata():
		r.reaction = newLeader
	case v.Retriable():
		r.reaction = resend
	}
	if v.SafeToRetry() {
		r.written = no
	}
	return r
}

// reactionTo is what is done about an error: a broker's by its code, that of a
// connection or of a broker's actor by what it says of itself. Errors that say
// nothing fail the batch.
func reactionTo(err error) row {
	var v interface {
		error
		verdict
	}
	if !errors.As(err, &v) {
		return row{reaction: fail}
	}
	if coded, ok := v.(*wire.Error); ok {
		return rowOf(coded.Code)
	}
	return byClass(v)
}

// mayPass says that the next batch might fail in the same way if it were sent at
// once, even if this one is not sent again.
func mayPass(err error) bool {
	switch reactionTo(err).reaction {
	case resend, alone, newLeader:
		return true
	}
	return false
}
