package behaviors

// fnv1a is the 32-bit FNV-1a hash: hash/fnv's, without its allocation.
func fnv1a(data []byte) uint32 {
	h := uint32(2166136261)
	for _, b := range data {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}
