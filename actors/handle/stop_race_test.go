package handle

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client may be stopped while topics are ended.
func TestStopWhileTopicsEnd(t *testing.T) {
	for range 50 {
		h, _ := newHandle(t, 1, nil)
		var topics []*Topic
		for i := range 50 {
			topic, err := h.Topic(string(rune('A' + i)))
			require.NoError(t, err)
			topics = append(topics, topic)
		}
		var both sync.WaitGroup
		both.Go(func() { h.Stop(ErrStopped) })
		both.Go(func() {
			for _, topic := range topics {
				h.EndTopic(topic, ErrAborted)
			}
		})
		both.Wait()
	}
}
