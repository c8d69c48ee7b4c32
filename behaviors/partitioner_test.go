package behaviors

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOnAndAFunctionOfYours(t *testing.T) {
	require.Equal(t, int32(3), On(3).Partition(Record{}, 6))
	require.Equal(t, On(3), On(3), "so that two configurations with it are the same")
	byLength := PartitionerFunc(func(r Record, count int32) int32 { return int32(len(r.Key)) % count })
	require.Equal(t, int32(2), byLength.Partition(Record{Key: []byte("12345")}, 3))
}

// all are the library's Partitioners that choose for themselves.
func all() map[string]Partitioner {
	by := map[string]Partitioner{"round robin": RoundRobin()}
	for s := LikeJava; s <= Random; s++ {
		by[s.String()] = s
	}
	return by
}

// keys draws absent, empty and other keys.
func keys() *rapid.Generator[[]byte] {
	return rapid.OneOf(rapid.Just[[]byte](nil), rapid.SliceOf(rapid.Byte()), rapid.SliceOfN(rapid.Byte(), 0, 64))
}

func TestChoicesAreInRange(t *testing.T) {
	partitioners := all()
	rapid.Check(t, func(t *rapid.T) {
		key, count := keys().Draw(t, "key"), rapid.Int32Min(1).Draw(t, "count")
		for name, by := range partitioners {
			p := by.Partition(Record{Key: key}, count)
			if p < 0 || p >= count {
				t.Fatalf("%s chose %d of %d", name, p, count)
			}
		}
		if p := ByKey(key, count); p < 0 || p >= count {
			t.Fatalf("ByKey chose %d of %d", p, count)
		}
	})
}

func TestWithoutPartitionsThereIsNoChoice(t *testing.T) {
	for name, by := range all() {
		for _, count := range []int32{0, -1} {
			require.Equal(t, int32(-1), by.Partition(Record{Key: []byte("k")}, count), name)
			require.Equal(t, int32(-1), by.Partition(Record{}, count), name)
		}
	}
	require.Equal(t, int32(-1), ByKey([]byte("k"), 0))
}

func TestPartitionersDoNotAllocate(t *testing.T) {
	partitioners := all()
	partitioners["on"] = On(1000)
	for name, by := range partitioners {
		for _, r := range []Record{{}, {Key: []byte{}}, {Key: []byte("a key of 17 bytes")}} {
			require.Zero(t, testing.AllocsPerRun(100, func() { by.Partition(r, 1000) }), name)
		}
	}
}

func BenchmarkPartition(b *testing.B) {
	r := Record{Key: []byte("user-0123456789ab")}
	for name, by := range all() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				by.Partition(r, 12)
			}
		})
	}
}
