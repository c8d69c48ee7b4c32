package handle

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/wire/record"
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

// got is what was told so far.
func (r *told) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func (r *told) Queued()                        { r.add("queued") }
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
			require.Equal(t, []string{"buffered", outcome}, r.got())
		})
	}
}

// sized are records that take about size bytes each.
func sized(n, size int) []record.Record {
	list := make([]record.Record, n)
	for i := range list {
		list[i].Value = make([]byte, size-recordOverhead)
	}
	return list
}

// A list that one batch holds is in one batch, or not accepted at all.
func TestAMessageIsAcceptedWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 1, func(c *Config) {
			c.Produce = ProduceConfig{BatchBytes: 4 * chunkSize, BufferBytes: 8 * chunkSize, PartitionBytes: 6 * chunkSize, OnFull: FullFails}
		})
		slot := topic.Slot(0)
		lease, _ := slot.Attach(nil, func(bool) {})
		put(t, topic, string(make([]byte, 2*chunkSize)))
		first, second := &told{}, &told{}
		slot.Accept(sized(3, chunkSize-100), first)
		slot.Accept(sized(3, chunkSize-100), second)
		require.Equal(t, []string{"buffered"}, first.got())
		require.Equal(t, []string{"failed 0 " + ErrBufferFull.Error()}, second.got(), "there is room for one of three")
		for base := range int64(2) {
			b := slot.Take(lease)
			require.Equal(t, []int{1, 3}[base], b.Count())
			slot.Settle(lease, b, 10*base, nil)
			b.Release()
		}
		synctest.Wait()
		require.Equal(t, []string{"buffered", "acked 10"}, first.got())
	})
}

// A list that no batch holds goes batch by batch, and has one outcome.
func TestALongMessageGoesBatchByBatch(t *testing.T) {
	for _, refused := range []int{-1, 0, 3} {
		synctest.Test(t, func(t *testing.T) {
			_, topic := newHandle(t, 1, func(c *Config) { c.Produce = ProduceConfig{BatchBytes: chunkSize} })
			slot, r := topic.Slot(0), &told{}
			lease, _ := slot.Attach(nil, func(bool) {})
			slot.Accept(sized(10, chunkSize/3), r)
			batches := 0
			for b := slot.Take(lease); b != nil; b = slot.Take(lease) {
				var err error
				if batches++; batches == refused+1 {
					err = errRefused
				}
				require.Equal(t, []string{"buffered"}, r.got())
				slot.Settle(lease, b, int64(100*batches), err)
				b.Release()
			}
			require.Equal(t, 4, batches)
			synctest.Wait()
			want := []string{"buffered", "acked 100"}
			if refused >= 0 {
				want[1] = "failed 10 refused"
			}
			require.Equal(t, want, r.got())
		})
	}
}

// One record that the broker refuses fails its message.
func TestAMessageFailsWithOneOfItsRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, topic := newHandle(t, 1, nil)
		slot := topic.Slot(0)
		lease, _ := slot.Attach(nil, func(bool) {})
		var messages [3]told
		for i := range messages {
			slot.Accept(sized(3, 100), &messages[i])
		}
		b := slot.Take(lease)
		rest := slot.Reject(lease, b, false, map[int32]error{5: errRefused})
		b.Release()
		slot.Settle(lease, rest, 100, nil)
		rest.Release()
		synctest.Wait()
		require.Equal(t, []string{"buffered", "acked 100"}, messages[0].got())
		require.Equal(t, []string{"buffered", "failed 3 refused"}, messages[1].got())
		require.Equal(t, []string{"buffered", "acked 105"}, messages[2].got())
	})
}

// A record that no batch holds fails its message before any is accepted.
func TestAMessageWithARecordThatIsTooLarge(t *testing.T) {
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes = chunkSize })
	r := &told{}
	topic.Slot(0).Accept(append(sized(1, 100), sized(1, chunkSize+1)...), r)
	require.Len(t, r.got(), 1)
	require.Contains(t, r.got()[0], "failed 0 ")
	require.Zero(t, h.Buffered())
}

// A message without records, and one that nobody asks for.
func TestAMessageOfNothingAndOfNobody(t *testing.T) {
	_, topic := newHandle(t, 1, nil)
	r := &told{}
	topic.Slot(0).Accept(nil, r)
	require.Equal(t, []string{"buffered", "acked -1"}, r.got())
	topic.Slot(0).Accept(sized(2, 100), nil)
	require.Len(t, takeAll(t, topic)[0], 2)
}
