package suite

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// backend is a user's supervisor, below an actor of the user's, with a client
// behind a worker: under rest_for_one the worker's failures restart the client.
type backend struct {
	t        *testing.T
	system   *actor.ActorSystem
	owner    *actor.PID // stopping it ends the supervisor
	root     *actor.PID // the supervisor
	embedded *actors.Embedded
	seen     *events
	accepted chan any
	answers  chan any
	asker    *actor.PID // sends Produce messages on, and reports what comes back
}

func startBackend(t *testing.T, brokers string) *backend {
	b := &backend{t: t, system: quietSystem(), seen: &events{}, accepted: make(chan any, 20_000), answers: make(chan any, 20_000)}
	var err error
	b.embedded, err = actors.Embed(handle.Config{Name: "embedded", Brokers: brokers, Telemetry: b.seen})
	require.NoError(t, err)
	b.spawn()
	b.asker = b.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *ask:
			ctx.Request(m.to, m.produce)
		case *protocol.ProduceBuffered:
			b.accepted <- m
		case *protocol.ProduceAcked, *protocol.ProduceFailed, *actor.DeadLetterResponse:
			b.answers <- m
		}
	}))
	return b
}

// spawn spawns the owner, which spawns the supervisor.
func (b *backend) spawn() {
	b.t.Helper()
	spawned := make(chan *actor.PID, 1)
	b.owner = b.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			root, err := supervisor.Spawn(ctx, "backend", supervisor.Spec{Strategy: supervisor.RestForOne, Children: []supervisor.ChildSpec{
				{ID: "ledger", Name: "ledger", Start: func(context.Context, any) (actor.Actor, error) { return actor.ReceiveFunc(func(actor.Context) {}), nil }},
				b.embedded.Spec(),
			}})
			require.NoError(b.t, err)
			spawned <- root
		}
	}))
	b.root = <-spawned
	require.NoError(b.t, supervisor.WaitStarted(bounded(b.t, patience), b.system, b.root))
}

// stop stops the owner, and with it everything.
func (b *backend) stop() { require.NoError(b.t, b.system.Root.StopFuture(b.owner).Wait()) }

func (b *backend) call(msg any) {
	b.t.Helper()
	_, err := supervisor.Call(bounded(b.t, patience), b.system, b.root, msg)
	require.NoError(b.t, err)
}

// crash makes the worker before the client fail, and waits until the tree has
// another incarnation.
func (b *backend) crash() {
	b.t.Helper()
	before := b.embedded.Client().Supervisor
	b.system.Root.Send(supervisor.Whereis(b.system, "ledger"), &bug{func() { panic("planted in ledger") }})
	require.Eventually(b.t, func() bool { return !b.embedded.Client().Supervisor.Equal(before) }, patience, time.Millisecond)
	require.NoError(b.t, b.embedded.Client().Started(bounded(b.t, patience)))
}

func (b *backend) produce(ref int) {
	b.system.Root.Send(b.asker, &ask{b.embedded.Client().PID(), &protocol.Produce{Ref: ref, Topic: "orders", Records: make([]behaviors.Record, 10)}})
}

func (b *backend) requireStopped(h *handle.Handle) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return errors.Is(h.Stopped(), handle.ErrStopped) && h.Buffered() == 0 }, patience, time.Millisecond)
}

// The user's supervisor restarts the client's tree for a failure that is none
// of its business, while records are on their way: they are acked all the same,
// each once.
func TestEmbeddedTreeIsRestarted(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Proxies: true, Topics: map[string]int32{"orders": 1}})
	b := startBackend(t, fake.Addrs()[0])
	defer b.stop()
	b.produce(0)
	require.IsType(t, &protocol.ProduceAcked{}, next(t, b.answers))
	h := b.embedded.Client().Handle
	fake.Proxy(0).Set(kafkatest.Faults{Down: kafkatest.Flow{Hold: true}})
	const messages = 100
	for ref := 1; ref <= messages; ref++ {
		b.produce(ref)
	}
	for range messages + 1 {
		next(t, b.accepted)
	}
	restarted := b.seen.next(func(e telemetry.Event) bool {
		c, ok := e.(telemetry.ActorChanged)
		return ok && c.Child == "client:embedded" && c.State == "running"
	})
	b.crash()
	receive(t, bounded(t, patience), restarted, "telemetry is told of what the user's supervisor does to the tree")
	fake.Proxy(0).Reset()
	fake.Proxy(0).Set(kafkatest.Faults{})
	acked := map[any]bool{}
	for range messages {
		m := next(t, b.answers).(*protocol.ProduceAcked)
		require.False(t, acked[m.Ref], "acked twice")
		acked[m.Ref] = true
	}
	require.Same(t, h, b.embedded.Client().Handle)
	require.NoError(t, h.Stopped())
}

