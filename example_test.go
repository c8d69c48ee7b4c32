package moldau_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/wire"
)

// One batch with settings of its own, outside of the producers.
func ExampleClient_ProduceBatch() {
	ctx := context.Background()
	client, err := moldau.Start(ctx, moldau.Config{Brokers: "localhost:9092"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	result, err := client.ProduceBatch(ctx, moldau.Batch{
		Topic:    "orders",
		Key:      []byte("customer 7"),
		Records:  []moldau.Record{{Value: []byte("first")}, {Value: []byte("second")}},
		Settings: moldau.ProduceConfig{Acks: moldau.AcksLeader, Codec: moldau.Zstd},
	})
	switch {
	case errors.Is(err, wire.ErrUnsure):
		fmt.Println("it is written once, or not at all:", err)
	case err != nil:
		fmt.Println("it is not written:", err)
	default:
		fmt.Println("partition", result.Partition, "from offset", result.Offset)
	}
}
