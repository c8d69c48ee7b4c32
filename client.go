package moldau

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/telemetry"
)

// Client is a running client. All methods are safe for concurrent use.
type Client struct {
	tree   *actors.Client
	handle *handle.Handle
	system *actor.ActorSystem
	own    bool // the system is ours

	stopOnce sync.Once
	stopped  chan struct{} // closed when the first Stop is done
}

// Start checks the configuration and starts a client. It comes up whether or
// not a broker can be reached: connecting goes on in the background. ctx bounds
// Start alone.
//
// With Config.System, any number of clients live in one actor system under
// names of their own. Where one of the same name and configuration runs there
// already, Start returns that one, and a Stop ends it for all who have it.
//
// The error is a *ConfigError, an *OtherConfigError, or ctx's.
func Start(ctx context.Context, config Config) (*Client, error) {
	if config.System != nil {
		return runningIn(config.System).start(ctx, config)
	}
	return start(ctx, config)
}

func start(ctx context.Context, config Config) (*Client, error) {
	c := &Client{system: config.System, own: config.System == nil, stopped: make(chan struct{})}
	if c.own {
		to := config.Telemetry
		if to == nil {
			to = telemetry.Default()
		}
		c.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(telemetry.LogHandler(to, slog.LevelWarn))
		}))
	}
	tree, err := actors.SpawnClient(c.system.Root, config)
	if err != nil {
		c.end()
		return nil, err
	}
	c.tree, c.handle = tree, tree.Handle
	if err := tree.Started(ctx); err != nil {
		_ = supervisor.Stop(c.system, tree.Supervisor, closeLimit)
		c.end()
		return nil, err
	}
	return c, nil
}

func (c *Client) end() {
	if c.own {
		c.system.Shutdown()
	} else if c.handle != nil {
		runningIn(c.system).forget(c)
	}
}

// Name is the client's name.
func (c *Client) Name() string { return c.handle.Name() }

// System is the actor system that the client lives in.
func (c *Client) System() *actor.ActorSystem { return c.system }

// Supervisor is the address of the client's system supervisor.
func (c *Client) Supervisor() *actor.PID { return c.tree.Supervisor }

// PID is the client's address for messages of package protocol.
func (c *Client) PID() *actor.PID { return c.tree.PID() }

// Buffered is the memory, in bytes, of records that are accepted and not
// settled.
func (c *Client) Buffered() int { return c.handle.Buffered() }

// Tree is the supervision tree as it is now: states, restarts, mailboxes, and
// what each actor tells of itself.
func (c *Client) Tree(ctx context.Context) (*supervisor.Node, error) {
	return supervisor.Snapshot(ctx, c.system, c.tree.Supervisor)
}

// closeLimit bounds Close.
const closeLimit = 30 * time.Second

// Stop ends the client in order: subscriptions end, and handlers that run may
// finish; what was produced is sent and settled; then the tree stops. ctx
// bounds draining. What is not settled when it ends fails with ErrStopped, and
// Stop returns ctx's error.
func (c *Client) Stop(ctx context.Context) error {
	first := false
	c.stopOnce.Do(func() { first = true })
	if !first {
		select {
		case <-c.stopped:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer close(c.stopped)
	defer c.end()
	var errs []error
	if c.handle.Stopped() == nil {
		errs = append(errs, c.drain(ctx))
	}
	c.handle.Stop(ErrStopped)
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	errs = append(errs, supervisor.StopContext(rest, c.system, c.tree.Supervisor))
	return errors.Join(errs...)
}

// drain ends the subscriptions and waits for what was produced.
func (c *Client) drain(ctx context.Context) error {
	var errs []error
	for _, sub := range c.handle.Subscriptions() {
		errs = append(errs, actors.StopSubscription(ctx, c.system, c.handle, sub))
	}
	for _, topic := range c.handle.Topics() {
		errs = append(errs, topic.Flush(ctx))
	}
	return errors.Join(errs...)
}

// Close is Stop within 30 seconds.
func (c *Client) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	return c.Stop(ctx)
}
