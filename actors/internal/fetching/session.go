package fetching

import "math"

// session is the broker's memory of the cold partitions (KIP-227). The zero
// value has none: the next request is whole and asks for one.
type session struct {
	id      int32
	epoch   int32
	refused bool // the broker keeps none
}

// whole says that the next request must name every partition.
func (s *session) whole() bool { return s.epoch == 0 }

// answered tells the session that an answer named. A broker that keeps none
// says 0; then every request is whole.
func (s *session) answered(id int32) {
	switch {
	case id == 0:
		*s = session{refused: true}
	case id != s.id || s.epoch == math.MaxInt32:
		*s = session{id: id, epoch: 1}
	default:
		s.epoch++
	}
}
