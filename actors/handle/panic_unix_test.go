//go:build unix

package handle

import (
	"context"
	"runtime/debug"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
	"github.com/moldau-go/moldau/wire/record"
)

// An append that panics leaves the slot as it was, and unlocked.
func TestAnAppendThatPanics(t *testing.T) {
	gone, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer syscall.Munmap(gone)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	_, topic := newHandle(t, 1, func(c *Config) { c.Produce.BufferRecords = 10 })
	slot := topic.Slot(0)
	told := 0
	lease, _ := slot.Attach(nil, func(bool) { told++ })
	require.Panics(t, func() {
		topic.Append(context.Background(), &record.Record{Value: gone[:100]}, behaviors.On(0), Lingers, nil)
	})
	require.Panics(t, func() {
		list := []record.Record{*value("a"), {Value: make([]byte, chunkSize)}, {Value: gone[:100]}, *value("b")}
		topic.AppendTogether(context.Background(), nil, list, behaviors.On(0), Lingers)
	})
	require.Zero(t, topic.handle.Buffered())
	require.Zero(t, topic.handle.records.Load())
	require.True(t, slot.mu.TryLock(), "the slot is locked for ever")
	slot.mu.Unlock()
	put(t, topic, "a")
	require.Equal(t, 1, told, "nobody was told of the batch")
	require.Equal(t, []string{"a"}, valuesOf(t, slot.Take(lease)))
}

// A list that panics in the middle leaves what stands before, and its producer is
// told of it.
func TestAListThatPanics(t *testing.T) {
	gone, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer syscall.Munmap(gone)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	_, topic := newHandle(t, 1, nil)
	slot := topic.Slot(0)
	told := 0
	lease, _ := slot.Attach(nil, func(bool) { told++ })
	require.Panics(t, func() {
		topic.AppendAll(context.Background(), []record.Record{{Value: []byte("a")}, {Value: gone[:100]}}, behaviors.On(0), Lingers)
	})
	put(t, topic, "b")
	require.Equal(t, 1, told, "nobody was told of the batch")
	require.Equal(t, []string{"a", "b"}, valuesOf(t, slot.Take(lease)))
}

// A message with a record that changes under our hands fails, and no actor with it.
func TestAMessageThatChanges(t *testing.T) {
	gone, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer syscall.Munmap(gone)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	h, topic := newHandle(t, 1, func(c *Config) { c.Produce.BatchBytes = 500 })
	changed := record.Record{Value: gone[:100]}
	for _, before := range []int{1, 10} {
		r := &keep{}
		topic.Slot(0).Accept(append(sized(before, 100), changed), r)
		require.ErrorIs(t, r.err, ErrRecordChanged)
		require.Len(t, r.got(), 1)
	}
	r := &told{}
	topic.Slot(0).Accept(sized(1, 100), r)
	require.Equal(t, []string{"buffered"}, r.got())
	takeAll(t, topic)
	require.Zero(t, h.Buffered())
}
