package kafkatest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// roundTrip produces n records to a topic with an independent client and reads them back.
func roundTrip(t *testing.T, f *Fake, topic string, n int, opts ...kgo.Opt) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	opts = append(opts, kgo.SeedBrokers(f.Addrs()...), kgo.Dialer(f.Dial), kgo.ConsumeTopics(topic), kgo.RequestTimeoutOverhead(time.Minute))
	client, err := kgo.NewClient(opts...)
	require.NoError(t, err)
	defer client.Close()
	for i := range n {
		client.Produce(ctx, &kgo.Record{Topic: topic, Value: fmt.Append(nil, i)}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		})
	}
	require.NoError(t, client.Flush(ctx))
	got := map[string]bool{}
	for len(got) < n {
		fetches := client.PollFetches(ctx)
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) { got[string(r.Value)] = true })
	}
}

func TestFakeOnTCP(t *testing.T) {
	f := NewFake(t, FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 6}})
	require.Len(t, f.Addrs(), 3)
	require.Nil(t, f.Proxy(0))
	roundTrip(t, f, "orders", 100)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "twice does no harm")
}

func TestFakeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := NewNetwork()
		network.SetLink(LinkRule{Latency: 20 * time.Millisecond})
		f := NewFake(t, FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 6}, Network: network})
		start := time.Now()
		roundTrip(t, f, "orders", 100)
		require.GreaterOrEqual(t, time.Since(start), 100*time.Millisecond, "latency is felt, in virtual time")

		// A broker's own delay is virtual too: 25 s of it cost nothing.
		f.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			f.SleepControl(func() { time.Sleep(25 * time.Second) })
			return nil, nil, false
		})
		start = time.Now()
		roundTrip(t, f, "orders", 1)
		require.GreaterOrEqual(t, time.Since(start), 25*time.Second)
	})
}

func TestFakePartitionedInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := NewNetwork()
		f := NewFake(t, FakeOptions{Topics: map[string]int32{"orders": 1}, Network: network})
		network.Partition("client", f.Addrs()[0])
		time.AfterFunc(40*time.Second, func() { network.Heal("client", f.Addrs()[0]) })
		start := time.Now()
		roundTrip(t, f, "orders", 1, kgo.DialTimeout(time.Minute))
		require.GreaterOrEqual(t, time.Since(start), 40*time.Second)
	})
}

func TestFakeProxies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFake(t, FakeOptions{Nodes: 2, Topics: map[string]int32{"orders": 4}, Network: NewNetwork(), Proxies: true})
		require.Equal(t, f.Addrs()[0], f.Proxy(0).Addr())
		require.Nil(t, f.Proxy(2))
		roundTrip(t, f, "orders", 40)
		for i := range 2 {
			require.NotZero(t, f.Proxy(i).Stats().BytesUp, "node %d is reached through its proxy", i)
		}
		f.Proxy(0).Set(Faults{Down: Flow{Delay: 3 * time.Second}})
		f.Proxy(1).Set(Faults{Down: Flow{Delay: 3 * time.Second}})
		start := time.Now()
		roundTrip(t, f, "orders", 1)
		require.GreaterOrEqual(t, time.Since(start), 6*time.Second)
	})
}

func TestFakeFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFake(t, FakeOptions{Topics: map[string]int32{"orders": 1}, Network: NewNetwork()})
		fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 1})
		roundTrip(t, f, "orders", 10)
		require.Equal(t, 1, fault.Hits())
	})
}

func TestFakeVersionCap(t *testing.T) {
	f := NewFake(t, FakeOptions{Version: "0.11.0"})
	v, err := parseVersion("0.11.0.3")
	require.NoError(t, err)
	conn, err := dialRaw(t.Context(), f.Addrs()[0], v)
	require.NoError(t, err)
	defer conn.close()
	require.EqualValues(t, 3, conn.versions[int16(kmsg.Produce)])
	_, err = OpenFake(FakeOptions{Version: "seven"})
	require.ErrorContains(t, err, "seven")
}

func TestFakeWithTLSAndLogin(t *testing.T) {
	certificates, err := NewCertificates()
	require.NoError(t, err)
	server, err := certificates.ServerConfig()
	require.NoError(t, err)
	f := NewFake(t, FakeOptions{Topics: map[string]int32{"orders": 1}, TLS: server,
		Users: []FakeUser{{"SCRAM-SHA-512", "alice", "alice-secret"}}})
	client, err := kgo.NewClient(kgo.SeedBrokers(f.Addrs()...), kgo.DialTLSConfig(certificates.ClientConfig()),
		kgo.SASL(scram.Auth{User: "alice", Pass: "alice-secret"}.AsSha512Mechanism()))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("v")}).FirstErr())
}
