package handle

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// A message whose batch fails before Accept returns was accepted all the same: its
// callback is told, and nobody else.
func TestAMessageThatFailsAtOnceHasOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 1, nil)
		slot := topic.Slot(0)
		var lease uint64
		lease, _ = slot.Attach(nil, func(bool) {
			b := slot.Take(lease)
			slot.Settle(lease, b, -1, errRefused)
			b.Release()
		})
		var told []error
		accepted, err := slot.Accept(numbered(1, func(int) []byte { return nil }), func(_ int64, err error) { told = append(told, err) })
		require.NoError(t, err)
		require.Equal(t, 1, accepted)
		synctest.Wait()
		require.Equal(t, []error{errRefused}, told)
	})
}
