// Package simulator runs pure cores against each other in virtual time, on one
// goroutine, replayable from a seed.
//
// A [World] is a heap of events ordered by virtual time; events of the same
// instant run in the order in which they were scheduled. Each [Node] hosts a
// [Core]: an event and the moment go in, a list of [Action] values comes out,
// and the world carries them out in order. Nodes talk over links that delay and
// lose messages, are cut and heal. Nodes crash, between two events or in the
// middle of an action list, and come back as a new incarnation. Invariants are
// checked after every event; the first that fails ends the run with a
// [Violation] that has the seed, the virtual time and the tail of the trace.
//
// # The rules of the network
//
//   - One direction of a link is first in, first out. Different directions and
//     different links are independent, so messages of different senders reorder.
//   - A message is delivered at most once, after a latency within the link's
//     range, and always within that range.
//   - A cut drops what is sent from then on and what is in flight.
//   - A crash drops the node's timers and everything on its way to the node, even
//     if the node is back before it would have arrived: it was meant for the
//     incarnation that is gone. What the node had sent already still arrives.
//   - A paused node handles nothing and loses nothing: what arrives waits and is
//     handled in order when it resumes.
//   - With [Link.Notify] both ends are told when the link is cut or heals and when
//     the other end crashes or starts, behind the messages that are on their way,
//     as TCP tells of a reset. Without it the link is silent, as a half-open
//     connection is.
//
// # Determinism
//
// Nothing here reads a clock, starts a goroutine, ranges over a map or uses
// reflection. Every node, every direction of a link and the faults draw from
// generators of their own, so a core that draws once more does not change what
// the network does. What a core does must depend on its [Input] alone;
// [Explore] proves it by running a seed twice and comparing trace hashes.
//
// Nothing in this package is safe for concurrent use, and nothing blocks.
package simulator
