package suite

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// owner is a user's actor with a client's tree below it. It reports every
// answer that it gets.
type owner struct {
	config  handle.Config
	client  chan *actors.Client
	answers chan any
}

func (o *owner) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		client, err := actors.SpawnClient(ctx, o.config)
		if err != nil {
			panic(err)
		}
		o.client <- client
	case *ask:
		ctx.Request(m.to, m.produce)
	case *protocol.ProduceAcked, *protocol.ProduceFailed:
		o.answers <- m
	case *protocol.MessageSet:
		o.answers <- m
		ctx.Send(m.Consumer, &protocol.Ack{Offset: m.Set.Last()})
	}
}

// ask makes the owner send a message, so that it gets the answers.
type ask struct {
	to      *actor.PID
	produce *protocol.Produce
}

func spawnOwner(t *testing.T, brokers string) (*actor.ActorSystem, *actor.PID, *actors.Client, chan any) {
	system := quietSystem()
	o := &owner{config: handle.Config{Name: "embedded", Brokers: brokers, Telemetry: telemetry.Discard}, client: make(chan *actors.Client, 1), answers: make(chan any, 10_000)}
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return o }))
	client := <-o.client
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, client.Started(ctx))
	return system, pid, client, o.answers
}

// Everything by messages: what is written is acked once, and read back.
func TestEmbeddedByMessages(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 2}})
	system, pid, client, answers := spawnOwner(t, fake.Addrs()[0])
	defer func() { require.NoError(t, system.Root.StopFuture(pid).Wait()) }()
	system.Root.Send(client.PID(), &protocol.Subscribe{Subscriber: pid, Topic: "orders", Partition: 1, Begin: behaviors.Earliest})
	const messages, each = 50, 20
	for ref := range messages {
		system.Root.Send(pid, &ask{client.PID(), &protocol.Produce{Ref: ref, Topic: "orders", Partition: 1, Records: make([]behaviors.Record, each)}})
	}
	acked, read := map[int]bool{}, 0
	for len(acked) < messages || read < messages*each {
		switch m := next(t, answers).(type) {
		case *protocol.ProduceAcked:
			require.False(t, acked[m.Ref.(int)], "acked twice")
			require.EqualValues(t, m.Ref.(int)*each, m.Base)
			acked[m.Ref.(int)] = true
		case *protocol.MessageSet:
			read += m.Set.Count()
		default:
			t.Fatalf("%#v", m)
		}
	}
	require.NotNil(t, client.Producer("orders", 1))
}

// The owner is killed while records flow: each is answered exactly once, and
// nothing of the tree is left.
func TestEmbeddedOwnerIsKilled(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Nodes: 1, Topics: map[string]int32{"orders": 1}})
	system, pid, client, _ := spawnOwner(t, fake.Addrs()[0])
	answers, address := make(chan any, 10_000), client.PID()
	caller := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *protocol.Produce:
			ctx.Request(address, m)
		case *protocol.ProduceAcked, *protocol.ProduceFailed, *actor.DeadLetterResponse:
			answers <- m
		}
	}))
	const messages = 1000
	for ref := range messages {
		system.Root.Send(caller, &protocol.Produce{Ref: ref, Topic: "orders", Records: make([]behaviors.Record, 10)})
		if ref == messages/2 {
			_, ok := next(t, answers).(*protocol.ProduceAcked)
			require.True(t, ok)
			system.Root.Stop(pid)
		}
	}
	require.NoError(t, system.Root.StopFuture(pid).Wait())
	seen, dead := map[any]bool{}, 0
	for len(seen)+dead < messages-1 { // one was taken above
		var ref any
		switch m := next(t, answers).(type) {
		case *protocol.ProduceAcked:
			ref = m.Ref
		case *protocol.ProduceFailed:
			require.True(t, errors.Is(m.Err, handle.ErrStopped) || wire.Retriable(m.Err), "%v", m.Err)
			ref = m.Ref
		default:
			dead++ // nobody lived there any more
			continue
		}
		require.False(t, seen[ref], "answered twice")
		seen[ref] = true
	}
	require.Empty(t, answers)
	require.Eventually(t, func() bool {
		return errors.Is(client.Handle.Stopped(), handle.ErrStopped) && client.Handle.Buffered() == 0
	}, 10*time.Second, time.Millisecond, "memory of records that are settled")
	require.Nil(t, client.PID())
}

// quietSystem is a user's actor system.
func quietSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
}

func next(t *testing.T, answers chan any) any {
	t.Helper()
	select {
	case m := <-answers:
		return m
	case <-time.After(10 * time.Second):
		t.Fatalf("no answer within 10 s")
		return nil
	}
}

// A subscriber that unsubscribes, or begins anew, is served again; a second one
// is refused; and nonsense is answered.
func TestEmbeddedSubscribeAgain(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	system, pid, client, answers := spawnOwner(t, fake.Addrs()[0])
	defer func() { require.NoError(t, system.Root.StopFuture(pid).Wait()) }()
	system.Root.Send(pid, &ask{client.PID(), &protocol.Produce{Ref: 0, Topic: "orders", Records: make([]behaviors.Record, 5)}})
	require.IsType(t, &protocol.ProduceAcked{}, next(t, answers))
	var consumer *actor.PID
	for range 3 {
		system.Root.Send(client.PID(), &protocol.Subscribe{Subscriber: pid, Topic: "orders", Begin: behaviors.Earliest})
		set := next(t, answers).(*protocol.MessageSet)
		require.Zero(t, set.Set.First())
		consumer = set.Consumer
	}
	other := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*protocol.FetchError); ok {
			answers <- m
		}
	}))
	system.Root.Send(client.PID(), &protocol.Subscribe{Subscriber: other, Topic: "orders"})
	require.ErrorIs(t, next(t, answers).(*protocol.FetchError).Err, protocol.ErrSubscribed)
	for range 3 {
		system.Root.Send(consumer, &protocol.Unsubscribe{Subscriber: pid})
		system.Root.Send(client.PID(), &protocol.Subscribe{Subscriber: pid, Topic: "orders", Begin: behaviors.Earliest})
		set := next(t, answers).(*protocol.MessageSet)
		require.Zero(t, set.Set.First())
		consumer = set.Consumer
	}
	system.Root.Send(client.PID(), &protocol.Subscribe{Subscriber: other, Topic: "orders", Partition: -1})
	require.ErrorIs(t, next(t, answers).(*protocol.FetchError).Err, wire.ErrUnknownTopic)
	system.Root.Send(pid, &ask{client.PID(), &protocol.Produce{Ref: 0, Topic: "orders", Partition: -1, Records: make([]behaviors.Record, 1)}})
	require.ErrorIs(t, next(t, answers).(*protocol.ProduceFailed).Err, wire.ErrUnknownTopic)
}
