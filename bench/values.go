package main

import "math/rand/v2"

// distinct is how many different values there are: enough that a codec cannot
// live on repetition, few enough to stay in the cache.
const distinct = 1024

// values are the records' values, the same in every run: words of a small
// vocabulary and digits, so that a codec makes a half to a third of them.
type values struct {
	all [][]byte
	at  int
}

func newValues(size int) *values {
	random := rand.New(rand.NewPCG(1, uint64(size)))
	words := []string{"order", "customer", "shipped", "amount", "status", "created", "warehouse", "invoice"}
	v := &values{}
	for range distinct {
		b := make([]byte, 0, size+16)
		for len(b) < size {
			if random.IntN(2) == 0 {
				b = append(b, words[random.IntN(len(words))]...)
			} else {
				for range 6 {
					b = append(b, byte('0'+random.IntN(10)))
				}
			}
			b = append(b, ' ')
		}
		v.all = append(v.all, b[:size])
	}
	return v
}

// next is the next value, over and over. It must not be changed.
func (v *values) next() []byte {
	b := v.all[v.at%distinct]
	v.at++
	return b
}

// sumOf is what look makes of the first n values.
func (v *values) sumOf(n int) uint64 {
	var sum uint64
	for i, value := range v.all {
		times := n / distinct
		if i < n%distinct {
			times++
		}
		sum += look(nil, value) * uint64(times)
	}
	return sum
}
