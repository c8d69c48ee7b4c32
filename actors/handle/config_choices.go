package handle

import (
	"fmt"
	"strings"

	"github.com/moldau-go/moldau/behaviors"
)

// Acks says which replicas must have a batch before it is acked.
type Acks int8

const (
	// AcksAll waits for all in-sync replicas. It is the default.
	AcksAll Acks = iota
	// AcksLeader waits for the leader alone.
	AcksLeader
	// AcksNone waits for nobody: a batch is acked, with an unknown offset, once
	// it is written to the connection. What is lost then is lost unseen.
	AcksNone
)

// Wire is the number that the Produce request carries.
func (a Acks) Wire() int16 {
	switch a {
	case AcksLeader:
		return 1
	case AcksNone:
		return 0
	}
	return -1
}

// Idempotence says whether brokers drop batches that are sent a second time.
type Idempotence int8

const (
	// IdempotenceAuto is on with AcksAll where the brokers have it and allow
	// it, and off otherwise, with an event. It is the default.
	IdempotenceAuto Idempotence = iota
	// IdempotenceOn fails records where it cannot be had.
	IdempotenceOn
	// IdempotenceOff sends batches without numbers: at least once.
	IdempotenceOff
)

// Retry says what is sent again that may have been written. What surely was not
// written is sent again under every policy.
type Retry int8

const (
	// RetryIdempotent sends all of it again, under its old number where there is
	// idempotence, so that it is written once. Without idempotence it may be
	// written twice. It is the default.
	RetryIdempotent Retry = iota
	// RetryAtLeastOnce sends all of it again and never asks for a producer id: it
	// may be written twice. It is what brod does.
	RetryAtLeastOnce
	// RetrySafe sends nothing of it again: it fails at once with wire.ErrUnsure,
	// and nothing is ever written twice. It is what KafkaEx does.
	RetrySafe
)

// Full says what becomes of a record that finds its memory full.
type Full int8

const (
	// FullBlocks waits for room, as long as the caller's ctx and MaxBlock allow; a
	// message of an actor waits in its partition's queue, as long as DeliveryTimeout
	// allows. It is the default.
	FullBlocks Full = iota
	// FullFails fails the record at once with ErrBufferFull.
	FullFails
	// FullDrops drops it: its Pending fails at once with ErrDropped, and drops are
	// counted (Client.Dropped) and told as events, one a second at most.
	FullDrops
)

// Isolation says what a consumer sees of transactions.
type Isolation int8

const (
	// ReadCommitted hides records of open and aborted transactions. It is the
	// default.
	ReadCommitted Isolation = iota
	// ReadUncommitted shows every record up to the high watermark.
	ReadUncommitted
)

// Reset says where a consumer goes on when there is no record at its position.
// Every choice comes with an event, telemetry.OffsetReset or WorkerFailed.
type Reset int8

const (
	// ResetEarliest goes to the oldest record; after a truncation, to where the log
	// was cut. Nothing is skipped that is there. It is the default.
	ResetEarliest Reset = iota
	// ResetLatest goes behind the newest record.
	ResetLatest
	// ResetNearest goes to the oldest record from before it, and behind the newest
	// one from behind it.
	ResetNearest
	// ResetSince goes to the first record of the last while, ResetBack (KIP-1106).
	ResetSince
	// ResetSubscriber leaves it to the subscriber, once it has acked all that it was
	// handed: a worker that is a behaviors.OffsetResetter is asked, another one
	// fails; a PID gets protocol.FetchError and subscribes again.
	ResetSubscriber
	// ResetFail fails the worker, in the same way, without asking it: its supervisor
	// restarts it, with delays, until somebody has mended the cause.
	ResetFail
)

// Wire is the number that Fetch and ListOffsets requests carry.
func (i Isolation) Wire() int8 {
	if i == ReadUncommitted {
		return 0
	}
	return 1
}

// partitioning is the Partitioner: one of a few words, or anything in Go.
type partitioning struct{ at *behaviors.Partitioner }

// roundRobin is the word for behaviors.RoundRobin; a Scheme has its own.
const roundRobin = "round_robin"

func (p partitioning) set(text string) error {
	if text == roundRobin {
		*p.at = behaviors.RoundRobin()
		return nil
	}
	var words []string
	for s := behaviors.LikeJava; s <= behaviors.Random; s++ {
		if s.String() == text {
			*p.at = s
			return nil
		}
		words = append(words, s.String())
	}
	return wantOneOf(append(words, roundRobin))
}

// wrong says that the value is a number that is no Scheme.
func (p partitioning) wrong() bool {
	s, ok := (*p.at).(behaviors.Scheme)
	return ok && s > behaviors.Random
}

// choice is a setting that takes one of a few words; its number is the word's
// place in the list.
type choice struct {
	words []string
	at    *int8
}

func wantOneOf(words []string) error { return fmt.Errorf("want one of %s", strings.Join(words, ", ")) }

func acksChoice(a *Acks) choice { return choice{[]string{"all", "leader", "none"}, (*int8)(a)} }

func idempotenceChoice(i *Idempotence) choice {
	return choice{[]string{"auto", "on", "off"}, (*int8)(i)}
}

func retryChoice(r *Retry) choice {
	return choice{[]string{"idempotent", "at_least_once", "safe"}, (*int8)(r)}
}

func fullChoice(f *Full) choice { return choice{[]string{"block", "fail", "drop"}, (*int8)(f)} }

func resetChoice(r *Reset) choice {
	return choice{[]string{"earliest", "latest", "nearest", "since", "subscriber", "fail"}, (*int8)(r)}
}

func isolationChoice(i *Isolation) choice {
	return choice{[]string{"read_committed", "read_uncommitted"}, (*int8)(i)}
}