// The actor above the user's supervisor is killed while records flow: each is
// answered once, and nothing of the client is left.
func TestEmbeddedBelowASupervisorThatIsKilled(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	b := startBackend(t, fake.Addrs()[0])
	b.stop()
	before := present()
	b.spawn()
	client := b.embedded.Client()
	address := client.PID()
	const messages = 1000
	for ref := range messages {
		b.system.Root.Send(b.asker, &ask{address, &protocol.Produce{Ref: ref, Topic: "orders", Records: make([]behaviors.Record, 10)}})
		if ref == messages/2 {
			require.IsType(t, &protocol.ProduceAcked{}, next(t, b.answers))
			b.system.Root.Stop(b.owner)
		}
	}
	seen, dead := map[any]bool{}, 0
	for len(seen)+dead < messages-1 { // one was taken above
		var ref any
		switch m := next(t, b.answers).(type) {
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
	b.requireStopped(client.Handle)
	require.Empty(t, b.answers)
	require.Nil(t, client.PID())
	requireNoGoroutine(t, before)
}

// A child that is terminated may be restarted, and has lost nothing. One that
// is deleted has ended; put in anew, it is a new client.
func TestEmbeddedIsTerminatedAndDeleted(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	b := startBackend(t, fake.Addrs()[0])
	defer b.stop()
	id, h := b.embedded.Spec().ID, b.embedded.Client().Handle
	b.produce(0)
	require.IsType(t, &protocol.ProduceAcked{}, next(t, b.answers))
	b.call(&supervisor.TerminateChild{ID: id})
	require.NoError(t, h.Stopped())
	b.call(&supervisor.RestartChild{ID: id})
	b.produce(1)
	require.IsType(t, &protocol.ProduceAcked{}, next(t, b.answers))
	require.Same(t, h, b.embedded.Client().Handle)
	b.call(&supervisor.TerminateChild{ID: id})
	b.call(&supervisor.DeleteChild{ID: id})
	b.requireStopped(h)
	b.call(&supervisor.StartChild{Spec: b.embedded.Spec()})
	b.produce(2)
	require.IsType(t, &protocol.ProduceAcked{}, next(t, b.answers))
	require.NotSame(t, h, b.embedded.Client().Handle)
}

// A supervisor that gives up ends the client. Another one that is given the
// same spec has a new client; two at a time cannot have it.
func TestEmbeddedBelowASupervisorThatGivesUp(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	b := startBackend(t, fake.Addrs()[0])
	h := b.embedded.Client().Handle
	for range supervisor.DefaultMaxRestarts {
		b.crash()
	}
	require.NoError(t, h.Stopped())
	b.system.Root.Send(supervisor.Whereis(b.system, "ledger"), &bug{func() { panic("once too often") }})
	b.requireStopped(h)
	b.stop()
	b.spawn()
	defer b.stop()
	b.produce(1)
	require.IsType(t, &protocol.ProduceAcked{}, next(t, b.answers))
	again := b.embedded.Client().Handle
	require.NotSame(t, h, again)

	second, err := supervisor.Spawn(b.system.Root, "second", supervisor.Spec{})
	require.NoError(t, err)
	spec := b.embedded.Spec()
	spec.Restart = supervisor.Temporary
	_, err = supervisor.Call(bounded(t, patience), b.system, second, &supervisor.StartChild{Spec: spec})
	require.ErrorIs(t, err, actors.ErrEmbeddedTwice)
	require.NoError(t, supervisor.Stop(b.system, second, patience))
	require.NoError(t, again.Stopped())
	require.Same(t, again, b.embedded.Client().Handle)
}

// A temporary child that its supervisor has stopped for good has ended too, and
// its spec may have an id of the user's choice.
func TestEmbeddedAsATemporaryChild(t *testing.T) {
	fake := kafkatest.NewFake(t, kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	b := startBackend(t, fake.Addrs()[0])
	b.stop()
	root, err := supervisor.Spawn(b.system.Root, "backend", supervisor.Spec{})
	require.NoError(t, err)
	spec := b.embedded.Spec()
	spec.ID, spec.Restart = "bus/1", supervisor.Temporary
	_, err = supervisor.Call(bounded(t, patience), b.system, root, &supervisor.StartChild{Spec: spec})
	require.NoError(t, err)
	client := b.embedded.Client()
	require.NoError(t, client.Handle.Stopped())
	require.NoError(t, supervisor.Stop(b.system, client.Supervisor, patience))
	b.requireStopped(client.Handle)
	require.NoError(t, supervisor.Stop(b.system, root, patience))
}

func TestEmbedNamesEveryMistake(t *testing.T) {
	_, err := actors.Embed(handle.Config{Name: "a b"})
	var wrong *handle.ConfigError
	require.ErrorAs(t, err, &wrong)
	require.Len(t, wrong.Mistakes, 2)
}
