package simulator

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The heap agrees with a sorted slice after any sequence of pushes and pops.
func TestHeapPopsInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var heap eventHeap
		var model []event
		seq := uint64(0)
		for range rapid.IntRange(1, 200).Draw(rt, "operations") {
			if len(model) > 0 && rapid.IntRange(0, 2).Draw(rt, "pop") == 0 {
				got := heap.pop()
				require.Equal(rt, model[0].seq, got.seq)
				model = model[1:]
				continue
			}
			seq++
			e := event{at: time.Duration(rapid.IntRange(0, 5).Draw(rt, "at")), seq: seq}
			heap.push(e)
			at, _ := slices.BinarySearchFunc(model, e, func(a, b event) int {
				if a.before(&b) {
					return -1
				}
				return 1
			})
			model = slices.Insert(model, at, e)
			require.Equal(rt, len(model), heap.len())
		}
	})
}

// Every parent is before its children, whatever was pushed.
func TestHeapShape(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var heap eventHeap
		for seq, at := range rapid.SliceOf(rapid.Int64Range(0, 1000)).Draw(rt, "times") {
			heap.push(event{at: time.Duration(at), seq: uint64(seq)})
		}
		if heap.len() > 0 {
			heap.pop()
		}
		for i := 1; i < heap.len(); i++ {
			parent, child := heap.events[(i-1)/2], heap.events[i]
			require.True(rt, parent.before(&child), "child %d is before its parent", i)
		}
	})
}

// What a popped event held is let go of, so that a long run does not grow.
func TestHeapLetsGo(t *testing.T) {
	var heap eventHeap
	heap.push(event{input: Text("held")})
	heap.pop()
	require.Nil(t, heap.events[:1][0].input)
}
