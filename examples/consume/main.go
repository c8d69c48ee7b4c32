// Command consume reads a topic with a supervised worker for every partition
// and prints what it reads, until it is interrupted.
//
// It needs a broker and a topic: consume -brokers localhost:9092 -topic orders
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/moldau-go/moldau"
)

func main() {
	brokers := flag.String("brokers", "localhost:9092", "bootstrap addresses")
	topic := flag.String("topic", "orders", "the topic to read")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := consume(ctx, *brokers, *topic); err != nil {
		fmt.Fprintln(os.Stderr, "consume:", err)
		os.Exit(1)
	}
}

func consume(ctx context.Context, brokers, topic string) error {
	client, err := moldau.Start(ctx, moldau.Config{Brokers: brokers})
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.SubscribeTopic(moldau.TopicSubscriber{
		Topic: topic, Begin: moldau.Earliest,
		NewWorker: func(a moldau.Assignment) (moldau.Worker, error) { return billing{a}, nil },
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// billing is the worker of one partition.
type billing struct{ of moldau.Assignment }

func (b billing) HandleMessageSet(ctx context.Context, set *moldau.MessageSet) error {
	for r := range set.Records() {
		fmt.Printf("%s/%d at %d: %s\n", b.of.Topic, b.of.Partition, r.Offset, r.Value)
	}
	return nil // acks the set; an error or a panic restarts this partition's worker alone
}
