package suite

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// registry is where a program finds the addresses of its brokers.
type registry struct{ list atomic.Pointer[[]string] }

func registered(list []string) *registry {
	r := &registry{}
	r.list.Store(&list)
	return r
}

func (r *registry) brokers(context.Context) ([]string, error) { return *r.list.Load(), nil }

// TestEveryBrokerIsReplaced by another one with another id at another port, while
// records flow: no address that the client has learned is of any use. The
// bootstrap addresses lead to the new ones: a fixed name that resolves to
// another machine now, or what a function says.
func TestEveryBrokerIsReplaced(t *testing.T) {
	for name, configure := range map[string]func(*moldau.Config, *registry){
		"behind a name that stays": func(c *moldau.Config, r *registry) {
			c.Brokers = "kafka:9092"
			c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if address == "kafka:9092" {
					list, _ := r.brokers(ctx)
					address = list[0]
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}
		},
		"named by a function": func(c *moldau.Config, r *registry) { c.BrokersFunc = r.brokers },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 2, Proxies: true, Topics: map[string]int32{"orders": 3}})
			at := registered(fake.Addrs())
			config := moldau.Config{CoolDown: 50 * time.Millisecond}
			configure(&config, at)
			client, seen := start(t, config)
			flow := newFlow(t, client, "orders")
			flow.subscribe()
			flow.produce(ctx, 500)
			require.True(t, flow.acked.await(ctx, 500))
			fake.Proxy(0).Down()
			fake.Proxy(1).Down()
			lost := seen.next(is[telemetry.MetadataFailed])
			flow.produce(ctx, 500)
			receive(t, ctx, lost, "a round of metadata requests that nobody answered")
			replaceBrokers(t, fake, at)
			flow.verifyAcked(ctx, newForeign(t, fake.Addrs(), nil))
			require.NotNil(t, find(t, client, "brokers", "broker:2"))
			require.Nil(t, find(t, client, "brokers", "broker:0"))
		})
	}
}

// replaceBrokers puts nodes 2 and 3 in place of 0 and 1.
func replaceBrokers(t *testing.T, fake *kafkatest.Fake, at *registry) {
	t.Helper()
	for range 2 {
		_, _, err := fake.AddNode(-1, 0)
		require.NoError(t, err)
	}
	for node := range int32(2) {
		require.NoError(t, fake.RemoveNode(node))
	}
	list := fake.Addrs()
	at.list.Store(&list)
}

// TestBrokersFuncFails: a client starts all the same, says what is wrong, asks
// again, and works once there is an answer.
func TestBrokersFuncFails(t *testing.T) {
	away := errors.New("the registry is away")
	for name, first := range map[string]func(context.Context) ([]string, error){
		"with an error":  func(context.Context) ([]string, error) { return nil, away },
		"with a panic":   func(context.Context) ([]string, error) { panic(away) },
		"never returns":  func(ctx context.Context) ([]string, error) { <-ctx.Done(); return nil, ctx.Err() },
		"without a list": func(context.Context) ([]string, error) { return nil, nil },
		"all are wrong":  func(context.Context) ([]string, error) { return []string{"kafka://a", "b:0"}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := bounded(t, patience)
			fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
			at := registered(fake.Addrs())
			var calls atomic.Int32
			seen := &events{}
			told := seen.next(is[telemetry.BootstrapFailed])
			client, err := moldau.Start(ctx, moldau.Config{Telemetry: seen, ConnectTimeout: 100 * time.Millisecond,
				BrokersFunc: func(ctx context.Context) ([]string, error) {
					if calls.Add(1) == 1 {
						return first(ctx)
					}
					return at.brokers(ctx)
				}})
			require.NoError(t, err)
			defer client.Close()
			e := receive(t, ctx, told, "what is wrong").(telemetry.BootstrapFailed)
			require.Equal(t, time.Second, e.Retry)
			require.Equal(t, name == "with a panic", e.Stack != "")
			switch name {
			case "with an error":
				require.ErrorIs(t, e.Err, away)
			case "all are wrong":
				require.ErrorContains(t, e.Err, "kafka://a")
				require.ErrorContains(t, e.Err, "b:0")
			case "never returns":
				require.ErrorIs(t, e.Err, context.DeadlineExceeded)
			}
			flow := newFlow(t, client, "orders")
			flow.produce(ctx, 10)
			require.True(t, flow.acked.await(ctx, 10))
			require.EqualValues(t, 2, calls.Load(), "brokers are known")
		})
	}
}

// TestBrokersFuncThatHangs heeds no ctx. The client starts, stops and asks no
// second time, as the first call has not returned.
func TestBrokersFuncThatHangs(t *testing.T) {
	bubble(t, nil, func(b *bubbled) {
		b.network.Partition("client", b.fake.Addrs()[0])
		seen, release := &events{}, make(chan struct{})
		defer close(release)
		var calls atomic.Int32
		client := b.start(moldau.Config{Telemetry: seen, BrokersFunc: func(context.Context) ([]string, error) {
			calls.Add(1)
			<-release
			return nil, nil
		}})
		time.Sleep(2 * time.Minute)
		require.EqualValues(t, 1, calls.Load())
		require.Greater(t, seen.count(is[telemetry.BootstrapFailed]), 3)
		before := time.Now()
		require.NoError(t, client.Close())
		require.Less(t, time.Since(before), time.Second)
	})
}
