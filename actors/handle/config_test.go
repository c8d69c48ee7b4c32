package handle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

func TestAddresses(t *testing.T) {
	for list, want := range map[string][]metadata.Broker{
		"localhost":                       {{ID: -1, Host: "localhost", Port: 9092}},
		"localhost:19092":                 {{ID: -1, Host: "localhost", Port: 19092}},
		" a:1 , b ,, c:65535,":            {{ID: -1, Host: "a", Port: 1}, {ID: -2, Host: "b", Port: 9092}, {ID: -3, Host: "c", Port: 65535}},
		"10.0.0.1,10.0.0.2:99":            {{ID: -1, Host: "10.0.0.1", Port: 9092}, {ID: -2, Host: "10.0.0.2", Port: 99}},
		"[::1]:9093":                      {{ID: -1, Host: "::1", Port: 9093}},
		"[::1]":                           {{ID: -1, Host: "::1", Port: 9092}},
		"2001:db8::7":                     {{ID: -1, Host: "2001:db8::7", Port: 9092}},
		"[fe80::1%eth0]:9092,[::2]:1":     {{ID: -1, Host: "fe80::1%eth0", Port: 9092}, {ID: -2, Host: "::2", Port: 1}},
		"kafka-0.kafka.svc.cluster.local": {{ID: -1, Host: "kafka-0.kafka.svc.cluster.local", Port: 9092}},
	} {
		h, err := New(Config{Brokers: list})
		require.NoError(t, err, list)
		require.Equal(t, want, h.Seeds(), list)
		require.Equal(t, want, h.Nodes(), list)
	}
}

func TestAddressesInLinesAndLists(t *testing.T) {
	h, err := New(Config{Brokers: "a b:1\n c", BrokerList: []string{" d:2 ", "[::1]:3", "a:9092"}})
	require.NoError(t, err)
	require.Equal(t, []metadata.Broker{
		{ID: -1, Host: "a", Port: 9092}, {ID: -2, Host: "b", Port: 1}, {ID: -3, Host: "c", Port: 9092}, {ID: -4, Host: "d", Port: 2}, {ID: -5, Host: "::1", Port: 3},
	}, h.Seeds(), "one that is named twice counts once")
	_, err = New(Config{BrokerList: []string{"x y:1", "[nonsense]:9092", "[::1", "a;b", ""}})
	var wrong *ConfigError
	require.ErrorAs(t, err, &wrong)
	require.Len(t, wrong.Mistakes, 5)
}

func TestNegativeTurnsOff(t *testing.T) {
	_, err := New(Config{
		Brokers: "a", MetadataRefresh: -1, UnknownTopicTTL: -1, Socket: wire.Socket{KeepAlive: -1}, Produce: ProduceConfig{Linger: NoLinger, CodecLevel: -5},
	})
	require.NoError(t, err)
}

func TestEveryWrongAddressIsNamedAtOnce(t *testing.T) {
	bad := []string{"kafka://b:9092", "c:port", "d:0", "e:65536", "f:", ":9092", "g:1:2", "h:-1", "SASL_SSL://i"}
	list := "good:9092"
	for _, entry := range bad {
		list += "," + entry
	}
	_, err := New(Config{Brokers: list})
	var wrong *ConfigError
	require.ErrorAs(t, err, &wrong)
	require.Len(t, wrong.Mistakes, len(bad))
	for _, entry := range bad {
		require.ErrorContains(t, err, `"`+entry+`"`)
	}
	require.NotContains(t, err.Error(), "good")
	require.NotContains(t, err.Error(), "\n")
	for _, list := range []string{"", " ", ",,", " , "} {
		_, err = New(Config{Brokers: list})
		require.ErrorContains(t, err, "at least one", "%q", list)
	}
}

func TestEveryMistakeIsNamedAtOnce(t *testing.T) {
	_, err := New(Config{
		Brokers: "x:y", Name: "a/b", ConnectTimeout: -1, RequestTimeout: -1, CoolDown: -1, CallTimeout: -1, MetadataTimeout: -1,
		Socket:  wire.Socket{ReadBuffer: -1, WriteBuffer: -1},
		Produce: ProduceConfig{Acks: 7, AckTimeout: -1, DeliveryTimeout: -1, MaxBlock: -1, BatchBytes: -1, BufferBytes: -1, RetryBackoff: -1, Partitioner: behaviors.Random + 1},
		Consume: ConsumeConfig{MaxWait: -1, MaxPartitionBytes: -1, MaxBytes: -1, PrefetchBytes: -1},
	})
	for _, field := range []string{
		"Brokers", "Name", "ConnectTimeout", "RequestTimeout", "CoolDown", "CallTimeout", "MetadataTimeout", "Produce.AckTimeout",
		"Produce.DeliveryTimeout", "Produce.MaxBlock", "Produce.BatchBytes", "Produce.BufferBytes", "Produce.RetryBackoff",
		"Produce.Acks", "Produce.Partitioner 7: there is no such scheme", "Socket.ReadBuffer", "Socket.WriteBuffer", "Consume.MaxWait", "Consume.MaxPartitionBytes", "Consume.MaxBytes", "Consume.PrefetchBytes",
	} {
		require.ErrorContains(t, err, field)
	}
	var wrong *ConfigError
	require.True(t, errors.As(err, &wrong))
	for _, mistake := range wrong.Mistakes {
		require.ErrorIs(t, err, mistake)
	}
}

