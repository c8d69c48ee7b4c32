package handle

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/record"
)

// Who waits for memory that other topics have learns at once of the end of his own.
func TestTheEndOfATopicWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, topic := newHandle(t, 1, func(c *Config) {
			c.Produce.BufferBytes, c.Produce.PartitionBytes, c.Produce.BatchBytes = 2*chunkSize, 2*chunkSize, chunkSize
		})
		for range 2 {
			require.NoError(t, topic.Append(context.Background(), &record.Record{Value: make([]byte, chunkSize-100)}, behaviors.On(0), Lingers, nil).Err())
		}
		other, err := h.Topic("other")
		require.NoError(t, err)
		other.Grow(1)
		begun := time.Now()
		done := make(chan Pending, 1)
		go func() { done <- other.Append(context.Background(), value("x"), behaviors.On(0), Lingers, nil) }()
		synctest.Wait()
		h.EndTopic(other, ErrAborted)
		p := <-done
		require.ErrorIs(t, p.Err(), ErrNoProducers)
		require.Zero(t, time.Since(begun))
		h.Stop(ErrStopped)
	})
}
