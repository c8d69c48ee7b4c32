package suite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// produced are records of one partition, with what their callbacks were told.
type produced struct {
	values []string
	told   chan toldOf
	// of each record, once verify has them
	offsets []int64
	errs    []error
}

type toldOf struct {
	record int
	offset int64
	err    error
}

func newProduced() *produced { return &produced{told: make(chan toldOf, 1000)} }

func (p *produced) add(ctx context.Context, topic moldau.Topic, r moldau.Record) {
	i := len(p.values)
	p.values = append(p.values, string(r.Value))
	if err := topic.ProduceFunc(ctx, r, func(offset int64, err error) { p.told <- toldOf{i, offset, err} }); err != nil {
		p.told <- toldOf{i, -1, err}
	}
}

// await waits for all outcomes. Callbacks come in order.
func (p *produced) await(ctx context.Context, t *testing.T) {
	t.Helper()
	p.offsets, p.errs = make([]int64, len(p.values)), make([]error, len(p.values))
	for i := range p.values {
		select {
		case told := <-p.told:
			require.Equal(t, i, told.record, "callbacks in order")
			p.offsets[i], p.errs[i] = told.offset, told.err
		case <-ctx.Done():
			require.Fail(t, "a record has no outcome", "%d of %d", i, len(p.values))
		}
	}
}

// verify: the log holds what was acked, at its offset, in order and once; what
// failed for a reason is not there.
func (p *produced) verify(ctx context.Context, t *testing.T, addrs []string, topic string, fails func(value string) error) {
	t.Helper()
	p.await(ctx, t)
	log := map[int64]string{}
	var order, want []string
	newForeign(t, addrs, nil).read(ctx, topic, func(r *kgo.Record) {
		log[r.Offset] = string(r.Value)
		order = append(order, string(r.Value))
	})
	for i, value := range p.values {
		if why := fails(value); why != nil {
			require.ErrorIs(t, p.errs[i], why)
			continue
		}
		require.NoError(t, p.errs[i], value[:min(20, len(value))])
		require.Equal(t, value, log[p.offsets[i]])
		want = append(want, value)
	}
	require.Equal(t, want, order)
}

// A batch that the topic does not take is sent in ever smaller pieces; only a
// record that is too large by itself fails, and its error says what to raise.
func TestTooLargeBatchesAreSplit(t *testing.T) {
	for _, codec := range []moldau.Codec{moldau.NoCodec, moldau.Gzip} {
		for _, idempotence := range []moldau.Idempotence{moldau.IdempotenceOn, moldau.IdempotenceOff} {
			t.Run(fmt.Sprint(codec, idempotence), func(t *testing.T) {
				ctx := bounded(t, patience)
				fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}, Config: map[string]string{"message.max.bytes": "1000"}})
				client, seen := start(t, moldau.Config{Brokers: fake.Addrs()[0], Produce: moldau.ProduceConfig{Codec: codec, Idempotence: idempotence, Linger: 20e6, BufferBytes: 64 << 10}})
				orders := client.Topic("orders")
				records := newProduced()
				for i := range 200 {
					records.add(ctx, orders, text(fmt.Sprint(i, " ", noise(i, 90))))
					if i == 70 {
						records.add(ctx, orders, text("huge "+noise(i, 3000)))
					}
				}
				records.verify(ctx, t, fake.Addrs(), "orders", func(value string) error {
					if strings.HasPrefix(value, "huge") {
						return wire.ErrTooLarge
					}
					return nil
				})
				err := records.errs[71]
				require.ErrorContains(t, err, "single record of 30")
				require.ErrorContains(t, err, "max.message.bytes")
				require.NotErrorIs(t, err, wire.ErrUnsure)
				require.Equal(t, 1, seen.count(is[telemetry.ProduceFailed]), "one record")
				require.Eventually(t, func() bool { return client.Buffered() == 0 }, patience, 1e6)
			})
		}
	}
}

// noise is text that does not compress well.
func noise(seed, size int) string {
	b, x := make([]byte, size), uint64(seed)*2654435761+1
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = byte('!' + x>>33%90)
	}
	return string(b)
}

// refuse answers Produce requests that have a record which bad finds as a broker
// does that names those records (KIP-467).
func refuse(fake *kafkatest.Fake, bad func(value string) bool) {
	fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		resp := answerAll(produce, wire.InvalidRecord)
		found := false
		for t := range produce.Topics {
			for p := range produce.Topics[t].Partitions {
				partition := &resp.Topics[t].Partitions[p]
				for i, value := range valuesIn(produce.Topics[t].Partitions[p].Records) {
					if !bad(value) {
						continue
					}
					found = true
					named := kmsg.NewProduceResponseTopicPartitionErrorRecord()
					named.RelativeOffset, named.ErrorMessage = int32(i), kmsg.StringPtr("no "+value)
					partition.ErrorRecords = append(partition.ErrorRecords, named)
				}
			}
		}
		return resp, nil, found
	})
}

// Records that the broker names fail with its words; the others of their batch
// are written.
func TestOnlyTheRecordsThatTheBrokerNamesFail(t *testing.T) {
	for _, idempotence := range []moldau.Idempotence{moldau.IdempotenceOn, moldau.IdempotenceOff} {
		t.Run(fmt.Sprint(idempotence), func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
			bad := func(value string) bool { return strings.HasSuffix(value, "7") }
			refuse(fake, bad)
			client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], Produce: moldau.ProduceConfig{Idempotence: idempotence, BatchBytes: 1000}})
			records := newProduced()
			for i := range 100 {
				records.add(ctx, client.Topic("orders"), text(fmt.Sprint(i)))
			}
			records.verify(ctx, t, fake.Addrs(), "orders", func(value string) error {
				if bad(value) {
					return wire.ErrCorrupt
				}
				return nil
			})
			err := records.errs[27]
			require.ErrorContains(t, err, `"no 27"`)
			code, _ := wire.CodeOf(err)
			require.Equal(t, wire.InvalidRecord, code)
		})
	}
}

// refuseAll answers Produce requests with a code, and counts them.
func refuseAll(fake *kafkatest.Fake, code wire.Code, asked *int) func(kmsg.Request) (kmsg.Response, error, bool) {
	return func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		*asked++
		return answerAll(req.(*kmsg.ProduceRequest), code), nil, true
	}
}

// answerAll answers a code for every partition of a request.
func answerAll(produce *kmsg.ProduceRequest, code wire.Code) *kmsg.ProduceResponse {
	resp := produce.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range produce.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, int16(code)
			topic.Partitions = append(topic.Partitions, partition)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}
