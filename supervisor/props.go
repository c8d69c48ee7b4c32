package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"
)

// Props are props with this package's pooled dispatcher and mailbox, for actors
// that are spawned outside of a supervisor. Lock-step requests take about a
// quarter of the time that they take with protoactor's own. What becomes of a
// failure is up to protoactor, as ever; a runtime.Goexit counts as one. opts are
// applied last.
func Props(system *actor.ActorSystem, produce actor.Producer, opts ...actor.PropsOption) *actor.Props {
	ext := extensionOf(system)
	own := []actor.PropsOption{
		actor.WithDispatcher(ext.pool),
		actor.WithMailbox(func() actor.Mailbox { return newMailbox(ext, nil) }),
	}
	return actor.PropsFromProducer(produce, append(own, opts...)...)
}

// guardedProps are the props of a guard. The user's options come between: the
// dispatcher is his to set, mailbox and producer are not, and a guardian
// would panic.
func guardedProps(g *guard, user []actor.PropsOption) *actor.Props {
	opts := []actor.PropsOption{actor.WithDispatcher(g.ext.pool)}
	if len(user) > 0 {
		g.outer = true
		opts = append(opts, actor.WithReceiverMiddleware(g.middleware))
	}
	opts = append(opts, user...)
	opts = append(opts,
		actor.WithGuardian(nil),
		actor.WithMailbox(func() actor.Mailbox { return newMailbox(g.ext, g) }),
	)
	opts = append(opts, actor.WithProducer(func() actor.Actor { return g }))
	return actor.PropsFromProducer(func() actor.Actor { return g }, opts...)
}

// mold is props for one guard after another: protoactor wants its producer and
// mailbox from the props, and keeps these as long as the actor lives. Nothing but
// a spawn asks them for either; a guard lets no restart in place through.
type mold struct {
	props *actor.Props
	guard *guard // being spawned
}

// takeMold gives props for the spawn of a guard without options of the user.
func (e *extension) takeMold(g *guard) *mold {
	m := e.freeMold()
	m.guard = g
	return m
}

func (e *extension) freeMold() *mold {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.molds); n > 0 {
		m := e.molds[n-1]
		e.molds = e.molds[:n-1]
		return m
	}
	m := &mold{}
	m.props = actor.PropsFromProducer(
		func() actor.Actor { return m.guard },
		actor.WithDispatcher(e.pool),
		actor.WithMailbox(func() actor.Mailbox { return newMailbox(e, m.guard) }),
	)
	return m
}

// giveMold takes them back when the spawn is over.
func (e *extension) giveMold(m *mold) {
	m.guard = nil
	e.mu.Lock()
	defer e.mu.Unlock()
	e.molds = append(e.molds, m)
}
