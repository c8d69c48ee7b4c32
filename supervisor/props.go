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
