//go:build kafka

package kafkatest_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

// TestWireRoundTrips produces with every message format and codec that a broker takes and fetches it back in every
// format that the broker gives: batches v2, message sets v0 and v1, converted by the broker where the two differ.
func TestWireRoundTrips(t *testing.T) {
	for _, version := range []string{"0.8.2.2", "0.9.0.1", "0.10.2.2", "0.11.0.3", "2.8.2", "4.3.1"} {
		t.Run(version, func(t *testing.T) {
			w := dialWire(t, kafkatest.StartKafka(t, kafkatest.Options{Version: version}))
			trips := 0
			for _, from := range w.formats(kmsg.Produce) {
				for codec := compress.None; codec <= compress.Zstd; codec++ {
					if codec == compress.Zstd && !from.zstd() {
						continue
					}
					topic := w.createTopic(fmt.Sprintf("v%d-%s", from.magic, codec))
					headers := from.magic == 2 && !cannotConvertHeaders[version]
					t.Run(topic, func(t *testing.T) { trips += w.trips(t, topic, from, codec, headers, w.formats(kmsg.Fetch)) })
					if from.magic < 2 || headers {
						continue
					}
					topic = w.createTopic("headers-" + codec.String())
					t.Run(topic, func(t *testing.T) { trips += w.trips(t, topic, from, codec, true, w.formats(kmsg.Fetch)[2:]) })
				}
			}
			t.Logf("Kafka %s: %d round trips", version, trips)
			require.Equal(t, expectedTrips[version], trips, "nothing is left out")
		})
	}
}

// expectedTrips counts produced formats and codecs times fetched formats, so that nothing is left out by mistake.
// Before 2.1 there are four codecs; 4.0 dropped the old formats (KIP-896).
var expectedTrips = map[string]int{
	"0.8.2.2":  1 * 4 * 1,
	"0.9.0.1":  1 * 4 * 1,
	"0.10.2.2": 2 * 4 * 2,
	"0.11.0.3": 3*4*3 + 4, // headers in trips of their own
	"2.8.2":    3*4*3 + 1, // zstd is v2 only, both ways
	"4.3.1":    5,
}

// cannotConvertHeaders: these brokers fail a fetch in an old format when there are headers ("Magic v0 does not support
// record headers"), in place of dropping them.
var cannotConvertHeaders = map[string]bool{"0.11.0.3": true}

// format is a message format with the newest version of an API that carries it.
type format struct {
	api     kmsg.Key
	magic   int8
	version int16
}

// zstd came with Produce 7 and Fetch 10 (KIP-110).
func (f format) zstd() bool {
	return f.api == kmsg.Produce && f.version >= 7 || f.api == kmsg.Fetch && f.version >= 10
}

type wireTest struct {
	t      *testing.T
	kafka  *kafkatest.Kafka
	conn   *wire.Conn
	codecs *compress.Registry
}

func dialWire(t *testing.T, k *kafkatest.Kafka) *wireTest {
	conn, err := wire.Dial(t.Context(), k.Addrs()[0], wire.Config{ClientID: "kafkatest"})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(nil) })
	return &wireTest{t: t, kafka: k, conn: conn, codecs: compress.NewRegistry()}
}

// formats lists the message formats that the broker speaks: Produce carries v0 up to version 1, v1 in 2, v2 from 3 on;
// Fetch v0 up to 1, v1 in 2 and 3, v2 from 4 on (KIP-32, KIP-98).
func (w *wireTest) formats(api kmsg.Key) []format {
	last := [...]int16{1, 2}
	if api == kmsg.Fetch {
		last = [...]int16{1, 3}
	}
	newest, err := w.conn.Version(int16(api))
	require.NoError(w.t, err)
	lowest, highest, ok := w.conn.Versions().Range(int16(api))
	if !ok { // a broker that cannot be asked takes the oldest
		lowest, highest = 0, newest
	}
	var list []format
	for magic, version := range last {
		if lowest <= version && lowest <= highest {
			list = append(list, format{api, int8(magic), min(version, highest)})
		}
		if highest <= version {
			return list
		}
	}
	return append(list, format{api, 2, newest})
}

func (w *wireTest) createTopic(name string) string {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	require.NoError(w.t, w.kafka.CreateTopic(ctx, kafkatest.Topic{Name: name}))
	return name
}

// do sends a request in the version that it carries.
func (w *wireTest) do(t *testing.T, request kmsg.Request) kmsg.Response {
	t.Helper()
	done := make(chan wire.Result, 1)
	w.conn.Send(&wire.Call{Request: request, FixedVersion: true, Done: func(r wire.Result) { done <- r }})
	result := <-done
	require.NoError(t, result.Err)
	return result.Response
}

// topicID is what Produce and Fetch use from version 13 on (KIP-516).
func (w *wireTest) topicID(t *testing.T, topic string) [16]byte {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &topic
	request.Topics = append(request.Topics, rt)
	response, err := w.conn.Do(t.Context(), request)
	require.NoError(t, err)
	topics := response.(*kmsg.MetadataResponse).Topics
	require.Len(t, topics, 1)
	return topics[0].TopicID
}

// trips produces once and fetches in the given formats; it returns how many round trips that was.
func (w *wireTest) trips(t *testing.T, topic string, from format, codec compress.Type, headers bool, formats []format) int {
	sent := testRecords(headers)
	id := w.topicID(t, topic)
	w.produce(t, topic, id, from, w.encode(t, from.magic, codec, sent))
	trips := 0
	for _, to := range formats {
		if codec == compress.Zstd && !to.zstd() {
			continue
		}
		got := w.fetch(t, topic, id, to, codec)
		require.Len(t, got, len(sent))
		for i := range sent {
			requireSame(t, &sent[i], &got[i], int64(i), from.magic, to.magic)
		}
		trips++
	}
	return trips
}

