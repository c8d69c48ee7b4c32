package handle

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/sasl"
)

// Acks says which replicas must have a batch before it is acked.
type Acks int8

const (
	// AcksAll waits for all in-sync replicas. It is the default.
	AcksAll Acks = iota
	// AcksLeader waits for the leader alone.
	AcksLeader
)

// Wire is the number that the Produce request carries.
func (a Acks) Wire() int16 {
	if a == AcksLeader {
		return 1
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

// Isolation says what a consumer sees of transactions.
type Isolation int8

const (
	// ReadCommitted hides records of open and aborted transactions. It is the
	// default.
	ReadCommitted Isolation = iota
	// ReadUncommitted shows every record up to the high watermark.
	ReadUncommitted
)

// Wire is the number that Fetch and ListOffsets requests carry.
func (i Isolation) Wire() int8 {
	if i == ReadUncommitted {
		return 0
	}
	return 1
}

// Config is the configuration of a client. The zero value of every field but
// Brokers is the default named beside it.
type Config struct {
	// Name tells clients of one program apart, in the tree and in events.
	// Default "moldau".
	Name string
	// ClientID is what brokers see in their logs and quotas. Default: Name.
	ClientID string
	// Brokers are bootstrap addresses, "host:port" separated by commas. The
	// port is 9092 where none is given; IPv6 addresses stand in brackets.
	Brokers string

	// ConnectTimeout bounds TCP, TLS, version query and login together.
	// Default 10 s.
	ConnectTimeout time.Duration
	// RequestTimeout bounds every request, from queueing to its answer; its
	// expiry closes the connection. Default 30 s.
	RequestTimeout time.Duration
	// CoolDown is the pause after a failed connect, per connection. Default 1 s.
	CoolDown time.Duration
	// MetadataRefresh is the age at which the view of the cluster is renewed
	// even without an error. Default 5 min.
	MetadataRefresh time.Duration
	// MetadataTimeout is how long a look-up of a topic or leader waits.
	// Default 10 s.
	MetadataTimeout time.Duration
	// AutoCreateTopics asks brokers to create topics that do not exist.
	// Default: no topic is ever created by asking for it.
	AutoCreateTopics bool

	// TLS turns TLS on. Default: plain text.
	TLS *tls.Config
	// SASL is how the client logs in. Default: not at all.
	SASL sasl.Authenticator
	// Dial opens connections. Default: TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Produce and Consume are the settings of the two data paths.
	Produce ProduceConfig
	Consume ConsumeConfig

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
	// BatchBytes is the size at which a batch is full. Default 1 MB less
	// headers, as brokers accept by default.
	BatchBytes int
	// Codec compresses batches. Default: none. CodecLevel 0 is the codec's own
	// default.
	Codec      compress.Type
	CodecLevel int
	// BufferBytes bounds the memory of all records that are accepted and not
	// settled. Default 64 MiB.
	BufferBytes int
	// RetryBackoff is the first pause before a batch is sent again; it doubles
	// up to a second. Default 50 ms.
	RetryBackoff time.Duration
	// Partitioner: default is Java's: the key's murmur2 hash, and without key
	// one partition until a batch's worth of bytes went there (KIP-794).
	Partitioner behaviors.Partitioner
}

// NoLinger as ProduceConfig.Linger sends every batch at once.
const NoLinger time.Duration = -1

// ConsumeConfig are the settings of consuming.
type ConsumeConfig struct {
	// MaxWait is how long a broker may hold a fetch for which it has nothing.
	// Default 500 ms.
	MaxWait time.Duration
	// MaxPartitionBytes is what one fetch asks of one partition. Default 1 MiB.
	MaxPartitionBytes int32
	// MaxBytes is what one fetch asks in all. Default 50 MiB.
	MaxBytes int32
	// PrefetchBytes is how much of a partition is fetched ahead of its worker.
	// Default 2 MiB.
	PrefetchBytes int
	// Isolation: default ReadCommitted.
	Isolation Isolation
}

const (
	defaultPort       = 9092
	defaultBatchBytes = 1<<20 - 512
)

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	text(&c.Name, "moldau")
	text(&c.ClientID, c.Name)
	number(&c.ConnectTimeout, 10*time.Second)
	number(&c.RequestTimeout, 30*time.Second)
	number(&c.CoolDown, time.Second)
	number(&c.MetadataRefresh, 5*time.Minute)
	number(&c.MetadataTimeout, 10*time.Second)
	number(&c.Produce.AckTimeout, 10*time.Second)
	number(&c.Produce.DeliveryTimeout, 2*time.Minute)
	number(&c.Produce.MaxBlock, time.Minute)
	number(&c.Produce.Linger, 5*time.Millisecond)
	number(&c.Produce.BatchBytes, defaultBatchBytes)
	number(&c.Produce.BufferBytes, 64<<20)
	number(&c.Produce.RetryBackoff, 50*time.Millisecond)
	number(&c.Consume.MaxWait, 500*time.Millisecond)
	number(&c.Consume.MaxPartitionBytes, 1<<20)
	number(&c.Consume.MaxBytes, 50<<20)
	number(&c.Consume.PrefetchBytes, 2<<20)
	if c.Telemetry == nil {
		c.Telemetry = telemetry.Default()
	}
	return c
}

func text(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func number[T int | int32 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// check names everything that is wrong with a configuration, at once.
func (c Config) check() ([]metadata.Broker, error) {
	seeds, errs := parseBrokers(c.Brokers)
	if strings.ContainsAny(c.Name, "/ ") {
		errs = append(errs, fmt.Errorf("Name %q: a name has no slash and no space", c.Name))
	}
	for field, d := range map[string]time.Duration{
		"ConnectTimeout": c.ConnectTimeout, "RequestTimeout": c.RequestTimeout, "CoolDown": c.CoolDown,
		"MetadataRefresh": c.MetadataRefresh, "MetadataTimeout": c.MetadataTimeout,
		"Produce.AckTimeout": c.Produce.AckTimeout, "Produce.DeliveryTimeout": c.Produce.DeliveryTimeout,
		"Produce.MaxBlock": c.Produce.MaxBlock, "Produce.RetryBackoff": c.Produce.RetryBackoff, "Consume.MaxWait": c.Consume.MaxWait,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s %v: must not be negative", field, d))
		}
	}
	for field, n := range map[string]int{
		"Produce.MaxInFlight": c.Produce.MaxInFlight, "Produce.BatchBytes": c.Produce.BatchBytes, "Produce.BufferBytes": c.Produce.BufferBytes,
		"Consume.MaxPartitionBytes": int(c.Consume.MaxPartitionBytes), "Consume.MaxBytes": int(c.Consume.MaxBytes),
		"Consume.PrefetchBytes": c.Consume.PrefetchBytes,
	} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("%s %d: must not be negative", field, n))
		}
	}
	if c.Produce.Idempotence == IdempotenceOn && c.Produce.Acks != AcksAll {
		errs = append(errs, errors.New("Produce.Idempotence: it needs Acks: AcksAll"))
	}
	if c.Produce.Idempotence != IdempotenceOff && c.Produce.MaxInFlight > 5 {
		errs = append(errs, fmt.Errorf("Produce.MaxInFlight %d: at most 5 with idempotence, as brokers remember 5 batches", c.Produce.MaxInFlight))
	}
	if len(errs) > 0 {
		return nil, &ConfigError{errs}
	}
	return seeds, nil
}

