package handle

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/sasl"
)

// Config is the configuration of a client. The zero value of every field but
// the addresses is the default named beside it; docs/configuration.md has them
// in one table.
type Config struct {
	// Name tells clients of one program apart, in the tree and in events.
	// Default "moldau".
	Name string
	// ClientID is what brokers see in their logs and quotas. Default: Name.
	ClientID string
	// Brokers are bootstrap addresses, "host:port" separated by commas or
	// spaces. The port is 9092 where none is given; an IPv6 address with a port
	// stands in brackets.
	Brokers string
	// BrokerList are bootstrap addresses one by one, in the same form; they are
	// added to Brokers.
	BrokerList []string
	// BrokersFunc gives bootstrap addresses in the same form, beside Brokers and
	// BrokerList, which may then be empty: from a service registry, say. It is
	// called in the background when the client starts, and again while no broker
	// that is known can be reached, after pauses of 1 s that double up to 30 s; a
	// new answer takes the place of the last (KIP-899). Its ctx ends after
	// ConnectTimeout, and with the client; one call is made at a time. A failure,
	// a panic and addresses that are wrong are events (BootstrapFailed), and the
	// addresses that were known stay. Default: none.
	BrokersFunc func(ctx context.Context) ([]string, error)

	// ConnectTimeout bounds TCP, TLS, version query and login together.
	// Default 10 s.
	ConnectTimeout time.Duration
	// RequestTimeout bounds every request, from queueing to its answer; its
	// expiry closes the connection. Default 30 s.
	RequestTimeout time.Duration
	// CallTimeout bounds a direct call (Metadata, Offset, Fetch, CreateTopic
	// and so on) with all its retries, if its ctx ends no sooner. Default 1 min.
	CallTimeout time.Duration
	// CoolDown is the pause after a failed connect, per connection. Default 1 s.
	CoolDown time.Duration
	// MetadataRefresh is the age at which the view of the cluster is renewed
	// even without an error. Default 5 min; a negative value turns it off.
	MetadataRefresh time.Duration
	// MetadataTimeout is how long a look-up of a topic or leader waits.
	// Default 10 s.
	MetadataTimeout time.Duration
	// UnknownTopicTTL is how long a topic that the cluster does not know is
	// taken not to exist, before it is asked for again. Default 5 s; a negative
	// value asks every time.
	UnknownTopicTTL time.Duration
	// AutoCreateTopics asks brokers to create topics that do not exist.
	// Default: no topic is ever created by asking for it.
	AutoCreateTopics bool

	// TLS turns TLS on. Default: plain text.
	TLS *tls.Config
	// SASL is how the client logs in. Default: not at all.
	SASL sasl.Authenticator
	// Dial opens connections. Default: TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Socket tunes TCP. Default: keep-alive after 15 s, the system's buffers.
	Socket wire.Socket
	// NoAPIVersions does not ask brokers which versions they know, and uses the
	// lowest of each API, for brokers before 0.10.
	NoAPIVersions bool
	// Pins fixes the version of an API, by its key in the protocol.
	Pins map[int16]int16

	// Produce and Consume are the settings of the two data paths.
	Produce ProduceConfig
	Consume ConsumeConfig
	// Topics are the settings of producing to some topics, in place of Produce:
	// what is zero there is the default, not what Produce says. The memory of all
	// is bounded by Produce alone.
	Topics map[string]ProduceConfig
	// NoAutoProducers lets records only be produced to topics that are in Topics
	// or were started by Client.StartProducers. Default: producers of a topic
	// start with its first record.
	NoAutoProducers bool

	// DelayEveryRestart lets no actor be restarted at once. Default: three failures
	// in ten seconds are, and from the fourth on there is a delay.
	DelayEveryRestart bool

	// Telemetry takes the client's events. Default: warnings and errors to
	// log/slog.
	Telemetry telemetry.Handler
	// System is the actor system to live in. Default: one of its own.
	System *actor.ActorSystem
}

