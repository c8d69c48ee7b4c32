package handle

import (
	"fmt"
	"runtime/debug"

	"github.com/moldau-go/moldau/telemetry"
)

// madeCall is a callback whose outcome is there.
type madeCall struct {
	call
	outcome *Outcome
}

// makeCalls makes the callbacks of the slot, one after another, and ends when
// there are none left. A callback that ends the goroutine (runtime.Goexit, as
// testing's FailNow) does not end those behind it.
func (s *Slot) makeCalls() {
	done := false
	defer func() {
		if !done {
			go s.makeCalls()
		}
	}()
	for {
		s.mu.Lock()
		if len(s.calls) == 0 {
			s.calls, s.calling, done = nil, false, true
			s.mu.Unlock()
			return
		}
		c := s.calls[0]
		s.calls = s.calls[1:]
		s.mu.Unlock()
		s.guarded(func() { c.made(c.outcome.ofRun(c.index, c.n)) })
	}
}

// guarded runs code that may be a user's. A panic in it ends nothing but itself.
func (s *Slot) guarded(do func()) {
	defer func() {
		if value := recover(); value != nil {
			s.topic.callbackPanicked(s.partition, value)
		}
	}()
	do()
}

// callbackPanicked tells of a user's callback that panicked.
func (t *Topic) callbackPanicked(partition int32, value any) {
	t.handle.Emit(telemetry.CallbackPanicked{Client: t.handle.Name(), Topic: t.name, Partition: partition, Value: fmt.Sprint(value), Stack: string(debug.Stack())})
}
