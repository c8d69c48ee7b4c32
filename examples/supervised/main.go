// Command supervised puts moldau's tree below a supervisor of its own, as a
// child beside its other actors. The shop is started after the client, so the
// client is there when it starts; under rest_for_one it is restarted with it.
//
// It needs a broker and a topic: supervised -brokers localhost:9092 -topic orders
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/actors"
	"github.com/moldau-go/moldau/actors/protocol"
	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/supervisor"
)

func main() {
	brokers := flag.String("brokers", "localhost:9092", "bootstrap addresses")
	topic := flag.String("topic", "orders", "a topic that exists")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := run(ctx, *brokers, *topic); err != nil {
		fmt.Fprintln(os.Stderr, "supervised:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, brokers, topic string) error {
	client, err := actors.Embed(moldau.Config{Name: "supervised", Brokers: brokers})
	if err != nil {
		return err // a *moldau.ConfigError: every mistake at once
	}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}))
	done := make(chan error, 1)
	backend, err := supervisor.Spawn(system.Root, "backend", supervisor.Spec{
		Strategy: supervisor.RestForOne,
		Children: []supervisor.ChildSpec{
			client.Spec(),
			{ID: "shop", Start: func(context.Context, any) (actor.Actor, error) {
				return &shop{client: client.Client(), topic: topic, done: done}, nil
			}},
		},
	})
	if err != nil {
		return err
	}
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return errors.Join(err, supervisor.Stop(system, backend, 30*time.Second))
}

// shop is an actor of the user's. It writes one order, and is done when it has
// read one.
type shop struct {
	client *actors.Client
	topic  string
	done   chan<- error
}

// Receive implements actor.Actor.
func (s *shop) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		ctx.Request(s.client.PID(), &protocol.Produce{Ref: "first", Topic: s.topic, Partition: 0, Records: []behaviors.Record{{Value: []byte("order 1")}}})
	case *protocol.ProduceAcked:
		ctx.Send(s.client.PID(), &protocol.Subscribe{Subscriber: ctx.Self(), Topic: s.topic, Partition: 0, Begin: moldau.At(m.Base)})
	case *protocol.MessageSet:
		for r := range m.Set.Records() {
			fmt.Printf("order at %d: %s\n", r.Offset, r.Value)
		}
		ctx.Send(m.Consumer, &protocol.Ack{Offset: m.Set.Last()})
		s.end(m.Set.Err())
	case *protocol.ProduceFailed:
		s.end(m.Err)
	case *protocol.FetchError:
		s.end(m.Err)
	}
}

func (s *shop) end(err error) {
	select {
	case s.done <- err:
	default:
	}
}
