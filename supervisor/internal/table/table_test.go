package table

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A table does what a map does, whatever its size.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, model := Table[int, string]{}, map[int]string{}
		key := rapid.IntRange(0, rapid.SampledFrom([]int{3, 30}).Draw(t, "keys"))
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, v := key.Draw(t, "key"), rapid.String().Draw(t, "value")
				table.Set(k, v)
				model[k] = v
			},
			"delete": func(t *rapid.T) {
				k := key.Draw(t, "key")
				table.Delete(k)
				delete(model, k)
			},
			"delete some while going through": func(t *rapid.T) {
				for k := range table.All() {
					if k%3 == 0 {
						table.Delete(k)
						delete(model, k)
					}
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(model), table.Len())
				require.Equal(t, model, maps.Collect(table.All()))
				for k := range 31 {
					v, ok := table.Get(k)
					want, has := model[k]
					require.Equal(t, has, ok)
					require.Equal(t, want, v)
					require.Equal(t, want, table.At(k))
				}
			},
		})
	})
}

// Few entries cost one list, none cost nothing.
func TestTableIsCheap(t *testing.T) {
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		var table Table[uint64, *int]
		table.Set(1, nil)
		table.Delete(1)
	}), 1.0)
	var table Table[int, int]
	for i := range 100 {
		table.Set(i, i)
	}
	for i := range 100 {
		table.Delete(i)
	}
	require.Nil(t, table.few)
	require.Nil(t, table.many)
}
