package suite

import (
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

// valuesIn reads the values of the batches in a request.
func valuesIn(data []byte) (values []string) {
	batches := record.NewBatches(data)
	var b record.Batch
	for batches.Next(&b) {
		records, err := b.Open(compress.NewRegistry(), 0)
		if err != nil {
			return nil
		}
		for r := range records.All() {
			values = append(values, string(r.Value))
		}
	}
	return values
}
