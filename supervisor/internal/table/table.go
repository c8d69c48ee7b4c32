// Package table holds a map for values of which there are mostly few: most
// supervisors have two children and some have ten thousand.
package table

import "iter"

// Table maps keys to values, as a map does. An empty one takes no memory beside
// itself, one with up to eight entries a list of just these. The zero value is
// empty and ready for use. Not safe for concurrent use.
type Table[K comparable, V any] struct {
	few  []pair[K, V]
	many map[K]V // not nil: all of them are here
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

const most = 8 // entries of a list

// Get is the value of a key, and whether there is one.
func (t *Table[K, V]) Get(key K) (V, bool) {
	if t.many != nil {
		value, ok := t.many[key]
		return value, ok
	}
	for i := range t.few {
		if t.few[i].key == key {
			return t.few[i].value, true
		}
	}
	var none V
	return none, false
}

// At is the value of a key, or the zero value.
func (t *Table[K, V]) At(key K) V {
	value, _ := t.Get(key)
	return value
}

// Set puts a value in, in place of the one that the key has.
func (t *Table[K, V]) Set(key K, value V) {
	if t.many != nil {
		t.many[key] = value
		return
	}
	for i := range t.few {
		if t.few[i].key == key {
			t.few[i].value = value
			return
		}
	}
	if len(t.few) < most {
		t.few = append(t.few, pair[K, V]{key, value})
		return
	}
	t.many = make(map[K]V, 2*most)
	for _, p := range t.few {
		t.many[p.key] = p.value
	}
	t.few = nil
	t.many[key] = value
}

// Delete takes a key out, if it is there. The last one takes the memory along.
func (t *Table[K, V]) Delete(key K) {
	if t.many != nil {
		delete(t.many, key)
		if len(t.many) == 0 {
			t.many = nil
		}
		return
	}
	for i := range t.few {
		if t.few[i].key != key {
			continue
		}
		last := len(t.few) - 1
		t.few[i] = t.few[last]
		t.few[last] = pair[K, V]{}
		t.few = t.few[:last]
		if last == 0 {
			t.few = nil
		}
		return
	}
}

// Len is the number of entries.
func (t *Table[K, V]) Len() int { return len(t.few) + len(t.many) }

// All are the entries, in no order. While it goes on, the entry at hand may be
// deleted and nothing else changed.
func (t *Table[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for key, value := range t.many {
			if !yield(key, value) {
				return
			}
		}
		for i := len(t.few) - 1; i >= 0; i-- { // an entry deleted is replaced by one seen
			if !yield(t.few[i].key, t.few[i].value) {
				return
			}
		}
	}
}
