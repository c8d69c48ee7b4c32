package suite

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

const (
	bufferLimit   = 64 << 20
	bufferCallers = 8
	// fullPatience is how long the callers of a full buffer are ready to wait.
	fullPatience = 5 * time.Second
)

// TestAFullBuffer: all brokers are away, and more is produced than memory may be
// taken for. Every call returns in its time and says why; what is accounted stays
// within the limit, and the heap close to it; and what was accepted is acked when
// brokers are back.
func TestAFullBuffer(t *testing.T) {
	for _, c := range []struct {
		name  string
		full  moldau.Full
		codec moldau.Codec
		size  int
	}{
		{"block", moldau.FullBlocks, moldau.NoCodec, 1000},
		{"block, small records", moldau.FullBlocks, moldau.NoCodec, 200},
		{"block, compressed", moldau.FullBlocks, moldau.LZ4, 1000},
		{"fail", moldau.FullFails, moldau.NoCodec, 1000},
		{"drop", moldau.FullDrops, moldau.NoCodec, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubbleOf(t, kafkatest.FakeOptions{Nodes: 3, Topics: map[string]int32{"orders": 12}}, func(b *bubbled) {
				client := b.start(moldau.Config{Produce: moldau.ProduceConfig{
					BufferBytes: bufferLimit, OnFull: c.full, Codec: c.codec, DeliveryTimeout: 10 * time.Minute,
				}})
				f := newFilling(b.t, client, c.full, c.size)
				f.first()
				b.network.Partition("client", "")
				b.network.Reset("client", "")
				before := liveHeap()
				f.fill()
				f.refuseAll()
				heap, held := liveHeap()-before, client.Buffered()
				require.Greater(b.t, held, bufferLimit*9/10, "it is not full")
				require.LessOrEqual(b.t, heap, bufferLimit*13/10, "live heap; %d bytes are accounted", held)
				time.Sleep(30 * time.Second) // attempts fail meanwhile
				require.LessOrEqual(b.t, client.Buffered(), bufferLimit)
				b.network.Heal("client", "")
				f.allAcked()
				b.t.Logf("%d records accepted, %d refused; %d bytes accounted, %d more live heap", f.accepted(), f.refused, held, heap)
			})
		})
	}
}

// liveHeap is what is in use after a collection; the second one takes what pools
// kept over the first.
func liveHeap() int {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// filling is many callers that produce until there is no room.
type filling struct {
	t      *testing.T
	client *moldau.Client
	topic  moldau.Topic
	full   moldau.Full
	claims [bufferCallers][]moldau.Pending
	values [bufferCallers][]byte

	mu      sync.Mutex
	refused int
}

func newFilling(t *testing.T, client *moldau.Client, full moldau.Full, size int) *filling {
	f := &filling{t: t, client: client, topic: client.Topic("orders"), full: full}
	for i := range f.values {
		f.values[i] = make([]byte, size)
		f.claims[i] = make([]moldau.Pending, 0, 2*bufferLimit/size/bufferCallers)
	}
	return f
}

// record goes to each partition in turn; its value is used by one caller alone.
func (f *filling) record(caller, i int) (moldau.Topic, moldau.Record) {
	copy(f.values[caller], fmt.Sprint(caller, " ", i))
	return f.topic.By(moldau.On(int32(i % 12))), moldau.Record{Value: f.values[caller]}
}

// first makes all that producing needs beside the memory of records.
func (f *filling) first() {
	for i := range 12 {
		topic, r := f.record(0, i)
		_, err := topic.ProduceSync(f.t.Context(), r)
		require.NoError(f.t, err)
	}
}

// fill produces with many callers at once until each was refused a few times.
func (f *filling) fill() {
	var callers sync.WaitGroup
	for caller := range bufferCallers {
		callers.Go(func() {
			for i, refused := 0, 0; refused < 3; i++ {
				topic, r := f.record(caller, i)
				p, err := moldau.Pending{}, error(nil)
				f.inTime(func(ctx context.Context) error {
					p = topic.Produce(ctx, r)
					err = p.NotAccepted()
					return err
				})
				if err != nil {
					refused++
					continue
				}
				f.claims[caller] = append(f.claims[caller], p)
			}
		})
	}
	callers.Wait()
}

// inTime makes a call that may find no room, and looks at when it returned, and
// with what.
func (f *filling) inTime(call func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), fullPatience)
	defer cancel()
	begun := time.Now()
	err := call(ctx)
	took := time.Since(begun)
	if held := f.client.Buffered(); held > bufferLimit || took > fullPatience {
		f.t.Errorf("%d bytes are accounted; the call took %v", held, took)
	}
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused++
	switch f.full {
	case moldau.FullBlocks:
		assert.ErrorIs(f.t, err, context.DeadlineExceeded)
		assert.ErrorIs(f.t, err, moldau.ErrBufferFull)
		assert.Equal(f.t, fullPatience, took)
	case moldau.FullFails:
		assert.ErrorIs(f.t, err, moldau.ErrBufferFull)
		assert.Zero(f.t, took)
	default:
		assert.ErrorIs(f.t, err, moldau.ErrDropped)
		assert.Zero(f.t, took)
	}
}

// refuseAll calls in every other way where there is no room for a chunk; the
// records that are dropped are counted.
func (f *filling) refuseAll() {
	large := moldau.Record{Value: make([]byte, 900_000)}
	few := []moldau.Record{large, large, large}
	dropped := f.client.Dropped()
	on := f.topic.By(moldau.On(3))
	f.inTime(func(ctx context.Context) error { return on.Produce(ctx, large).NotAccepted() })
	f.inTime(func(ctx context.Context) error { return on.ProduceFunc(ctx, large, nil) })
	f.inTime(func(ctx context.Context) error { _, err := on.ProduceSync(ctx, large); return err })
	f.inTime(func(ctx context.Context) error { return on.ProduceAll(ctx, few).At(2).NotAccepted() })
	f.inTime(func(ctx context.Context) error { return on.ProduceTogether(ctx, nil, few[:1]).At(0).NotAccepted() })
	begun, err := time.Now(), on.ProduceNoAck(large)
	require.Zero(f.t, time.Since(begun))
	if f.full != moldau.FullDrops {
		require.ErrorIs(f.t, err, moldau.ErrBufferFull)
		require.Zero(f.t, f.client.Dropped())
		return
	}
	require.NoError(f.t, err)
	require.EqualValues(f.t, 8, f.client.Dropped()-dropped)
	require.EqualValues(f.t, 3*bufferCallers, dropped)
}

// allAcked requires that what was accepted is acked.
func (f *filling) allAcked() {
	ctx, cancel := context.WithTimeout(f.t.Context(), 5*time.Minute)
	defer cancel()
	require.NoError(f.t, f.topic.Flush(ctx))
	for _, claims := range f.claims {
		for _, p := range claims {
			_, err := p.Wait(ctx)
			require.NoError(f.t, err)
		}
	}
	require.Zero(f.t, f.client.Buffered())
}

func (f *filling) accepted() (n int) {
	for _, claims := range f.claims {
		n += len(claims)
	}
	return n
}
