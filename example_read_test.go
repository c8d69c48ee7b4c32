package moldau_test

import (
	"context"
	"fmt"
	"log"

	"github.com/moldau-go/moldau"
)

// A topic is read to the end that it has now; then the totals are what all of it
// adds up to.
func ExampleClient_Read() {
	ctx := context.Background()
	client, err := moldau.Start(ctx, moldau.Config{Brokers: "localhost:9092"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	totals := map[string]int{}
	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{})
	for r := range reader.Records(ctx) {
		totals[string(r.Key)]++
	}
	if err := reader.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(totals)
}

// What was read up to now is kept outside, and the next run goes on there.
func ExampleClient_Read_resume() {
	ctx := context.Background()
	var client *moldau.Client
	var load func() map[int32]int64
	var save func(map[int32]int64)

	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{Resume: load(), Limit: 10_000})
	for r := range reader.Records(ctx) {
		fmt.Println(r.Partition, r.Offset)
	}
	save(reader.Next())
	if err := reader.Err(); err != nil {
		log.Fatal(err)
	}
}

// The place is kept in Kafka, as that of a group, and new orders are waited for until
// ctx ends. What the loop has finished is committed every 5 seconds and at the end.
func ExampleClient_Read_group() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var client *moldau.Client
	var charge func(moldau.Record) error

	reader := client.Read("orders", moldau.Earliest, moldau.ReadOptions{CommitTo: "billing", Follow: moldau.Forever})
	for r := range reader.Records(ctx) {
		if err := charge(r); err != nil {
			log.Print(err)
			break // this order is not committed: the next run begins with it
		}
	}
	if err := reader.Err(); err != nil {
		log.Print(err)
	}
}

// How far a group is behind in each partition of a topic.
func ExampleClient_CommittedOffsets() {
	ctx := context.Background()
	var client *moldau.Client
	list, err := client.CommittedOffsets(ctx, "billing")
	if err != nil {
		log.Fatal(err)
	}
	for _, group := range list {
		end, err := client.Offset(ctx, group.Topic, group.Partition.Partition, moldau.Latest)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(group.Topic, group.Partition.Partition, end-group.Offset)
	}
}
