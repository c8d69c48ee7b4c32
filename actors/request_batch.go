package actors

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

// onceBatch is the batch of a direct produce call in its final bytes.
type onceBatch struct {
	config  *handle.ProduceConfig
	header  record.BatchHeader
	records []byte // not compressed
	stamped bool   // a timestamp is the user's
	codec   compress.Type
	set     []byte // the batch, or message set
	magic   int8   // of set
}

// newOnceBatch encodes records in the newest format.
func newOnceBatch(records []behaviors.Record, config *handle.ProduceConfig, codecs *compress.Registry) (*onceBatch, error) {
	b := &onceBatch{config: config, header: record.NewBatchHeader(), codec: config.Codec}
	b.header.Count, b.header.LastOffsetDelta = int32(len(records)), int32(len(records)-1)
	now := time.Now().UnixMilli()
	for i := range records {
		r := &records[i]
		at := r.Timestamp
		if at == 0 {
			at = now
		} else {
			b.stamped = true
		}
		if i == 0 {
			b.header.BaseTimestamp, b.header.MaxTimestamp = at, at
		}
		b.header.MaxTimestamp = max(b.header.MaxTimestamp, at)
		b.records = record.Append(b.records, at-b.header.BaseTimestamp, int32(i), r)
	}
	if len(b.records) > config.BatchBytes {
		return nil, &wire.Error{Code: wire.MessageTooLarge, API: int16(kmsg.Produce), Partition: -1,
			Cause: fmt.Errorf("the records take %d bytes and a batch at most %d; raise Settings.BatchBytes and the topic's max.message.bytes", len(b.records), config.BatchBytes)}
	}
	return b, b.pack(codecs)
}

// pack makes the set of format v2, compressed if that makes it smaller.
func (b *onceBatch) pack(codecs *compress.Registry) error {
	payload := b.records
	if b.codec != compress.None {
		packed, err := codecs.Compress(b.codec, nil, b.records, b.config.CodecLevel)
		if err != nil {
			return err
		}
		if len(packed) < len(payload) {
			payload = packed
			b.header.Attributes = record.Attributes(b.codec)
		}
	}
	var head [record.HeaderSize]byte
	record.PutHeader(&head, &b.header, payload)
	b.set, b.magic = append(head[:], payload...), 2
	return nil
}

// convert makes the set of an older format. What that has no place for fails it,
// unless the settings drop it.
func (b *onceBatch) convert(magic int8, codecs *compress.Registry) error {
	drop := b.config.DropUnsupported
	to := record.Legacy{Magic: magic, Codec: b.codec, Level: b.config.CodecLevel, Codecs: codecs, DropHeaders: drop, DropTimestamps: drop || !b.stamped}
	set, err := record.DownConvert(nil, &b.header, to, b.records)
	if err != nil {
		return err
	}
	b.set, b.magic = set, magic
	return nil
}

// magicOf is the format of batches in a version of Produce.
func magicOf(version int16) int8 {
	return int8(min(max(version-1, 0), 2))
}

// otherFormat is a broker that wants the batch in another format. Nothing was sent.
type otherFormat struct{ magic int8 }

func (e *otherFormat) Error() string { return "the broker has another message format" }

// request makes the request that carries the set.
func (b *onceBatch) request(key handle.Partition, version, most int16) (*kmsg.ProduceRequest, error) {
	switch {
	case version > most:
		return nil, &wire.VersionError{API: int16(kmsg.Produce), OurMax: maxProduceVersion, BrokerMax: most, Wanted: version}
	case version == 0:
		version = most
	}
	if b.magic != magicOf(version) {
		return nil, &otherFormat{magicOf(version)}
	}
	if err := codecFits(version, b.header.Attributes.Codec()); err != nil {
		return nil, err
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = version, b.config.Acks.Wire(), int32(b.config.AckTimeout.Milliseconds())
	topic, partition := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	partition.Partition, partition.Records = key.Partition, b.set
	topic.Topic, topic.Partitions = key.Topic, append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	return req, nil
}
