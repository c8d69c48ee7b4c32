package suite

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

func text(s string) moldau.Record { return moldau.Record{Value: []byte(s)} }

func TestUnknownTopicFailsAtOnce(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
	_, err := client.Topic("oders").ProduceSync(bounded(t, patience), text("x"))
	requireUnknownTopic(t, err)
	_, err = client.Topic("orders").By(moldau.On(7)).ProduceSync(bounded(t, patience), text("x"))
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	_, err = client.Topic("orders").ProduceSync(bounded(t, patience), text("x"))
	require.NoError(t, err, "the tree stays up")
}

func requireUnknownTopic(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, wire.ErrUnknownTopic)
	require.ErrorContains(t, err, "oders")
	require.ErrorContains(t, err, "create the topic")
}

// TestNoBrokerNamesTheCause: the client starts, records fail within MaxBlock,
// and the error says what is wrong with the connection and what to do.
func TestNoBrokerNamesTheCause(t *testing.T) {
	for name, c := range map[string]struct {
		dial  func(ctx context.Context, network, address string) (net.Conn, error)
		cause string
	}{
		"refused": {cause: "connection refused"},
		"no such host": {cause: "no such host", dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "kafka.example", IsNotFound: true}}
		}},
		"silent": {cause: "timed out", dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			address := listener.Addr().String()
			require.NoError(t, listener.Close())
			client, seen := start(t, moldau.Config{
				Brokers: address, Dial: c.dial, CoolDown: 20 * time.Millisecond, ConnectTimeout: 50 * time.Millisecond,
				Produce: moldau.ProduceConfig{MaxBlock: 300 * time.Millisecond},
			})
			ctx := bounded(t, patience)
			_, err = client.Topic("orders").ProduceSync(ctx, text("x"))
			require.Error(t, err)
			require.NoError(t, ctx.Err(), "MaxBlock ended it")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, wire.ErrConnection)
			require.ErrorContains(t, err, c.cause)
			require.ErrorContains(t, err, "Brokers", "the cure names what to look at")
			require.NotZero(t, seen.count(is[telemetry.ConnectFailed]))
			require.NotNil(t, find(t, client, "client"), "the tree stays up")
		})
	}
}

func TestTooLargeRecordFails(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0], Produce: moldau.ProduceConfig{BatchBytes: 1000}})
	orders := client.Topic("orders")
	_, err := orders.ProduceSync(bounded(t, patience), text(strings.Repeat("x", 1001)))
	require.ErrorIs(t, err, wire.ErrTooLarge)
	require.ErrorContains(t, err, "BatchBytes")
	_, err = orders.ProduceSync(bounded(t, patience), text("x"))
	require.NoError(t, err)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge})
	_, err = orders.ProduceSync(bounded(t, patience), text("too large for the broker"))
	require.ErrorIs(t, err, wire.ErrTooLarge)
	require.ErrorContains(t, err, "max.message.bytes")
	offset, err := orders.ProduceSync(bounded(t, patience), text("y"))
	require.NoError(t, err, "what comes behind is not out of sequence")
	require.EqualValues(t, 1, offset)
}

// TestErrorsThatDoNotPass fail the record, and the next one is taken.
func TestErrorsThatDoNotPass(t *testing.T) {
	for _, c := range []struct {
		err  *kerr.Error
		want error
	}{
		{kerr.TopicAuthorizationFailed, wire.ErrAuthorization},
		{kerr.InvalidRecord, wire.ErrCorrupt},
		{kerr.InvalidTopicException, wire.ErrInvalid},
		{kerr.RecordListTooLarge, wire.ErrTooLarge},
	} {
		t.Run(c.err.Message, func(t *testing.T) {
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
			client, _ := start(t, moldau.Config{Brokers: fake.Addrs()[0]})
			orders := client.Topic("orders")
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: c.err})
			_, err := orders.ProduceSync(bounded(t, patience), text("x"))
			require.ErrorIs(t, err, c.want)
			_, err = orders.ProduceSync(bounded(t, patience), text("x"))
			require.NoError(t, err)
		})
	}
}

