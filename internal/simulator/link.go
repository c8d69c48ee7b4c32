package simulator

import (
	"math/rand/v2"
	"time"
)

// Link says how one link treats messages, the same in both directions. The zero
// value delivers everything at the same instant and tells nobody of cuts.
type Link struct {
	// Latency is drawn for each message.
	Latency Range
	// Loss is the chance, 0 to 1, that a message is dropped. Notices are not.
	Loss float64
	// Notify tells both ends of cuts, heals, crashes and starts by PeerDown and
	// PeerUp.
	Notify bool
}

// direction is one way of a link.
type direction struct {
	from, to *node
	link     Link
	cut      bool
	epoch    uint64        // raised by a cut: what is in flight of an older epoch is lost
	last     time.Duration // arrival of the newest message: the next one is not before it
	random   *rand.Rand
}

// arrival draws when a message that is sent now arrives. It stays within the
// link's latency: the one before it was sent earlier and arrives in time too.
func (d *direction) arrival(now time.Duration) time.Duration {
	at := max(now+d.link.Latency.draw(d.random), d.last)
	d.last = at
	return at
}

// send puts a message on the way from one node to another, or drops it.
func (w *World) send(from, to *node, m Message) {
	d := w.direction(from, to)
	switch {
	case d.cut:
		w.drop(to, m, "cut")
	case !to.up && to.incarnation > 0:
		w.drop(to, m, "receiver is down")
	case d.link.Loss > 0 && d.random.Float64() < d.link.Loss:
		w.drop(to, m, "lost")
	default:
		w.carry(d, m)
	}
}

// carry schedules an event's arrival at the end of a direction. A node that has
// never started is about to: it gets the event as its first incarnation.
func (w *World) carry(d *direction, input Event) {
	w.schedule(event{at: d.arrival(w.now), kind: kindMessage, node: d.to, incarnation: max(d.to.incarnation, 1),
		input: input, direction: d, epoch: d.epoch})
}

func (w *World) drop(to *node, input Event, why string) {
	w.dropped++
	w.trace.add(w.now, to.name, "drop ("+why+")", input.String())
}

// direction finds, or makes from the default link, the way between two nodes.
func (w *World) direction(from, to *node) *direction {
	for len(from.out) < len(w.nodes) {
		from.out = append(from.out, nil)
	}
	if d := from.out[to.index]; d != nil {
		return d
	}
	d := &direction{from: from, to: to, link: w.config.Link, random: w.generator("link", from.name, to.name)}
	from.out[to.index] = d
	w.directions = append(w.directions, d)
	return d
}

// SetLink makes the link between two nodes other than Config.Link, from now on;
// what is in flight keeps its arrival, and the order within a direction stays (so
// a message behind a slower one of before may exceed a latency that was lowered).
func (w *World) SetLink(a, b string, link Link) {
	w.direction(w.mustNode(a), w.mustNode(b)).link = link
	w.direction(w.mustNode(b), w.mustNode(a)).link = link
}

// Cut cuts the link between two nodes: what is in flight and what is sent from
// now on is lost. Cutting a cut link does nothing.
func (w *World) Cut(a, b string) {
	w.CutOneWay(a, b)
	w.CutOneWay(b, a)
}

// CutOneWay cuts one direction only.
func (w *World) CutOneWay(from, to string) {
	d := w.direction(w.mustNode(from), w.mustNode(to))
	if d.cut {
		return
	}
	w.trace.add(w.now, to, "cut", "from "+from)
	d.cut = true
	d.epoch++
	d.last = w.now
	w.notice(d, PeerDown{Peer: from})
}

// Heal mends the link between two nodes. Healing a whole link does nothing.
func (w *World) Heal(a, b string) {
	w.healOneWay(a, b)
	w.healOneWay(b, a)
}

func (w *World) healOneWay(from, to string) {
	d := w.direction(w.mustNode(from), w.mustNode(to))
	if !d.cut {
		return
	}
	w.trace.add(w.now, to, "heal", "from "+from)
	d.cut = false
	if d.from.up {
		w.notice(d, PeerUp{Peer: from})
	}
}

// HealAll mends every link that is cut.
func (w *World) HealAll() {
	for _, d := range w.directions {
		if d.cut {
			w.healOneWay(d.from.name, d.to.name)
		}
	}
}

// notice tells the end of a direction about its beginning. The end learns it
// behind what is on its way to it.
func (w *World) notice(d *direction, input Event) {
	if d.link.Notify && d.to.up {
		w.carry(d, input)
	}
}

// greet tells a node that starts of the peers that are up, and them of it.
func (w *World) greet(n *node) {
	w.tellPeers(n, PeerUp{Peer: n.name})
	for _, peer := range w.nodes {
		if peer == n || !peer.up {
			continue
		}
		if d := w.direction(peer, n); !d.cut {
			w.notice(d, PeerUp{Peer: peer.name})
		}
	}
}

// tellPeers tells the other end of each of a node's links that has Notify and is
// not cut.
func (w *World) tellPeers(n *node, input Event) {
	for _, peer := range w.nodes {
		if peer == n {
			continue
		}
		if d := w.direction(n, peer); !d.cut {
			w.notice(d, input)
		}
	}
}
