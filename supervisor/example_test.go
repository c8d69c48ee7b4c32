package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/supervisor"
)

// counter counts, and panics when it is told to.
type counter struct{ n int }

func (c *counter) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case int:
		c.n += msg
		ctx.Respond(c.n)
	case error:
		panic(msg)
	}
}

func startCounter(context.Context, any) (actor.Actor, error) { return &counter{}, nil }

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
}

// A supervised actor with a stable name: it fails, a new one takes its place,
// and whoever holds the name's PID goes on.
func Example() {
	ctx, system := context.Background(), newSystem()
	root, err := supervisor.Spawn(system.Root, "root", supervisor.Spec{
		Children: []supervisor.ChildSpec{{ID: "counter", Name: "counter", Start: startCounter}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := supervisor.WaitStarted(ctx, system, root); err != nil {
		fmt.Println(err)
		return
	}
	up := make(chan struct{}, 1)
	system.EventStream.Subscribe(func(ev any) {
		if e, ok := ev.(*supervisor.Event); ok {
			fmt.Println(e.ID, e.State)
			if e.State == supervisor.Running {
				up <- struct{}{}
			}
		}
	})
	pid := supervisor.Whereis(system, "counter")
	for range 2 {
		n, _ := supervisor.Call(ctx, system, pid, 1)
		fmt.Println("counted", n)
	}
	system.Root.Send(pid, errors.New("out of fingers"))
	<-up
	n, _ := supervisor.Call(ctx, system, pid, 1)
	fmt.Println("counted", n)
	_ = supervisor.Stop(system, root, time.Second)
	// Output:
	// counted 1
	// counted 2
	// counter failed
	// counter restarting
	// counter running
	// counted 1
	// counter stopped
}

// Children that are added while the supervisor runs.
func ExampleCall() {
	ctx, system := context.Background(), newSystem()
	root, _ := supervisor.Spawn(system.Root, "", supervisor.Spec{})
	spec := supervisor.ChildSpec{ID: "counter", Restart: supervisor.Permanent.After(10 * time.Second), Start: startCounter}
	started, err := supervisor.Call(ctx, system, root, &supervisor.StartChild{Spec: spec})
	fmt.Println(started.(*supervisor.ChildStarted).ID, err)
	_, err = supervisor.Call(ctx, system, root, &supervisor.DeleteChild{ID: "counter"})
	fmt.Println(errors.Is(err, supervisor.ErrRunning))
	counts, _ := supervisor.Call(ctx, system, root, &supervisor.CountChildren{})
	fmt.Printf("%+v\n", *counts.(*supervisor.ChildCounts))
	_ = supervisor.Stop(system, root, time.Second)
	// Output:
	// counter <nil>
	// true
	// {Specs:1 Active:1 Supervisors:0 Workers:1}
}

// A look at a running tree.
func ExampleSnapshot() {
	ctx, system := context.Background(), newSystem()
	root, _ := supervisor.Spawn(system.Root, "root", supervisor.Spec{
		Strategy: supervisor.RestForOne,
		Children: []supervisor.ChildSpec{
			{ID: "counter", Start: startCounter},
			supervisor.Child("workers", supervisor.Permanent, supervisor.Spec{
				Children: []supervisor.ChildSpec{{ID: "one", Restart: supervisor.Transient, Start: startCounter}},
			}),
		},
	})
	_ = supervisor.WaitStarted(ctx, system, root)
	tree, _ := supervisor.Snapshot(ctx, system, root)
	var show func(n *supervisor.Node, indent string)
	show = func(n *supervisor.Node, indent string) {
		fmt.Println(indent+n.ID, n.Type, n.State, n.Restart)
		for _, c := range n.Children {
			show(c, indent+"  ")
		}
	}
	show(tree, "")
	_ = supervisor.Stop(system, root, time.Second)
	// Output:
	// root supervisor running permanent
	//   counter worker running permanent
	//   workers supervisor running permanent
	//     one worker running transient
}

// A supervisor whose children are known only when it starts.
func ExampleNested() {
	ctx, system := context.Background(), newSystem()
	topic := supervisor.Nested("topic", supervisor.Permanent.After(10*time.Second),
		func(ctx actor.Context) (supervisor.Spec, error) {
			partitions := 3 // ask somebody; this may block
			var spec supervisor.Spec
			for p := range partitions {
				spec.Children = append(spec.Children, supervisor.ChildSpec{ID: fmt.Sprint("partition ", p), Start: startCounter})
			}
			return spec, nil
		})
	root, _ := supervisor.Spawn(system.Root, "root", supervisor.Spec{Children: []supervisor.ChildSpec{topic}})
	_ = supervisor.WaitStarted(ctx, system, root)
	tree, _ := supervisor.Snapshot(ctx, system, root)
	for _, partition := range tree.Children[0].Children {
		fmt.Println(partition.ID, partition.State)
	}
	_ = supervisor.Stop(system, root, time.Second)
	// Output:
	// partition 0 running
	// partition 1 running
	// partition 2 running
}
