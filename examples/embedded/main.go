// Command embedded runs moldau's tree under an actor of its own, in its own
// actor system, and talks to it by messages only: it asks the client's PID to
// write orders, subscribes itself to their partition, and acks what it is
// handed. When it stops, the tree stops with it.
//
// It needs a broker and a topic: embedded -brokers localhost:9092 -topic orders
package main

import (
	"context"
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
)

func main() {
	brokers := flag.String("brokers", "localhost:9092", "bootstrap addresses")
	topic := flag.String("topic", "orders", "a topic that exists")
	records := flag.Int("records", 1000, "orders to write and read")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}))
	done := make(chan error, 1)
	shop := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &shop{config: moldau.Config{Name: "embedded", Brokers: *brokers}, topic: *topic, records: *records, done: done}
	}))
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	_ = system.Root.StopFuture(shop).Wait()
	if err != nil {
		fmt.Fprintln(os.Stderr, "embedded:", err)
		os.Exit(1)
	}
	fmt.Printf("%d orders written, acked and read by messages\n", *records)
}

// shop is an actor of the user's. The client's tree hangs below it.
type shop struct {
	config  moldau.Config
	topic   string
	records int
	done    chan<- error

	client *actors.Client
	acked  int
	read   int
}

// up tells the shop that its client's tree has come up.
type up struct{ err error }

// Receive implements actor.Actor.
func (s *shop) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.start(ctx)
	case *up:
		if m.err != nil {
			s.end(m.err)
			return
		}
		s.subscribe(ctx)
		s.write(ctx)
	case *protocol.ProduceAcked:
		s.acked += m.Ref.(int)
		s.finish()
	case *protocol.ProduceFailed:
		s.end(m.Err)
	case *protocol.MessageSet:
		s.handle(ctx, m)
	case *protocol.FetchError:
		s.end(m.Err)
	}
}

func (s *shop) start(ctx actor.Context) {
	client, err := actors.SpawnClient(ctx, s.config)
	if err != nil {
		s.end(err)
		return
	}
	s.client = client
	root, self := ctx.ActorSystem().Root, ctx.Self()
	go func() { root.Send(self, &up{client.Started(context.Background())}) }()
}

func (s *shop) subscribe(ctx actor.Context) {
	ctx.Send(s.client.PID(), &protocol.Subscribe{Subscriber: ctx.Self(), Topic: s.topic, Partition: 0, Begin: behaviors.Earliest})
}

// write asks for the orders to be written, a hundred in a message. The answer
// to each carries its Ref: here, how many they are.
func (s *shop) write(ctx actor.Context) {
	for n := 0; n < s.records; n += 100 {
		batch := make([]behaviors.Record, min(100, s.records-n))
		for i := range batch {
			batch[i] = behaviors.Record{Value: fmt.Appendf(nil, "order %d", n+i)}
		}
		ctx.Request(s.client.PID(), &protocol.Produce{Ref: len(batch), Topic: s.topic, Partition: 0, Records: batch})
	}
}

// handle reads a set and acks it; the ack brings the next one.
func (s *shop) handle(ctx actor.Context, m *protocol.MessageSet) {
	for range m.Set.Records() {
		s.read++
	}
	if err := m.Set.Err(); err != nil {
		s.end(err)
		return
	}
	ctx.Send(m.Consumer, &protocol.Ack{Offset: m.Set.Last()})
	s.finish()
}

func (s *shop) finish() {
	if s.acked >= s.records && s.read >= s.records {
		s.end(nil)
	}
}

// end tells how it went, the first time. It never waits: an actor's turn must not.
func (s *shop) end(err error) {
	select {
	case s.done <- err:
	default:
	}
}
