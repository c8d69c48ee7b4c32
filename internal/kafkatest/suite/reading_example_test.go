package suite

import (
	"context"
	"fmt"
	"log"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
	"github.com/moldau-go/moldau/telemetry"
)

// What docs/reading.md says of brod's fold, as it runs.
func Example_fold() {
	fake, err := kafkatest.OpenFake(kafkatest.FakeOptions{Topics: map[string]int32{"orders": 1}})
	if err != nil {
		log.Fatal(err)
	}
	defer fake.Close()
	ctx := context.Background()
	client, err := moldau.Start(ctx, moldau.Config{BrokerList: fake.Addrs(), Telemetry: telemetry.Discard})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for _, value := range []string{"a", "b", "c", "d", "e"} {
		if _, err := client.Topic("orders").ProduceSync(ctx, text(value)); err != nil {
			log.Fatal(err)
		}
	}

	sum := ""
	reader := client.Read("orders", moldau.At(1), moldau.ReadOptions{Partitions: []int32{0}, End: moldau.AfterProcessed(3), Limit: 10})
	for r := range reader.Records(ctx) {
		sum += string(r.Value)
	}
	fmt.Println(sum, reader.Next()[0], reader.Err())

	// Output: bcd 4 <nil>
}
