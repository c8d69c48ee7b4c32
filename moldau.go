// Package moldau is a Kafka client in which clients, producers, consumers and
// subscribers are actors under supervisors. This package is its front door: a
// plain Go API over the tree, for which no actor needs to be known.
//
// Start a Client, produce by its topics, and subscribe a Worker that is run,
// one for every partition, under a supervisor.
package moldau

import (
	"errors"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/compress"
)

// The types that users touch.
type (
	// Config is the configuration of a client.
	Config = handle.Config
	// ProduceConfig are the settings of producing.
	ProduceConfig = handle.ProduceConfig
	// ConsumeConfig are the settings of consuming.
	ConsumeConfig = handle.ConsumeConfig
	// ConfigError lists everything that is wrong with a configuration.
	ConfigError = handle.ConfigError
	// OtherTopicConfigError is a start of producers that run with other settings.
	OtherTopicConfigError = handle.OtherTopicConfigError
	// GaveUpError is a direct call whose time was over.
	GaveUpError = actors.GaveUpError
	// HandlerPanic is what a worker failed with that panicked.
	HandlerPanic = actors.HandlerPanic
	// Acks says which replicas must have a batch before it is acked.
	Acks = handle.Acks
	// Isolation says what a consumer sees of transactions.
	Isolation = handle.Isolation
	// Reset says where a consumer goes on when there is no record at its position.
	Reset = handle.Reset
	// Idempotence says whether brokers drop batches that are sent twice.
	Idempotence = handle.Idempotence
	// Retry says what is sent again that may have been written.
	Retry = handle.Retry
	// Full says what becomes of a record that finds no room.
	Full = handle.Full
	// Codec says how batches are compressed.
	Codec = compress.Type
	// Pending is a produced record's claim to its outcome.
	Pending = handle.Pending
	// Pendings are those of records that were produced in one call.
	Pendings = handle.Pendings

	// Record is one Kafka record.
	Record = behaviors.Record
	// Header is one key and value that travel with a record.
	Header = behaviors.Header
	// Headers are the headers of a record.
	Headers = behaviors.Headers
	// MessageSet is what a worker is handed.
	MessageSet = behaviors.MessageSet
	// Worker is what a user implements to consume.
	Worker = behaviors.Worker
	// WorkerFunc makes a function a Worker.
	WorkerFunc = behaviors.WorkerFunc
	// Assignment tells a worker which partition it works on.
	Assignment = behaviors.Assignment
	// Position is a place in a partition.
	Position = behaviors.Position
	// OnError decides what becomes of a failure of a worker.
	OnError = behaviors.OnError
	// OnErrorFunc makes a function an OnError.
	OnErrorFunc = behaviors.OnErrorFunc
	// Failure is what an OnError decides about.
	Failure = behaviors.Failure
	// Decision is what an OnError decides.
	Decision = behaviors.Decision
	// RecordError is the failure of one record.
	RecordError = behaviors.RecordError
	// TruncatedError is a log that was cut below where it was read up to.
	TruncatedError = behaviors.TruncatedError
	// Retries tries a failure again some times, and then has another OnError decide.
	Retries = behaviors.Retries
	// Partitioner chooses a record's partition.
	Partitioner = behaviors.Partitioner
	// PartitionerFunc makes a function a Partitioner.
	PartitionerFunc = behaviors.PartitionerFunc
)

