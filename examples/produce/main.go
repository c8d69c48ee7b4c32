// Command produce writes orders to a topic and prints where the last one went.
//
// It needs a broker and a topic: produce -brokers localhost:9092 -topic orders
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/moldau-go/moldau"
)

func main() {
	brokers := flag.String("brokers", "localhost:9092", "bootstrap addresses")
	topic := flag.String("topic", "orders", "the topic to write to")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := produce(ctx, *brokers, *topic); err != nil {
		fmt.Fprintln(os.Stderr, "produce:", err)
		os.Exit(1)
	}
}

func produce(ctx context.Context, brokers, topic string) error {
	client, err := moldau.Start(ctx, moldau.Config{Brokers: brokers})
	if err != nil {
		return err
	}
	defer client.Close()
	orders := client.Topic(topic)
	pending := make([]moldau.Pending, 1000)
	for i := range pending { // returns at once: batches go out behind the scenes
		pending[i] = orders.Produce(ctx, moldau.Record{Key: fmt.Appendf(nil, "customer-%d", i%10), Value: fmt.Appendf(nil, "order %d", i)})
	}
	for _, p := range pending { // every record ends acked or failed
		if _, err := p.Wait(ctx); err != nil {
			return err
		}
	}
	offset, err := orders.ProduceSync(ctx, moldau.Record{Value: []byte("the last order")})
	fmt.Println("the last order is at", offset)
	return err
}
