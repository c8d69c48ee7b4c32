package supervisor

import (
	"strconv"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// lockStep has one request under way at a time between two actors, b.N times.
func lockStep(b *testing.B, props func(*actor.ActorSystem, actor.ReceiveFunc) *actor.Props) {
	system := newSystem()
	server := system.Root.Spawn(props(system, func(ctx actor.Context) {
		if msg, ok := ctx.Message().(*ping); ok {
			ctx.Respond(msg)
		}
	}))
	done := make(chan struct{})
	left := b.N
	msg := &ping{}
	b.ReportAllocs()
	b.ResetTimer()
	client := system.Root.Spawn(props(system, func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Request(server, msg)
		case *ping:
			left--
			if left <= 0 {
				close(done)
				return
			}
			ctx.Request(server, msg)
		}
	}))
	<-done
	b.StopTimer()
	system.Root.Stop(client)
	system.Root.Stop(server)
}

// BenchmarkLockStep prints protoactor's own dispatcher and mailbox beside ours:
// ours should take a quarter of the time.
func BenchmarkLockStep(b *testing.B) {
	b.Run("default", func(b *testing.B) {
		lockStep(b, func(_ *actor.ActorSystem, f actor.ReceiveFunc) *actor.Props { return actor.PropsFromFunc(f) })
	})
	b.Run("pooled", func(b *testing.B) {
		lockStep(b, func(s *actor.ActorSystem, f actor.ReceiveFunc) *actor.Props {
			return Props(s, func() actor.Actor { return f })
		})
	})
	b.Run("guarded", func(b *testing.B) {
		lockStep(b, func(s *actor.ActorSystem, f actor.ReceiveFunc) *actor.Props {
			g := newGuard(extensionOf(s), "bench", starts(f))
			return guardedProps(g, nil)
		})
	})
}

// flood sends b.N messages to one actor.
func flood(b *testing.B, props func(*actor.ActorSystem, actor.ReceiveFunc) *actor.Props) {
	system := newSystem()
	done := make(chan struct{})
	left := b.N
	msg := &ping{}
	pid := system.Root.Spawn(props(system, func(ctx actor.Context) {
		if _, ok := ctx.Message().(*ping); ok {
			left--
			if left == 0 {
				close(done)
			}
		}
	}))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		system.Root.Send(pid, msg)
	}
	<-done
	b.StopTimer()
	system.Root.Stop(pid)
}

func BenchmarkSend(b *testing.B) {
	b.Run("default", func(b *testing.B) {
		flood(b, func(_ *actor.ActorSystem, f actor.ReceiveFunc) *actor.Props { return actor.PropsFromFunc(f) })
	})
	b.Run("pooled", func(b *testing.B) {
		flood(b, func(s *actor.ActorSystem, f actor.ReceiveFunc) *actor.Props {
			return Props(s, func() actor.Actor { return f })
		})
	})
	b.Run("guarded", func(b *testing.B) {
		flood(b, func(s *actor.ActorSystem, f actor.ReceiveFunc) *actor.Props {
			return guardedProps(newGuard(extensionOf(s), "bench", starts(f)), nil)
		})
	})
}

// BenchmarkDynamicChildren starts, finds and terminates one child of 10,000.
func BenchmarkDynamicChildren(b *testing.B) {
	system := newSystem()
	root, err := Spawn(system.Root, "root", Spec{})
	if err != nil {
		b.Fatal(err)
	}
	idle := ChildSpec{Start: noop}
	do := func(msg any) {
		if _, err := Call(b.Context(), system, root, msg); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 10_000 {
		idle.ID = strconv.Itoa(i)
		do(&StartChild{Spec: idle})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		idle.ID = "one more"
		do(&StartChild{Spec: idle})
		do(&FindChild{ID: idle.ID})
		do(&TerminateChild{ID: idle.ID})
		do(&DeleteChild{ID: idle.ID})
	}
	b.StopTimer()
	if err := Stop(system, root, time.Minute); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCrash is a crash, the restart, and the new incarnation's answer.
func BenchmarkCrash(b *testing.B) {
	system := newSystem()
	up := make(chan struct{}, 1)
	root, err := Spawn(system.Root, "root", Spec{MaxRestarts: 1 << 30, Within: time.Nanosecond, Children: []ChildSpec{{
		ID: "a", Name: "a", Start: starts(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				up <- struct{}{}
			case boom:
				panic("boom")
			}
		}).forChild(),
	}}})
	if err != nil {
		b.Fatal(err)
	}
	<-up
	a := Whereis(system, "a")
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		system.Root.Send(a, boom{})
		<-up
	}
	b.StopTimer()
	if err := Stop(system, root, time.Minute); err != nil {
		b.Fatal(err)
	}
}