// ConfigError is a configuration with mistakes, all of them.
type ConfigError struct{ Mistakes []error }

// Error lists the mistakes.
func (e *ConfigError) Error() string {
	return "moldau: the configuration is wrong: " + strings.ReplaceAll(errors.Join(e.Mistakes...).Error(), "\n", "; ")
}

// Unwrap gives the mistakes to errors.Is and errors.As.
func (e *ConfigError) Unwrap() []error { return e.Mistakes }

// parseBrokers reads a list of bootstrap addresses.
func parseBrokers(list string) (seeds []metadata.Broker, mistakes []error) {
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		host, port, err := splitAddress(entry)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("Brokers: %q: %w", entry, err))
			continue
		}
		seeds = append(seeds, metadata.Broker{ID: int32(-1 - len(seeds)), Host: host, Port: port})
	}
	if len(seeds) == 0 && len(mistakes) == 0 {
		mistakes = append(mistakes, errors.New("Brokers: at least one address is needed, as \"localhost:9092\""))
	}
	return seeds, mistakes
}

func splitAddress(entry string) (string, int32, error) {
	if strings.Contains(entry, "://") {
		return "", 0, errors.New("an address is host:port, without a protocol")
	}
	if ip := net.ParseIP(strings.Trim(entry, "[]")); ip != nil && strings.Contains(entry, ":") {
		return ip.String(), defaultPort, nil
	}
	if !strings.Contains(entry, ":") {
		return entry, defaultPort, nil
	}
	host, text, err := net.SplitHostPort(entry)
	if err != nil {
		return "", 0, errors.New("not host:port; an IPv6 address with a port stands in brackets")
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 || host == "" {
		return "", 0, errors.New("not host:port with a port from 1 to 65535")
	}
	return host, int32(port), nil
}

// Wire is the configuration of the client's connections.
func (c Config) Wire() wire.Config {
	return wire.Config{
		ClientID: c.ClientID, Dial: c.Dial, TLS: c.TLS, SASL: c.SASL,
		ConnectTimeout: c.ConnectTimeout, RequestTimeout: c.RequestTimeout,
	}
}