// ProduceConfig are the settings of producing.
type ProduceConfig struct {
	// Acks: default AcksAll.
	Acks Acks
	// Idempotence: default IdempotenceAuto.
	Idempotence Idempotence
	// MaxInFlight is how many batches of a partition may be on the wire. More
	// than 5 cannot be had with idempotence; more than 1 without it may reorder
	// records when one is sent again. Default 5 with idempotence, 1 without.
	MaxInFlight int
	// AckTimeout is how long the broker waits for its replicas. Default 10 s.
	AckTimeout time.Duration
	// DeliveryTimeout bounds the time from acceptance to the outcome.
	// Default 2 min.
	DeliveryTimeout time.Duration
	// MaxBlock bounds how long Produce waits for memory or for a topic's
	// partitions, whatever its ctx allows. Default 60 s.
	MaxBlock time.Duration
	// Linger is how long a batch that is not full waits for more records,
	// unless a caller waits for it. Default 5 ms; NoLinger for none.
	Linger time.Duration
	// BatchBytes is the size at which a batch is full. Default 1 MiB less 512
	// for headers, as brokers accept by default.
	BatchBytes int
	// Codec compresses batches. Default: none. CodecLevel 0 is the codec's own
	// default.
	Codec      compress.Type
	CodecLevel int
	// BufferBytes bounds the memory of all the client's records that are accepted
	// and not settled, as they are and compressed. Default 64 MiB.
	BufferBytes int
	// BufferRecords bounds their number. Default: no limit.
	BufferRecords int
	// PartitionBytes is what one partition may have of BufferBytes. Default: a
	// quarter, and what two full batches take where that is more.
	PartitionBytes int
	// PartitionRecords is what one partition may have of BufferRecords. Default:
	// no limit of its own.
	PartitionRecords int
	// OnFull is what becomes of a record that finds no room. Default FullBlocks.
	OnFull Full
	// QueueMessages is how many messages of actors (protocol.Produce) may wait for
	// room in one partition, with OnFull: FullBlocks; what comes beyond fails with
	// ErrBufferFull. Default 512; NoQueue for none.
	QueueMessages int
	// QueueBytes bounds the records of all the client's messages that wait.
	// Default 16 MiB.
	QueueBytes int
	// Retry: default RetryIdempotent.
	Retry Retry
	// MaxRetries is how often a batch is sent again. Default: as often as
	// DeliveryTimeout allows.
	MaxRetries int
	// RetryBackoff is the first pause before a batch is sent again; it doubles
	// up to a second. Default 50 ms.
	RetryBackoff time.Duration
	// RequestBytes bounds the records of one Produce request, of all topics that
	// share it. Default 50 MiB.
	RequestBytes int
	// DropUnsupported leaves out what a broker has no place for: headers before
	// 0.11, timestamps before 0.10. Default: a batch that has such fails, but for
	// timestamps that the client gave itself.
	DropUnsupported bool
	// RestartDelay and TopicRestartDelay are how long a producer, and the
	// supervisor of a topic's producers, wait to be started again once they have
	// failed too often (Config.DelayEveryRestart). Default 5 s and 10 s.
	RestartDelay, TopicRestartDelay time.Duration
	// Partitioner chooses the partitions of records. Default
	// behaviors.LikeJava: the key's murmur2 hash, and without key one partition
	// until its batch is full or sent (KIP-480).
	Partitioner behaviors.Partitioner
}

// NoLinger as ProduceConfig.Linger sends every batch at once.
const NoLinger time.Duration = -1

// NoQueue as ProduceConfig.QueueMessages lets no message wait for room.
const NoQueue = -1

// ConsumeConfig are the settings of consuming.
type ConsumeConfig struct {
	// MaxWait is how long a broker may hold a fetch for which it has nothing.
	// Default 500 ms.
	MaxWait time.Duration
	// MinBytes is how much a broker waits for, as long as MaxWait, before it answers
	// a fetch. Default 1: it answers as soon as there is something.
	MinBytes int32
	// MaxPartitionBytes is what one fetch asks of one partition. Default 1 MiB.
	MaxPartitionBytes int32
	// MaxBytes is what one fetch asks in all. Default 50 MiB.
	MaxBytes int32
	// PrefetchBytes is how much of a partition is fetched ahead of its worker.
	// Default 2 MiB.
	PrefetchBytes int
	// PrefetchCount is how many records of a partition may be handed out and not
	// acked: message sets are cut to at most as many, and several may be out.
	// Default: one set at a time, as it was fetched.
	PrefetchCount int
	// Isolation: default ReadCommitted.
	Isolation Isolation
	// Reset says where to go on when there is no record at a partition's position,
	// as retention has removed it, or the log was truncated. Default ResetEarliest.
	Reset Reset
	// ResetBack is how far back ResetSince goes. Default 24 h.
	ResetBack time.Duration
	// Rack is where the client runs, in the words of the brokers' broker.rack. A
	// broker of 2.4 or later, with a replica selector, then names a near replica to
	// read from (KIP-392). Default: the leader is read from.
	Rack string
	// Recycle uses the memory of a message set again once it is acked: keys, values
	// and headers are valid until then, and Record.Clone keeps a record for longer.
	// It halves the work of consuming. It is for workers; an actor that subscribes
	// itself may keep what it gets. Default: what is kept stays as it is.
	Recycle bool
}

// Wire is the configuration of the client's connections.
func (c Config) Wire() wire.Config {
	return wire.Config{
		ClientID: c.ClientID, Dial: c.Dial, TLS: c.TLS, SASL: c.SASL, Socket: c.Socket,
		ConnectTimeout: c.ConnectTimeout, RequestTimeout: c.RequestTimeout,
		NoAPIVersions: c.NoAPIVersions, Pins: c.Pins,
	}
}
