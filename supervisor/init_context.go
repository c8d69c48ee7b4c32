package supervisor

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// initContext is the context that an init gets: it runs beside the actor, not
// in its turn, so it is a copy of what lasts, and what would touch the actor is
// not there (calling it panics).
type initContext struct {
	actor.Context // nil
	system        *actor.ActorSystem
	self, parent  *actor.PID
	life          context.Context
}

func newInitContext(ctx actor.Context, life context.Context) *initContext {
	return &initContext{system: ctx.ActorSystem(), self: ctx.Self(), parent: ctx.Parent(), life: life}
}

func (c *initContext) Self() *actor.PID                { return c.self }
func (c *initContext) Parent() *actor.PID              { return c.parent }
func (c *initContext) Actor() actor.Actor              { return nil }
func (c *initContext) ActorSystem() *actor.ActorSystem { return c.system }
func (c *initContext) Logger() *slog.Logger            { return c.system.Logger() }
func (c *initContext) Message() any                    { return nil }
func (c *initContext) Sender() *actor.PID              { return nil }

func (c *initContext) Send(pid *actor.PID, msg any) { c.system.Root.Send(pid, msg) }

func (c *initContext) Request(pid *actor.PID, msg any) {
	c.system.Root.RequestWithCustomSender(pid, msg, c.self)
}

func (c *initContext) RequestWithCustomSender(pid *actor.PID, msg any, sender *actor.PID) {
	c.system.Root.RequestWithCustomSender(pid, msg, sender)
}

func (c *initContext) RequestFuture(pid *actor.PID, msg any, timeout time.Duration) *actor.Future {
	return c.system.Root.RequestFuture(pid, msg, timeout)
}