// testRecords covers null, empty, short and long fields, and headers if asked for.
func testRecords(headers bool) []record.Record {
	records := []record.Record{
		{Key: []byte("key"), Value: []byte("value")},
		{Key: nil, Value: []byte("no key")},
		{Key: []byte{}, Value: []byte("empty key")},
		{Key: []byte("tombstone"), Value: nil},
		{Key: []byte("empty value"), Value: []byte{}},
		{Key: []byte("long"), Value: bytes.Repeat([]byte("long value "), 5000)},
	}
	for i := range 200 {
		records = append(records, record.Record{Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, "value %d %d", i, i*i)})
	}
	base := time.Now().UnixMilli()
	for i := range records {
		records[i].Timestamp = base + int64(i*7)
		if headers && i%3 == 0 {
			records[i].Headers = record.HeadersOf(record.Header{Key: "trace", Value: []byte{0, 1, 255}}, record.Header{Key: "null"}, record.Header{Key: "", Value: []byte{}})
		}
	}
	return records
}

// encode makes the final bytes as a producer does: records first, then compression, then the header or the old format.
func (w *wireTest) encode(t *testing.T, magic int8, codec compress.Type, records []record.Record) []byte {
	t.Helper()
	h := record.NewBatchHeader()
	h.Attributes = record.Attributes(codec)
	h.BaseTimestamp, h.MaxTimestamp = records[0].Timestamp, records[len(records)-1].Timestamp
	h.LastOffsetDelta, h.Count = int32(len(records)-1), int32(len(records))
	var body []byte
	for i := range records {
		body = record.Append(body, records[i].Timestamp-h.BaseTimestamp, int32(i), &records[i])
	}
	if magic < 2 {
		set, err := record.DownConvert(nil, &h, record.Legacy{Magic: magic, Codec: codec, Codecs: w.codecs, DropTimestamps: magic == 0}, body)
		require.NoError(t, err)
		return set
	}
	if codec != compress.None {
		var err error
		body, err = w.codecs.Compress(codec, nil, body, 0)
		require.NoError(t, err)
	}
	var head [record.HeaderSize]byte
	record.PutHeader(&head, &h, body)
	return append(head[:], body...)
}

func (w *wireTest) produce(t *testing.T, topic string, id [16]byte, from format, data []byte) {
	t.Helper()
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = data
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.TopicID, rt.Partitions = topic, id, append(rt.Partitions, p)
	request := kmsg.NewPtrProduceRequest()
	request.Acks, request.TimeoutMillis, request.Topics = -1, 10_000, append(request.Topics, rt)
	request.SetVersion(from.version)
	answer := w.do(t, request).(*kmsg.ProduceResponse)
	require.Len(t, answer.Topics, 1)
	require.Len(t, answer.Topics[0].Partitions, 1)
	require.Equal(t, wire.None, wire.Code(answer.Topics[0].Partitions[0].ErrorCode))
	require.Zero(t, answer.Topics[0].Partitions[0].BaseOffset)
}

func (w *wireTest) fetch(t *testing.T, topic string, id [16]byte, to format, codec compress.Type) []record.Record {
	t.Helper()
	p := kmsg.NewFetchRequestTopicPartition()
	p.PartitionMaxBytes = 10 << 20
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID, rt.Partitions = topic, id, append(rt.Partitions, p)
	request := kmsg.NewPtrFetchRequest()
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes = 1000, 1, 20<<20
	request.Topics = append(request.Topics, rt)
	request.SetVersion(to.version)
	answer := w.do(t, request).(*kmsg.FetchResponse)
	require.Equal(t, wire.None, wire.Code(answer.ErrorCode))
	require.Len(t, answer.Topics, 1)
	got := answer.Topics[0].Partitions[0]
	require.Equal(t, wire.None, wire.Code(got.ErrorCode))
	return w.decode(t, got.RecordBatches, to.magic, codec)
}

func (w *wireTest) decode(t *testing.T, data []byte, magic int8, codec compress.Type) []record.Record {
	t.Helper()
	var all []record.Record
	batches := record.NewBatches(data)
	var b record.Batch
	for batches.Next(&b) {
		require.Equal(t, magic, b.Magic)
		require.Equal(t, codec, b.Attributes.Codec(), "the broker keeps the codec")
		require.NoError(t, b.Verify())
		records, err := b.Open(w.codecs, 0)
		require.NoError(t, err)
		for r := range records.All() {
			all = append(all, r)
		}
		require.NoError(t, records.Err())
	}
	require.NoError(t, batches.Err())
	have, _ := batches.Partial()
	require.Zero(t, have)
	return all
}

// requireSame allows for what the formats on the way cannot carry: v0 has no timestamps, v0 and v1 no headers.
func requireSame(t *testing.T, want, got *record.Record, offset int64, from, to int8) {
	t.Helper()
	require.Equal(t, want.Key, got.Key, "key at %d", offset)
	require.Equal(t, want.Value, got.Value, "value at %d", offset)
	require.Equal(t, offset, got.Offset)
	timestamp := want.Timestamp
	if from == 0 || to == 0 {
		timestamp = record.NoTimestamp
	}
	require.Equal(t, timestamp, got.Timestamp, "timestamp at %d", offset)
	if to < 2 {
		require.Zero(t, got.Headers.Len())
		return
	}
	require.Equal(t, want.Headers.Len(), got.Headers.Len())
	for key := range want.Headers.All() {
		wantValue, _ := want.Headers.Get(key)
		gotValue, ok := got.Headers.Get(key)
		require.True(t, ok)
		require.Equal(t, wantValue, gotValue, "header %q at %d", key, offset)
	}
}
