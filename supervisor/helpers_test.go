package supervisor

import (
	"context"
	"runtime"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

func splitWords(s string) []string { return strings.Fields(s) }

func noActor(context.Context, any) (actor.Actor, error) { return nil, nil }

func goexitInit(actor.Context) (Spec, error) { runtime.Goexit(); return Spec{}, nil }

// starts makes a guard's start of a function.
func starts(f actor.ReceiveFunc) startFunc {
	return func(context.Context) (actor.Actor, error) { return f, nil }
}

type startFunc func(context.Context) (actor.Actor, error)

func (s startFunc) forChild() func(context.Context, any) (actor.Actor, error) {
	return func(life context.Context, _ any) (actor.Actor, error) { return s(life) }
}

func noop(context.Context, any) (actor.Actor, error) {
	return actor.ReceiveFunc(func(actor.Context) {}), nil
}
