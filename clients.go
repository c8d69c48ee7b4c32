package moldau

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
)

// OtherConfigError is a Start under the name of a client that runs in the same
// actor system with another configuration.
type OtherConfigError struct {
	Name string
	// Differ are the settings that differ. Functions cannot be compared, so
	// those that are set always do.
	Differ []string
}

// Error names the settings that differ, and what helps.
func (e *OtherConfigError) Error() string {
	return fmt.Sprintf("moldau: a client named %q runs in this actor system with another configuration (%s); stop it first, or choose another Name",
		e.Name, strings.Join(e.Differ, ", "))
}

// Running is the client of that name in an actor system, nil if there is none.
// It finds what Start has started with Config.System.
func Running(system *actor.ActorSystem, name string) *Client {
	r := runningIn(system)
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.clients[name]; e != nil && e.client != nil && e.client.handle.Stopped() == nil {
		return e.client
	}
	return nil
}

// running are the clients of an actor system that Start has started. It is a
// process in the system's registry, so it ends with the system.
type running struct {
	mu      sync.Mutex
	clients map[string]*entry
}

// entry is one client; it is not there yet while it starts.
type entry struct {
	config Config
	known  chan struct{} // closed when client is set, or starting has failed
	client *Client
}

const runningID = "moldau-clients"

func runningIn(system *actor.ActorSystem) *running {
	if p, ok := system.ProcessRegistry.GetLocal(runningID); ok {
		return p.(*running)
	}
	r := &running{clients: map[string]*entry{}}
	if _, first := system.ProcessRegistry.Add(r, runningID); first {
		return r
	}
	p, _ := system.ProcessRegistry.GetLocal(runningID)
	return p.(*running)
}

// start gives the client that runs under the configuration's name, or starts
// it. One that is stopping is waited for, until ctx ends.
func (r *running) start(ctx context.Context, config Config) (*Client, error) {
	for {
		e, mine := r.claim(config)
		if mine {
			client, err := start(ctx, config)
			r.settle(e, client)
			return client, err
		}
		select {
		case <-e.known:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		switch {
		case e.client == nil: // the other start has failed
		case e.client.handle.Stopped() != nil:
			if err := supervisor.StopContext(ctx, e.client.system, e.client.tree.Supervisor); err != nil {
				return nil, err
			}
			r.release(e)
		default:
			if differ := handle.Differences(config, e.config); len(differ) > 0 {
				return nil, &OtherConfigError{Name: e.client.Name(), Differ: differ}
			}
			return e.client, nil
		}
	}
}

// claim is the entry of a name; mine says that the caller has to start it.
func (r *running) claim(config Config) (e *entry, mine bool) {
	name := config.Name
	if name == "" {
		name = handle.DefaultName
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.clients[name]; e != nil {
		return e, false
	}
	e = &entry{config: config, known: make(chan struct{})}
	r.clients[name] = e
	return e, true
}

// settle tells those who wait for a start how it went.
func (r *running) settle(e *entry, client *Client) {
	if client == nil {
		r.release(e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.client = client
	close(e.known)
}

// release forgets a client that has ended.
func (r *running) release(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, there := range r.clients {
		if there == e {
			delete(r.clients, name)
		}
	}
}

// forget is release by a client that has stopped.
func (r *running) forget(c *Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.clients[c.Name()]; e != nil && e.client == c {
		delete(r.clients, c.Name())
	}
}

// SendUserMessage makes it a process; nobody sends to it.
func (r *running) SendUserMessage(*actor.PID, any) {}

// SendSystemMessage makes it a process; nobody sends to it.
func (r *running) SendSystemMessage(*actor.PID, any) {}

// Stop makes it a process; it ends with its system.
func (r *running) Stop(*actor.PID) {}
