package moldau_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/telemetry"
)

// away is a client of a cluster that is not there, which is all that names need.
func away(system *actor.ActorSystem, name string) moldau.Config {
	return moldau.Config{Name: name, Brokers: "127.0.0.1:1", Telemetry: discard, System: system}
}

// discard is one handler, so that configurations with it are the same.
var discard = &silent{}

type silent struct{}

func (*silent) Handle(telemetry.Event) {}

func newSystem(t *testing.T) *actor.ActorSystem {
	system := actor.NewActorSystem()
	t.Cleanup(system.Shutdown)
	return system
}

func start(t *testing.T, config moldau.Config) *moldau.Client {
	t.Helper()
	client, err := moldau.Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func TestTheSameClientTwiceIsOne(t *testing.T) {
	system := newSystem(t)
	first := start(t, away(system, "orders"))
	same := away(system, "orders")
	same.ClientID, same.RequestTimeout = "orders", 30*time.Second // the defaults, written out
	require.Same(t, first, start(t, same))
	require.NotSame(t, first, start(t, away(system, "audit")))
	require.Same(t, first, moldau.Running(system, "orders"))
	require.Nil(t, moldau.Running(system, "nobody"))
	require.NotSame(t, first, start(t, away(nil, "orders")), "a system of its own")
}

func TestAnotherConfigurationUnderTheNameIsRefused(t *testing.T) {
	system := newSystem(t)
	first := start(t, away(system, "orders"))
	other := away(system, "orders")
	other.Brokers, other.Produce.Linger = "127.0.0.1:2", moldau.NoLinger
	_, err := moldau.Start(t.Context(), other)
	var taken *moldau.OtherConfigError
	require.ErrorAs(t, err, &taken)
	require.Equal(t, &moldau.OtherConfigError{Name: "orders", Differ: []string{"Brokers", "Produce.Linger"}}, taken)
	require.ErrorContains(t, err, "Produce.Linger")

	require.NoError(t, first.Close())
	require.Nil(t, moldau.Running(system, "orders"))
	require.NotSame(t, first, start(t, other), "the name is free again")
}

func TestManyStartsAtOnceMakeOneClient(t *testing.T) {
	system := newSystem(t)
	clients := make([]*moldau.Client, 20)
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() { clients[i], _ = moldau.Start(t.Context(), away(system, "")) })
	}
	wait.Wait()
	for _, client := range clients {
		require.NotNil(t, client)
		require.Same(t, clients[0], client)
	}
	require.NoError(t, clients[0].Close())
}

func TestAStartThatFailsLeavesTheNameFree(t *testing.T) {
	system := newSystem(t)
	wrong := away(system, "orders")
	wrong.Brokers = ""
	_, err := moldau.Start(t.Context(), wrong)
	require.ErrorAs(t, err, new(*moldau.ConfigError))
	start(t, away(system, "orders"))
}

func TestAClientWhoseTreeWasStoppedIsReplaced(t *testing.T) {
	system := newSystem(t)
	first := start(t, away(system, "orders"))
	require.NoError(t, system.Root.StopFuture(first.Supervisor()).Wait())
	require.NotSame(t, first, start(t, away(system, "orders")))
}

// TestDirectCallsEndWithTheirReason: no broker is there, so each call ends at its deadline and says why.
func TestDirectCallsEndWithTheirReason(t *testing.T) {
	client := start(t, away(nil, "orders"))
	for name, call := range map[string]func(context.Context) error{
		"Metadata":       func(ctx context.Context) error { _, err := client.Metadata(ctx); return err },
		"PartitionCount": func(ctx context.Context) error { _, err := client.PartitionCount(ctx, "t"); return err },
		"Offset":         func(ctx context.Context) error { _, err := client.Offset(ctx, "t", 0, moldau.Latest); return err },
		"Fetch": func(ctx context.Context) error {
			_, _, err := client.Fetch(ctx, "t", 0, 0, moldau.FetchOptions{})
			return err
		},
		"CreateTopic": func(ctx context.Context) error { return client.CreateTopic(ctx, "t", 1, 1) },
		"DeleteTopic": func(ctx context.Context) error { return client.DeleteTopic(ctx, "t") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits for its whole time, which leaves a busy machine some to be refused in
			reason := errors.New("enough of " + name)
			ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, reason)
			defer cancel()
			err := call(ctx)
			require.ErrorIs(t, err, reason)
			require.ErrorAs(t, err, new(*moldau.GaveUpError))
			require.ErrorContains(t, err, "refused")
			require.ErrorContains(t, err, "127.0.0.1:1")
		})
	}
}

func TestCallTimeoutBoundsACallWithoutDeadline(t *testing.T) {
	config := away(nil, "orders")
	config.CallTimeout = 100 * time.Millisecond
	_, err := start(t, config).Metadata(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "CallTimeout")
}

func TestDirectCallsAfterStop(t *testing.T) {
	client := start(t, away(nil, "orders"))
	require.NoError(t, client.Close())
	_, err := client.Metadata(t.Context())
	require.ErrorIs(t, err, moldau.ErrStopped)
	_, _, err = client.Fetch(t.Context(), "t", 0, 0, moldau.FetchOptions{})
	require.ErrorIs(t, err, moldau.ErrStopped)
	_, err = client.Offset(t.Context(), "t", 0, moldau.Earliest)
	require.ErrorIs(t, err, moldau.ErrStopped)
}
