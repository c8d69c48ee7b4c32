//go:build kafka

package suite

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// kept is a record and where it was acked.
type kept struct {
	moldau.Record
	headers []moldau.Header
}

// everyByte is all bytes there are, in an order that no text has; zero is the last.
func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte((i + 1) * 167)
	}
	return all
}

// corpus are records of every shape: absent, empty, textual and binary keys and values of sizes from nothing to many times
// what a varint of two bytes holds, with headers of every kind and timestamps of their own.
func corpus() (records []kept) {
	every := everyByte()
	keys := [][]byte{nil, {}, []byte("user-42"), every}
	values := [][]byte{nil, {}, []byte("žluťoučký kůň, 馬"), every, bytes.Repeat([]byte("moldau "), 3000), bytes.Repeat(every, 300)}
	headers := [][]moldau.Header{
		nil,
		{{Key: "one", Value: []byte("value")}},
		{{Key: "twice", Value: []byte{}}, {Key: "null", Value: nil}, {Key: "twice", Value: every}, {Key: "klíč", Value: []byte("hodnota")}},
	}
	for _, key := range keys {
		for _, value := range values {
			for _, h := range headers {
				at := int64(len(records))*86_400_000 + 1 // from the first millisecond of 1970 on
				records = append(records, kept{moldau.Record{Key: key, Value: value, Timestamp: at, Headers: moldau.HeadersOf(h...)}, h})
			}
		}
	}
	return records
}

// produceCorpus produces the corpus with every codec to all partitions of a topic, and gives what was acked and where.
func produceCorpus(t *testing.T, ctx context.Context, k *kafkatest.Kafka, topic string, partitions int32) (all []kept) {
	t.Helper()
	for _, codec := range codecs {
		client, _ := start(t, moldau.Config{Name: codec.String(), Brokers: k.Addrs()[0], Produce: moldau.ProduceConfig{Codec: codec}})
		records := corpus()
		pending := make([]moldau.Pending, len(records))
		for i := range records {
			r := &records[i]
			r.Partition = int32(i) % partitions
			pending[i] = client.Topic(topic).By(moldau.On(r.Partition)).Produce(ctx, r.Record)
		}
		for i, p := range pending {
			offset, err := p.Wait(ctx)
			require.NoError(t, err, codec)
			records[i].Offset = offset
		}
		all = append(all, records...)
	}
	requireCodecs(t, ctx, k, topic)
	return all
}

// requireCodecs makes sure that there are batches of every codec: one that compression makes larger is sent raw.
func requireCodecs(t *testing.T, ctx context.Context, k *kafkatest.Kafka, topic string) {
	t.Helper()
	seen := map[moldau.Codec]bool{}
	newForeign(t, k.Addrs(), nil).read(ctx, topic, func(r *kgo.Record) { seen[moldau.Codec(r.Attrs.CompressionType())] = true })
	require.Len(t, seen, len(codecs), "%v", seen)
}

// TestProduceJavaReadsEveryByte: Java's console consumer prints what was produced, byte for byte.
func TestProduceJavaReadsEveryByte(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	ctx := patient(t)
	topic := newTopic(t, k, "bytes", 3)
	produced := produceCorpus(t, ctx, k, topic, 3)

	args := []string{"--bootstrap-server", k.Addrs()[0], "--topic", topic, "--from-beginning",
		"--max-messages", fmt.Sprint(len(produced)), "--timeout-ms", "30000"}
	// BytesDeserializer writes all but printable ASCII, and the backslash, as \xNN: so nothing in a field looks like a separator.
	for _, property := range []string{
		"print.timestamp=true", "print.partition=true", "print.offset=true", "print.headers=true", "print.key=true", "print.value=true",
		`key.separator=\|`, `headers.separator=\;`, `null.literal=\null`,
		"key.deserializer=" + javaBytesDeserializer, "value.deserializer=" + javaBytesDeserializer, "headers.deserializer=" + javaBytesDeserializer,
	} {
		args = append(args, "--formatter-property", property)
	}
	out, err := kafkatest.RunJava(ctx, k.Tool("ConsoleConsumer", args...))
	require.NoError(t, err)
	got := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	slices.Sort(got)
	want := make([]string, len(produced))
	for i := range produced {
		want[i] = javaLine(&produced[i])
	}
	slices.Sort(want)
	requireSame(t, want, got)
}

