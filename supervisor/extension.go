package supervisor

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// extension is what this package keeps for an actor system: the pool of
// goroutines and the living guards. It is a process in the system's registry,
// which is the one place that several goroutines may add to at once, so it
// needs no package-level state and ends with the system.
type extension struct {
	system *actor.ActorSystem
	pool   *pool
	guards sync.Map // PID.Id -> *guard, of those that live

	mu    sync.Mutex
	molds []*mold // that are free
}

const extensionID = "moldau-supervision"

// extensionOf gives the system's extension, making it at first use.
func extensionOf(system *actor.ActorSystem) *extension {
	if p, ok := system.ProcessRegistry.GetLocal(extensionID); ok {
		return p.(*extension)
	}
	ext := &extension{system: system, pool: newPool(system.IsStopped)}
	if _, first := system.ProcessRegistry.Add(ext, extensionID); first {
		return ext
	}
	p, _ := system.ProcessRegistry.GetLocal(extensionID)
	return p.(*extension)
}

func (e *extension) guardOf(pid *actor.PID) *guard {
	if pid == nil {
		return nil
	}
	g, _ := e.guards.Load(pid.Id)
	found, _ := g.(*guard)
	return found
}

// deadLetter hands a message that nobody will handle to the dead letters, so
// that a request in it fails at once. Subscribers may panic; that is not the
// sender's fault.
func (e *extension) deadLetter(to *actor.PID, msg any) {
	defer func() { _ = recover() }()
	e.system.DeadLetter.SendUserMessage(to, msg)
}

// sendSystem sends to a living process and is silent about a dead one.
func (e *extension) sendSystem(to *actor.PID, msg any) bool {
	p, alive := e.system.ProcessRegistry.Get(to)
	if alive {
		p.SendSystemMessage(to, msg)
	}
	return alive
}

// SendUserMessage makes the extension a process; nobody sends to it.
func (e *extension) SendUserMessage(pid *actor.PID, msg any) { e.deadLetter(pid, msg) }

// SendSystemMessage makes the extension a process; nobody sends to it.
func (e *extension) SendSystemMessage(*actor.PID, any) {}

// Stop makes the extension a process; it ends with its system.
func (e *extension) Stop(*actor.PID) {}
