package handle

import (
	"time"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
)

// option is one setting: its name in Go, where it is kept, and what its zero
// value stands for. Defaults, checks, the configuration file, the environment
// and the table in docs/configuration.md all go by this list.
type option struct {
	name  string
	field any // *string, *[]string, *bool, *int, *int32, *time.Duration, choice, pins, partitioning
	zero  any // the default; nil if it is the zero value itself
	// off: a negative value turns off what the setting does; signed: it is a
	// value like others. Elsewhere it is a mistake.
	off, signed bool
}

// pins are the fixed API versions.
type pins struct{ at *map[int16]int16 }

// DefaultName is the name of a client that is given none.
const DefaultName = "moldau"

const defaultBatchBytes = 1<<20 - 512

// options are all settings that can be written as text.
func (c *Config) options() []option {
	f, s := &c.Consume, &c.Socket
	options := []option{
		{name: "Name", field: &c.Name, zero: DefaultName},
		{name: "ClientID", field: &c.ClientID},
		{name: "Brokers", field: &c.Brokers},
		{name: "BrokerList", field: &c.BrokerList},
		{name: "ConnectTimeout", field: &c.ConnectTimeout, zero: wire.DefaultConnectTimeout},
		{name: "RequestTimeout", field: &c.RequestTimeout, zero: wire.DefaultRequestTimeout},
		{name: "CallTimeout", field: &c.CallTimeout, zero: time.Minute},
		{name: "CoolDown", field: &c.CoolDown, zero: time.Second},
		{name: "MetadataRefresh", field: &c.MetadataRefresh, zero: 5 * time.Minute, off: true},
		{name: "MetadataTimeout", field: &c.MetadataTimeout, zero: 10 * time.Second},
		{name: "UnknownTopicTTL", field: &c.UnknownTopicTTL, zero: 5 * time.Second, off: true},
		{name: "AutoCreateTopics", field: &c.AutoCreateTopics},
		{name: "NoAutoProducers", field: &c.NoAutoProducers},
		{name: "DelayEveryRestart", field: &c.DelayEveryRestart},
		{name: "NoAPIVersions", field: &c.NoAPIVersions},
		{name: "Pins", field: pins{&c.Pins}},

		{name: "Socket.ReadBuffer", field: &s.ReadBuffer},
		{name: "Socket.WriteBuffer", field: &s.WriteBuffer},
		{name: "Socket.Delay", field: &s.Delay},
		{name: "Socket.KeepAlive", field: &s.KeepAlive, zero: wire.DefaultKeepAlive, off: true},
	}
	options = append(options, c.Produce.options("Produce.")...)
	return append(options,
		option{name: "Consume.MaxWait", field: &f.MaxWait, zero: 500 * time.Millisecond},
		option{name: "Consume.MinBytes", field: &f.MinBytes, zero: int32(1)},
		option{name: "Consume.MaxPartitionBytes", field: &f.MaxPartitionBytes, zero: int32(1 << 20)},
		option{name: "Consume.MaxBytes", field: &f.MaxBytes, zero: int32(50 << 20)},
		option{name: "Consume.PrefetchBytes", field: &f.PrefetchBytes, zero: 2 << 20},
		option{name: "Consume.PrefetchCount", field: &f.PrefetchCount},
		option{name: "Consume.Reset", field: resetChoice(&f.Reset)},
		option{name: "Consume.ResetBack", field: &f.ResetBack, zero: 24 * time.Hour},
		option{name: "Consume.Rack", field: &f.Rack},
		option{name: "Consume.Isolation", field: isolationChoice(&f.Isolation)},
		option{name: "Consume.Recycle", field: &f.Recycle},
	)
}

// options are the settings of producing; prefix stands before their names.
func (p *ProduceConfig) options(prefix string) []option {
	codec := choice{at: (*int8)(&p.Codec)}
	for t := compress.None; t <= compress.Zstd; t++ {
		codec.words = append(codec.words, t.String())
	}
	return []option{
		{name: prefix + "Acks", field: acksChoice(&p.Acks)},
		{name: prefix + "Idempotence", field: idempotenceChoice(&p.Idempotence)},
		{name: prefix + "MaxInFlight", field: &p.MaxInFlight},
		{name: prefix + "AckTimeout", field: &p.AckTimeout, zero: 10 * time.Second},
		{name: prefix + "DeliveryTimeout", field: &p.DeliveryTimeout, zero: 2 * time.Minute},
		{name: prefix + "MaxBlock", field: &p.MaxBlock, zero: time.Minute},
		{name: prefix + "Linger", field: &p.Linger, zero: 5 * time.Millisecond, off: true},
		{name: prefix + "BatchBytes", field: &p.BatchBytes, zero: defaultBatchBytes},
		{name: prefix + "Codec", field: codec},
		{name: prefix + "CodecLevel", field: &p.CodecLevel, signed: true},
		{name: prefix + "BufferBytes", field: &p.BufferBytes, zero: 64 << 20},
		{name: prefix + "BufferRecords", field: &p.BufferRecords},
		{name: prefix + "PartitionBytes", field: &p.PartitionBytes},
		{name: prefix + "PartitionRecords", field: &p.PartitionRecords},
		{name: prefix + "OnFull", field: fullChoice(&p.OnFull)},
		{name: prefix + "QueueMessages", field: &p.QueueMessages, zero: 512, off: true},
		{name: prefix + "QueueBytes", field: &p.QueueBytes, zero: 16 << 20},
		{name: prefix + "RequestBytes", field: &p.RequestBytes, zero: 50 << 20},
		{name: prefix + "DropUnsupported", field: &p.DropUnsupported},
		{name: prefix + "RestartDelay", field: &p.RestartDelay, zero: 5 * time.Second},
		{name: prefix + "TopicRestartDelay", field: &p.TopicRestartDelay, zero: 10 * time.Second},
		{name: prefix + "Retry", field: retryChoice(&p.Retry)},
		{name: prefix + "MaxRetries", field: &p.MaxRetries},
		{name: prefix + "Partitioner", field: partitioning{&p.Partitioner}, zero: behaviors.LikeJava},
		{name: prefix + "RetryBackoff", field: &p.RetryBackoff, zero: 50 * time.Millisecond},
	}
}

// fill puts the default where the setting is zero.
func (o option) fill() {
	if o.zero == nil {
		return
	}
	switch field := o.field.(type) {
	case *string:
		fill(field, o.zero)
	case *int:
		fill(field, o.zero)
	case *int32:
		fill(field, o.zero)
	case *time.Duration:
		fill(field, o.zero)
	case partitioning:
		if *field.at == nil {
			*field.at = o.zero.(behaviors.Partitioner)
		}
	}
}

func fill[T comparable](field *T, value any) {
	var zero T
	if *field == zero {
		*field = value.(T)
	}
}

// negative says whether the setting has a value below zero.
func (o option) negative() bool {
	switch field := o.field.(type) {
	case *int:
		return *field < 0
	case *int32:
		return *field < 0
	case *time.Duration:
		return *field < 0
	}
	return false
}
