package handle

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/record"
)

// A record that finds no memory wakes nobody who waits for it, so that its caller
// does not look again without end where records are counted, too.
func TestWhoFindsNoMemoryWakesNobody(t *testing.T) {
	h, topic := newHandle(t, 2, func(c *Config) {
		c.Produce.BufferBytes, c.Produce.PartitionBytes, c.Produce.BatchBytes = 2*chunkSize, 2*chunkSize, chunkSize
		c.Produce.BufferRecords, c.Produce.PartitionRecords = 1000, 100
	})
	for range 2 {
		require.NoError(t, topic.Append(context.Background(), &record.Record{Value: make([]byte, chunkSize-100)}, behaviors.On(0), Lingers, nil).Err())
	}
	room := h.pool.budget.room()
	_, n, why := topic.Slot(1).append(alone(value("x")), Lingers, false, nil)
	require.Zero(t, n)
	require.Equal(t, noRoom, why)
	select {
	case <-room:
		require.Fail(t, "nothing was given back")
	default:
	}
	require.EqualValues(t, 2, h.records.Load())
}
