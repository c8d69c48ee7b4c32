package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
)

// Client is a client's tree in somebody's actor system, as seen from outside of
// it. All methods are safe for concurrent use.
type Client struct {
	// Handle is what outlives the tree's actors.
	Handle *handle.Handle
	// Supervisor is the system supervisor, a child of the spawner. Stopping it
	// stops the tree in order; so does the end of the spawner. Of an Embedded
	// client it is the tree below the user's supervisor.
	Supervisor *actor.PID

	system *actor.ActorSystem
}

// SpawnClient starts a client's tree below an actor of the user's own, or below
// an actor system's root. It returns at once: the tree comes up by itself,
// whether or not a broker can be reached. When the tree ends, with its owner or
// by Stop, records that are not settled fail with handle.ErrStopped.
//
// The error is a *handle.ConfigError, or that of a name that is taken.
func SpawnClient(spawner actor.SpawnerContext, config handle.Config) (*Client, error) {
	h, err := handle.New(config)
	if err != nil {
		return nil, err
	}
	root, err := supervisor.Spawn(spawner, rootName(h), supervisor.Spec{Children: []supervisor.ChildSpec{keeperSpec(h), clientSpec(h)}})
	if err != nil {
		h.Stop(handle.ErrStopped)
		return nil, err
	}
	return &Client{Handle: h, Supervisor: root, system: spawner.ActorSystem()}, nil
}

// PID is the client's address for messages of package protocol. It is stable
// over restarts; nil while the tree comes up and after its end.
func (c *Client) PID() *actor.PID { return supervisor.Whereis(c.system, clientActorName(c.Handle)) }

// Producer is the present address of a partition's producer, nil if there is
// none now.
func (c *Client) Producer(topic string, partition int32) *actor.PID {
	t := c.Handle.Produced(topic)
	if t == nil {
		return nil
	}
	if slot := t.Slot(partition); slot != nil {
		return slot.Producer()
	}
	return nil
}

// Started waits until the tree is up for the first time.
func (c *Client) Started(ctx context.Context) error {
	return supervisor.WaitStarted(ctx, c.system, c.Supervisor)
}

// rootName names the system supervisor of a client.
func rootName(h *handle.Handle) string { return "moldau:" + h.Name() }
