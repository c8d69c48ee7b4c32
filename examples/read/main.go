// Command read counts the orders of each customer in a topic, from its beginning to
// the end that it has, and says where to go on.
//
// It needs a broker and a topic: read -brokers localhost:9092 -topic orders
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
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := count(ctx, *brokers, *topic); err != nil {
		fmt.Fprintln(os.Stderr, "read:", err)
		os.Exit(1)
	}
}

func count(ctx context.Context, brokers, topic string) error {
	client, err := moldau.Start(ctx, moldau.Config{Brokers: brokers})
	if err != nil {
		return err
	}
	defer client.Close()
	orders := map[string]int{}
	reader := client.Read(topic, moldau.Earliest, moldau.ReadOptions{})
	for r := range reader.Records(ctx) {
		orders[string(r.Key)]++
	}
	for customer, n := range orders {
		fmt.Println(customer, n)
	}
	fmt.Println("go on at", reader.Next())
	return reader.Err()
}