// The values of Config's fields.
const (
	AcksAll          = handle.AcksAll
	AcksLeader       = handle.AcksLeader
	AcksNone         = handle.AcksNone
	IdempotenceAuto  = handle.IdempotenceAuto
	IdempotenceOn    = handle.IdempotenceOn
	IdempotenceOff   = handle.IdempotenceOff
	FullBlocks       = handle.FullBlocks
	FullFails        = handle.FullFails
	FullDrops        = handle.FullDrops
	RetryIdempotent  = handle.RetryIdempotent
	RetryAtLeastOnce = handle.RetryAtLeastOnce
	RetrySafe        = handle.RetrySafe
	NoLinger         = handle.NoLinger
	NoQueue          = handle.NoQueue
	ReadCommitted    = handle.ReadCommitted
	ReadUncommitted  = handle.ReadUncommitted
	ResetEarliest    = handle.ResetEarliest
	ResetLatest      = handle.ResetLatest
	ResetNearest     = handle.ResetNearest
	ResetSince       = handle.ResetSince
	ResetSubscriber  = handle.ResetSubscriber
	ResetFail        = handle.ResetFail
	NoCodec          = compress.None
	Gzip             = compress.Gzip
	Snappy           = compress.Snappy
	LZ4              = compress.LZ4
	Zstd             = compress.Zstd
)

// Partitioners, for Produce.Partitioner and Topic.By; see also On, RoundRobin
// and PartitionerFunc. Records of a key go where the named client puts them.
const (
	LikeJava          = behaviors.LikeJava
	LikeKafkaEx       = behaviors.LikeKafkaEx
	LikeKafkaExLegacy = behaviors.LikeKafkaExLegacy
	LikeBrod          = behaviors.LikeBrod
	LikeSarama        = behaviors.LikeSarama
	LikeLibrdkafka    = behaviors.LikeLibrdkafka
	Random            = behaviors.Random
)

// Positions to begin from; see also At, AfterProcessed, Since and Last.
var (
	Latest   = behaviors.Latest
	Earliest = behaviors.Earliest
)

var (
	// AckLater leaves the ack of a set to Assignment.Ack.
	AckLater = behaviors.AckLater
	// Restart has a fresh worker made after a failure, as the supervisor's limits say.
	Restart = behaviors.Restart
	// Skip goes on behind what failed.
	Skip = behaviors.Skip
	// Pause keeps a partition that failed where it is, until Subscription.Resume.
	Pause = behaviors.Pause
	// Stop ends the worker of a partition that failed for good.
	Stop = behaviors.Stop
	// RetryAfter tries a failure again after a pause.
	RetryAfter = behaviors.RetryAfter
	// DeadLetter writes what failed to another topic, and goes on.
	DeadLetter = behaviors.DeadLetter
	// At is the record with an offset, or the next one there is.
	At = behaviors.At
	// AfterProcessed is the record after one that was processed.
	AfterProcessed = behaviors.AfterProcessed
	// Since is the first record that is not older than a time.
	Since = behaviors.Since
	// Last is so many offsets before the end.
	Last = behaviors.Last
	// On is the Partitioner that always chooses one partition.
	On = behaviors.On
	// RoundRobin is a Partitioner that goes through the partitions in turn.
	RoundRobin = behaviors.RoundRobin
	// HeadersOf makes Headers of single headers.
	HeadersOf = behaviors.HeadersOf
)

// Errors that are told apart by errors.Is. What a broker answered is a
// *wire.Error; package wire has the classes.
var (
	// ErrStopped: the client has ended.
	ErrStopped = handle.ErrStopped
	// ErrBufferFull: a record found no memory within Produce.MaxBlock.
	ErrBufferFull = handle.ErrBufferFull
	// ErrDropped: a record found no memory, and Produce.OnFull drops such.
	ErrDropped = handle.ErrDropped
	// ErrRecordChanged: a record of a message could not be encoded, as its bytes did
	// not stay as they were.
	ErrRecordChanged = handle.ErrRecordChanged
	// ErrAborted: the record was given up by AbortProducers.
	ErrAborted = handle.ErrAborted
	// ErrNoProducers: producers of the topic were not started, or were stopped.
	ErrNoProducers = handle.ErrNoProducers
	// ErrNotReady: the topic's partitions are not known yet, and the call does not
	// wait.
	ErrNotReady = errors.New("moldau: the topic's partitions are not known yet; Topic.Ready waits for them")
	// ErrDuplicate: a subscription of that name exists.
	ErrDuplicate = handle.ErrDuplicate
)
