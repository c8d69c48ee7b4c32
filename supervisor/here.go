package supervisor

import "github.com/asynkron/protoactor-go/actor"

// SendHere is Root.Send for a goroutine that is about to wait for what the
// message brings about: where the actor is idle, its turn runs on the calling
// goroutine, which saves handing it to another and being woken by that. Where
// the actor is at work already, the message is queued as ever.
//
// The turn may run code of the actor for as long as one of its turns takes, so
// the caller must hold no lock that the actor wants, and must not be an actor
// that the turn may send to and wait for. A panic in the turn is the actor's
// alone. A turn that does not end soon is handed over to another goroutine
// between two messages.
func SendHere(system *actor.ActorSystem, to *actor.PID, msg any) {
	g := extensionOf(system).guardOf(to)
	if g == nil || g.mailbox == nil {
		system.Root.Send(to, msg)
		return
	}
	if g.mailbox.post(msg) {
		g.mailbox.here()
	}
}

// hereMessages is how many messages a turn handles on a sender's goroutine.
const hereMessages = 16

// here runs a turn on the calling goroutine. What is left after a few messages
// goes on elsewhere.
func (m *mailbox) here() {
	over := false
	defer func() {
		if !over {
			m.dispatcher.Schedule(m.turn)
		}
	}()
	for n := 0; n < hereMessages && !over; n++ {
		over = !m.step()
	}
}
