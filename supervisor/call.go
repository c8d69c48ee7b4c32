package supervisor

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"
)

// Call sends msg to pid and waits for the answer, for goroutines; it must not
// be called in an actor's turn. It ends with ctx, with ErrNoProcess if there is
// no such actor or it ended before it looked at msg, and with ErrNoReply if it
// ended without an answer. A *Refused comes as the error.
// Safe for concurrent use.
func Call(ctx context.Context, system *actor.ActorSystem, pid *actor.PID, msg any) (any, error) {
	ext := extensionOf(system)
	target := Living(system, pid)
	if target == nil {
		return nil, ErrNoProcess
	}
	c := newCaller(ext)
	defer c.close()
	if !ext.sendSystem(target, &actor.Watch{Watcher: c.self}) {
		return nil, ErrNoProcess
	}
	defer ext.sendSystem(target, &actor.Unwatch{Watcher: c.self})
	system.Root.RequestWithCustomSender(target, msg, c.self)
	select {
	case answer := <-c.answer:
		return verdict(answer)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func verdict(answer any) (any, error) {
	switch a := answer.(type) {
	case *actor.DeadLetterResponse:
		return nil, ErrNoProcess
	case *actor.Terminated:
		return nil, ErrNoReply
	case *Refused:
		return nil, a
	}
	return answer, nil
}

// WaitStarted waits until the supervisor's children are up for the first time.
// It ends with ctx; if the first start fails, with the supervisor's exit reason
// if that is known, else with ErrShutdown or ErrNoProcess.
func WaitStarted(ctx context.Context, system *actor.ActorSystem, pid *actor.PID) error {
	_, err := Call(ctx, system, pid, &AwaitStarted{})
	return err
}

// caller is a process that takes one answer. The first counts; others are
// dropped, and so is what comes late.
type caller struct {
	ext    *extension
	self   *actor.PID
	answer chan any
}

func newCaller(ext *extension) *caller {
	c := &caller{ext: ext, answer: make(chan any, 1)}
	c.self, _ = ext.system.ProcessRegistry.Add(c, "call"+ext.system.ProcessRegistry.NextId())
	return c
}

func (c *caller) close() { c.ext.system.ProcessRegistry.Remove(c.self) }

func (c *caller) take(msg any) {
	select {
	case c.answer <- msg:
	default:
	}
}

// SendUserMessage takes the answer.
func (c *caller) SendUserMessage(_ *actor.PID, msg any) {
	_, inner, _ := actor.UnwrapEnvelope(msg)
	c.take(inner)
}

// SendSystemMessage takes the end of the actor that was asked.
func (c *caller) SendSystemMessage(_ *actor.PID, msg any) {
	if t, ok := msg.(*actor.Terminated); ok {
		c.take(t)
	}
}

// Stop makes the caller a process; it ends with its call.
func (c *caller) Stop(*actor.PID) {}