// TestBufferLimit: with the broker away the memory of records stays within its
// limit, a Produce that waits for memory ends with its ctx or MaxBlock, and what
// was accepted is acked once the broker is back.
func TestBufferLimit(t *testing.T) {
	const limit = 256 << 10
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Proxies: true, Topics: map[string]int32{"orders": 3}})
	client, _ := start(t, moldau.Config{
		Brokers: fake.Addrs()[0], CoolDown: 10 * time.Millisecond,
		Produce: moldau.ProduceConfig{BufferBytes: limit, MaxBlock: 100 * time.Millisecond},
	})
	ctx := bounded(t, patience)
	orders := client.Topic("orders")
	_, err := orders.ProduceSync(ctx, text("x"))
	require.NoError(t, err)
	fake.Proxy(0).Down()

	var accepted []moldau.Pending
	r := text(strings.Repeat("x", 1000))
	for {
		require.Less(t, len(accepted), limit/1000+1, "the limit does not hold")
		p := orders.Produce(ctx, r)
		require.LessOrEqual(t, client.Buffered(), limit)
		if p.Err() != nil {
			require.ErrorIs(t, p.Err(), moldau.ErrBufferFull)
			break
		}
		accepted = append(accepted, p)
	}
	require.Greater(t, len(accepted), limit/2000, "the memory is used")

	short, cancel := context.WithCancelCause(ctx)
	cancel(net.ErrClosed)
	p := orders.Produce(short, r)
	require.ErrorIs(t, p.Err(), moldau.ErrBufferFull)
	require.ErrorIs(t, p.Err(), net.ErrClosed, "the cause of the ctx is told")

	require.NoError(t, fake.Proxy(0).Up())
	for _, p := range accepted {
		_, err := p.Wait(ctx)
		require.NoError(t, err)
	}
	_, err = orders.ProduceSync(ctx, r)
	require.NoError(t, err)
	require.NoError(t, orders.Flush(ctx))
	require.Eventually(t, func() bool { return client.Buffered() == 0 }, patience, time.Millisecond, "the memory comes back")
}

// TestDeliveryTimeout: a record that finds no broker fails when its time is up,
// with the reason.
func TestDeliveryTimeout(t *testing.T) {
	bubble(t, map[string]int32{"orders": 1}, func(b *bubbled) {
		client := b.start(moldau.Config{})
		orders := client.Topic("orders")
		_, err := orders.ProduceSync(b.t.Context(), text("x"))
		require.NoError(b.t, err)
		b.network.Partition("client", b.fake.Addrs()[0])
		begun := time.Now()
		_, err = orders.ProduceSync(b.t.Context(), text("y"))
		require.ErrorIs(b.t, err, wire.ErrTimeout)
		require.ErrorContains(b.t, err, "delivery timeout of 2m0s")
		require.InDelta(b.t, (2 * time.Minute).Seconds(), time.Since(begun).Seconds(), 45, "one request may be on the wire when the time is up")
		b.network.Heal("client", b.fake.Addrs()[0])
		_, err = orders.ProduceSync(b.t.Context(), text("z"))
		require.NoError(b.t, err)
	})
}

// TestMaxBlock: without a broker, Produce waits for a topic's partitions for a
// minute by default.
func TestMaxBlock(t *testing.T) {
	bubble(t, nil, func(b *bubbled) {
		b.network.Partition("client", b.fake.Addrs()[0])
		client := b.start(moldau.Config{})
		begun := time.Now()
		p := client.Topic("orders").Produce(b.t.Context(), text("x"))
		require.ErrorIs(b.t, p.Err(), context.DeadlineExceeded)
		require.InDelta(b.t, 60, time.Since(begun).Seconds(), 11)
	})
}
