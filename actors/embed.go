package actors

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
)

// Embedded is a client whose tree is a child of a supervisor of the user's.
// All methods are safe for concurrent use.
type Embedded struct {
	config handle.Config

	mu     sync.Mutex
	handle *handle.Handle
	owner  *actor.PID // the supervisor that has the handle; nil: none yet
	watch  *actor.PID // of the owner
	starts int        // of the tree, by any owner
	client *Client
}

// Embed checks a configuration and makes a client to be put below a supervisor
// of the user's own, with Spec. Nothing is started. The error is a
// *handle.ConfigError.
func Embed(config handle.Config) (*Embedded, error) {
	h, err := handle.New(config)
	if err != nil {
		return nil, err
	}
	return &Embedded{config: config, handle: h}, nil
}

// ErrEmbeddedTwice is the failed start of a child spec that another living
// supervisor has already.
var ErrEmbeddedTwice = errors.New("moldau: the client is below another supervisor")

// Spec is the whole client as a child spec, of the id "client:<name>". It may be
// among a supervisor's first children or come by supervisor.StartChild, and its
// ID, Restart and Shutdown may be changed before.
//
// What outlives a crash (accepted records, ack floors, subscriptions) belongs
// to the supervisor that the spec is given to. It survives every restart of the
// tree, whoever is to blame, also one that is delayed, and TerminateChild with
// RestartChild. It ends when that supervisor ends, is killed or gives up, and
// when the supervisor forgets the child, by DeleteChild or as its restart type
// says: records that are not settled fail with handle.ErrStopped. Under
// another supervisor, as when the first one is restarted by its own, the same
// spec is a new client; under two at a time a start fails with ErrEmbeddedTwice.
//
// The restart type is permanent with a delay of 10 s: the client never makes
// the supervisor give up.
func (e *Embedded) Spec() supervisor.ChildSpec {
	return supervisor.Nested(clientID(e.handle), supervisor.Permanent.After(clientDelay), func(ctx actor.Context) (supervisor.Spec, error) {
		h, err := e.attach(ctx)
		if err != nil {
			return supervisor.Spec{}, err
		}
		return clientTree(h), nil
	})
}

// Client is the client as the present supervisor has it, nil before the first
// start. Its Supervisor is the present incarnation of the tree, another after
// a restart. After the end of the supervisor it is a client that has ended.
func (e *Embedded) Client() *Client {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.client
}

// attach gives an incarnation of the tree the handle of its supervisor.
func (e *Embedded) attach(ctx actor.Context) (*handle.Handle, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	system := ctx.ActorSystem()
	if e.owner != nil && (!e.owner.Equal(ctx.Parent()) || e.handle.Stopped() != nil) {
		if lives(system, e.owner) && e.handle.Stopped() == nil {
			return nil, fmt.Errorf("%w: %s", ErrEmbeddedTwice, e.owner.Id)
		}
		if err := e.renew(); err != nil {
			return nil, err
		}
	}
	id := childID(ctx)
	if e.owner == nil {
		e.owner = ctx.Parent()
		watch := &ownerWatch{client: e, handle: e.handle, owner: e.owner, id: id}
		e.watch = system.Root.Spawn(supervisor.Props(system, func() actor.Actor { return watch }))
	}
	e.client = &Client{Handle: e.handle, Supervisor: ctx.Self(), system: system}
	e.starts++
	system.Root.Send(e.watch, &treeStarts{ctx.Self(), e.starts})
	return e.handle, nil
}

// forgotten ends the handle of an owner that knows nothing of a tree any more,
// and says whether it did: not if it has started another since.
func (e *Embedded) forgotten(h *handle.Handle, start int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.handle == h && e.starts != start {
		return false
	}
	h.Stop(handle.ErrStopped)
	return true
}

// renew makes the handle for another supervisor; the last one's ends.
func (e *Embedded) renew() error {
	h, err := handle.New(e.config)
	if err != nil {
		return err
	}
	e.handle.Stop(handle.ErrStopped)
	e.handle, e.owner, e.watch = h, nil, nil
	return nil
}

func lives(system *actor.ActorSystem, pid *actor.PID) bool {
	_, alive := system.ProcessRegistry.Get(pid)
	return alive
}

// childID is the id by which its supervisor knows an incarnation: the last part
// of its PID, less the number that tells incarnations apart.
func childID(ctx actor.Context) string {
	id := strings.TrimPrefix(ctx.Self().Id, ctx.Parent().Id+"/")
	if end := strings.LastIndexByte(id, '$'); end >= 0 {
		id = id[:end]
	}
	return id
}