const javaBytesDeserializer = "org.apache.kafka.common.serialization.BytesDeserializer"

// javaLine is what the console consumer prints of a record.
func javaLine(r *kept) string {
	headers := "NO_HEADERS"
	if len(r.headers) > 0 {
		var list []string
		for _, h := range r.headers {
			list = append(list, h.Key+":"+javaBytes(h.Value))
		}
		headers = strings.Join(list, `\;`)
	}
	return strings.Join([]string{fmt.Sprintf("CreateTime:%d", r.Timestamp), fmt.Sprintf("Partition:%d", r.Partition),
		fmt.Sprintf("Offset:%d", r.Offset), headers, javaBytes(r.Key), javaBytes(r.Value)}, `\|`)
}

// javaBytes is org.apache.kafka.common.utils.Bytes.toString.
func javaBytes(b []byte) string {
	if b == nil {
		return `\x5Cnull` // null.literal goes through the deserializer too; no field of the corpus is that
	}
	var text strings.Builder
	for _, c := range b {
		if c < ' ' || c > '~' || c == '\\' {
			fmt.Fprintf(&text, `\x%02X`, c)
			continue
		}
		text.WriteByte(c)
	}
	return text.String()
}

// requireSame compares line by line, so that a failure names one record.
func requireSame(t *testing.T, want, got []string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		require.Equal(t, want[i], got[i])
	}
	require.Len(t, got, len(want))
}

// TestProduceKcatReadsEveryByte: kcat, which is librdkafka, prints what was produced, byte for byte. It checks the CRC of
// batches too.
func TestProduceKcatReadsEveryByte(t *testing.T) {
	k := kafkatest.StartKafka(t, kafkatest.Options{})
	ctx := patient(t)
	topic := newTopic(t, k, "bytes", 3)
	left := map[[2]int64]*kept{}
	produced := produceCorpus(t, ctx, k, topic, 3)
	for i := range produced {
		left[[2]int64{int64(produced[i].Partition), produced[i].Offset}] = &produced[i]
	}
	out, err := kafkatest.RunKcat(ctx, nil, "-C", "-b", k.Addrs()[0], "-t", topic, "-o", "beginning", "-e", "-q",
		"-X", "check.crcs=true", "-f", `%p %o %T %K %S %k%s%h\n`)
	require.NoError(t, err)
	for len(out) > 0 {
		var at [2]int64
		_, err := fmt.Sscan(string(out[:min(len(out), 50)]), &at[0], &at[1])
		require.NoError(t, err)
		r := left[at]
		require.NotNil(t, r, "partition %d, offset %d", at[0], at[1])
		delete(left, at)
		want := kcatLine(r)
		require.GreaterOrEqual(t, len(out), len(want))
		require.Equal(t, want, out[:len(want)], "partition %d, offset %d", at[0], at[1])
		out = out[len(want):]
	}
	require.Empty(t, left)
}

// kcatLine is what kcat prints of a record. The lengths tell null, -1, from empty.
func kcatLine(r *kept) []byte {
	length := func(b []byte) int {
		if b == nil {
			return -1
		}
		return len(b)
	}
	line := fmt.Appendf(nil, "%d %d %d %d %d %s%s", r.Partition, r.Offset, r.Timestamp, length(r.Key), length(r.Value), r.Key, r.Value)
	for i, h := range r.headers {
		if i > 0 {
			line = append(line, ',')
		}
		value := h.Value
		if value == nil {
			value = []byte("NULL")
		}
		value, _, _ = bytes.Cut(value, []byte{0}) // kcat prints headers, and they alone, as strings of C
		line = fmt.Appendf(line, "%s=%s", h.Key, value)
	}
	return append(line, '\n')
}
