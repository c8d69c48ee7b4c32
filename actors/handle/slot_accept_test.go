package handle

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// told writes down what is told of a message.
type told struct {
	mu  sync.Mutex
	all []string
}

func (r *told) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, fmt.Sprintf(format, args...))
}

func (r *told) Buffered()                      { r.add("buffered") }
func (r *told) Acked(base int64)               { r.add("acked %d", base) }
func (r *told) Failed(accepted int, err error) { r.add("failed %d %v", accepted, err) }

// A message whose batch is settled before Accept returns is told of as buffered
// first, and has one outcome.
func TestAMessageThatIsSettledAtOnce(t *testing.T) {
	for outcome, err := range map[string]error{"acked 7": nil, "failed 1 refused": errRefused} {
		synctest.Test(t, func(t *testing.T) {
			_, topic := newHandle(t, 1, nil)
			slot, r := topic.Slot(0), &told{}
			var lease uint64
			lease, _ = slot.Attach(nil, func(bool) {
				b := slot.Take(lease)
				slot.Settle(lease, b, 7, err)
				b.Release()
				synctest.Wait() // the callback is made
			})
			slot.Accept(numbered(1, func(int) []byte { return nil }), r)
			require.Equal(t, []string{"buffered", outcome}, r.all)
		})
	}
}
