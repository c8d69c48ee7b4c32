package simulator

import "time"

// kind says what an event does when its time has come.
type kind uint8

const (
	kindCall    kind = iota // run a function of the scenario
	kindInput               // hand an event to a node from outside its links
	kindMessage             // hand an event to a node over a link
	kindTimer               // fire a node's timer
	kindRestart             // start a crashed node again
	kindDrain               // hand a node the oldest of what it held while it was paused
)

// event is one entry of the heap. Which fields count depends on kind.
type event struct {
	at          time.Duration
	seq         uint64 // insertion number, breaks ties of at
	kind        kind
	node        *node
	incarnation int // of node, that the event is meant for
	input       Event
	direction   *direction // of a message
	epoch       uint64     // of the direction when the message was sent
	timer       *timer
	label       string
	call        func()
}

// before is the heap's order: virtual time, then insertion.
func (e *event) before(other *event) bool {
	if e.at != other.at {
		return e.at < other.at
	}
	return e.seq < other.seq
}

// eventHeap is a binary min-heap. It is written out because container/heap would
// box every event.
type eventHeap struct{ events []event }

func (h *eventHeap) len() int { return len(h.events) }

func (h *eventHeap) push(e event) {
	h.events = append(h.events, e)
	i := len(h.events) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !h.events[i].before(&h.events[parent]) {
			return
		}
		h.events[i], h.events[parent] = h.events[parent], h.events[i]
		i = parent
	}
}

// pop takes the first event out. The heap must not be empty.
func (h *eventHeap) pop() event {
	first := h.events[0]
	last := len(h.events) - 1
	h.events[0] = h.events[last]
	h.events[last] = event{} // lets go of what the event held
	h.events = h.events[:last]
	h.sink(0)
	return first
}

func (h *eventHeap) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.events); child++ {
			if h.events[child].before(&h.events[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.events[i], h.events[least] = h.events[least], h.events[i]
		i = least
	}
}