func TestZeroValuesAreTheDefaults(t *testing.T) {
	h, err := New(Config{Brokers: "a"})
	require.NoError(t, err)
	c := h.Config()
	require.Equal(t, "moldau", h.Name())
	require.Equal(t, "moldau", c.ClientID)
	require.NotNil(t, c.Telemetry)
	require.Equal(t, []time.Duration{10 * time.Second, 30 * time.Second, time.Second, 5 * time.Minute, 10 * time.Second},
		[]time.Duration{c.ConnectTimeout, c.RequestTimeout, c.CoolDown, c.MetadataRefresh, c.MetadataTimeout})
	require.Equal(t, []time.Duration{10 * time.Second, 2 * time.Minute, time.Minute, 5 * time.Millisecond, 50 * time.Millisecond},
		[]time.Duration{c.Produce.AckTimeout, c.Produce.DeliveryTimeout, c.Produce.MaxBlock, c.Produce.Linger, c.Produce.RetryBackoff})
	require.Equal(t, []int{1<<20 - 512, 64 << 20, 1 << 20, 50 << 20, 2 << 20},
		[]int{c.Produce.BatchBytes, c.Produce.BufferBytes, int(c.Consume.MaxPartitionBytes), int(c.Consume.MaxBytes), c.Consume.PrefetchBytes})
	require.Equal(t, 500*time.Millisecond, c.Consume.MaxWait)
	require.Equal(t, int16(-1), c.Produce.Acks.Wire())
	require.Equal(t, int16(1), AcksLeader.Wire())
	require.Equal(t, int8(1), c.Consume.Isolation.Wire())
	require.Equal(t, int8(0), ReadUncommitted.Wire())
	require.Equal(t, behaviors.LikeJava, c.Produce.Partitioner)
	require.False(t, c.AutoCreateTopics)
}

func TestWhatIsSetStays(t *testing.T) {
	events := 0
	h, err := New(Config{
		Brokers: "a", Name: "orders", RequestTimeout: 7, Produce: ProduceConfig{Linger: NoLinger, BatchBytes: 9},
		Telemetry: telemetry.Func(func(telemetry.Event) { events++ }),
	})
	require.NoError(t, err)
	c := h.Config()
	require.Equal(t, "orders", c.ClientID, "the name, where no client id is given")
	require.Equal(t, NoLinger, c.Produce.Linger)
	require.Equal(t, 9, c.Produce.BatchBytes)
	require.Equal(t, time.Duration(7), c.Wire().RequestTimeout)
	require.Equal(t, "orders", c.Wire().ClientID)
	h.Emit(telemetry.MetadataUpdated{})
	require.Equal(t, 1, events)
}

func TestMistakesThatLookLikeNone(t *testing.T) {
	for name, c := range map[string]Config{
		"bracket":   {Brokers: "[::1"},
		"brackets":  {Brokers: "]::1["},
		"empty":     {Brokers: "[]"},
		"acks":      {Brokers: "a", Produce: ProduceConfig{Acks: 9}},
		"isolation": {Brokers: "a", Consume: ConsumeConfig{Isolation: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(c)
			require.Error(t, err)
		})
	}
}

// What BrokersFunc gives is read like the list; every address that is wrong is
// named at once, and the others are used.
func TestAddressesThatAFunctionGives(t *testing.T) {
	ask := func(context.Context) ([]string, error) { return nil, nil }
	h, err := New(Config{BrokersFunc: ask})
	require.NoError(t, err, "it is enough")
	require.Empty(t, h.Seeds())
	h, err = New(Config{Brokers: "a b", BrokersFunc: ask})
	require.NoError(t, err)
	seeds, err := h.Config().Resolved([]string{" c:1 ", "", "b:9092", "kafka://x", "[::1]", "y:0"})
	require.Equal(t, []metadata.Broker{
		{ID: -1, Host: "a", Port: 9092}, {ID: -2, Host: "b", Port: 9092}, {ID: -3, Host: "c", Port: 1}, {ID: -4, Host: "::1", Port: 9092},
	}, seeds)
	require.ErrorContains(t, err, "kafka://x")
	require.ErrorContains(t, err, "y:0")
	require.NotContains(t, err.Error(), "\n")
	seeds, err = h.Config().Resolved([]string{" "})
	require.Len(t, seeds, 2)
	require.ErrorContains(t, err, "no address")
	_, err = New(Config{Brokers: "x:y", BrokersFunc: ask})
	require.ErrorContains(t, err, "x:y")
}
