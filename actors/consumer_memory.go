package actors

import (
	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/messageset"
	"github.com/moldau-go/moldau/actors/protocol"
)

// fetchedSet is a set that waits to be handed out.
type fetchedSet struct {
	message *protocol.MessageSet
	memory  setMemory
}

// handedSet is the memory of a set that is handed out, up to the ack of last.
type handedSet struct {
	last   int64
	memory setMemory
}

// setMemory is what a set's records are in, if that is to be used again when the
// set is acked. A set that is forgotten, or whose worker fails or is abandoned,
// is left to the garbage collector: somebody may still look at it.
type setMemory struct {
	answer   *handle.Answer
	unpacked [][]byte
}

// recycles says that the subscriber does not keep records behind their ack.
func (c *consumer) recycles() bool { return c.handle.Config().Consume.Recycle && c.direct == nil }

// scratch gives memory to decompress into; nil: every set has its own.
func (c *consumer) scratch() func() []byte {
	if !c.recycles() {
		return nil
	}
	return c.handle.Answers().Unpacked
}

// memoryOf is what can be used again behind the ack of a set. An answer that the
// set does not refer to, as all of it was compressed, is given back at once.
func (c *consumer) memoryOf(answer *handle.Answer, opened messageset.Opened) setMemory {
	if !opened.Aliases {
		answer.Release()
		answer = nil
	}
	if !c.recycles() {
		return setMemory{}
	}
	return setMemory{answer, opened.Scratch}
}

func (m setMemory) recycle(to *handle.Answers) {
	m.answer.Release()
	for _, b := range m.unpacked {
		to.Done(b)
	}
}
