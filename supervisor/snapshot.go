package supervisor

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Attr is something that an actor tells of itself. No secrets.
type Attr struct{ Name, Value string }

// Inspectable may be implemented by an actor: Inspect is called in the actor's
// own turn, before the messages that wait, so it must be quick. A panic in it
// is ignored.
type Inspectable interface{ Inspect() []Attr }

// Node is an actor of a tree at the time of the snapshot.
type Node struct {
	ID          string
	PID         *actor.PID // nil if there is no incarnation
	Type        ChildType
	State       State
	Restart     Restart
	Restarts    int   // automatic restarts that came up
	LastFailure error // nil if it never failed
	Mailbox     int   // user messages that wait
	Busy        bool  // it did not answer in time: Attrs and Children are missing
	Attrs       []Attr
	Strategy    Strategy // of a supervisor
	Zombies     int      // of a supervisor: children left behind that still run
	Children    []*Node
}

const snapshotLimit = time.Second

// Snapshot looks at the tree below root while it runs. It waits for ctx, and at
// most a second; actors that are busy longer are marked so. The nodes are not
// taken at one instant. Errors: ErrNoProcess. Safe for concurrent use; not in
// an actor's turn.
func Snapshot(ctx context.Context, system *actor.ActorSystem, root *actor.PID) (*Node, error) {
	g := extensionOf(system).guardOf(Living(system, root))
	if g == nil {
		return nil, ErrNoProcess
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotLimit)
	defer cancel()
	node := &Node{ID: g.id, PID: g.self, State: Running}
	l := &look{more: make(chan struct{}, 1)}
	l.ask(node, g)
	l.run(ctx)
	return node, nil
}

// look is a snapshot under way: questions go down the tree as answers come up,
// so that one busy actor hides nobody else.
type look struct {
	open int           // questions without an answer
	more chan struct{} // there are answers

	mu      sync.Mutex
	answers []inspection
}

// ask puts the question before the actor's other messages.
func (l *look) ask(node *Node, g *guard) {
	node.Busy = true
	l.open++
	g.mailbox.PostSystemMessage(&inspect{look: l, node: node})
}

// run takes the answers until there are all, or ctx ends.
func (l *look) run(ctx context.Context) {
	for l.open > 0 {
		select {
		case <-l.more:
		case <-ctx.Done():
			return
		}
		l.mu.Lock()
		answers := l.answers
		l.answers = nil
		l.mu.Unlock()
		for _, seen := range answers {
			l.open--
			l.take(seen)
		}
	}
}

func (l *look) take(seen inspection) {
	n := seen.node
	n.Busy, n.Attrs, n.Strategy, n.Zombies = false, seen.attrs, seen.strategy, seen.zombies
	if seen.supervisor {
		n.Type = Supervisor
	}
	for _, v := range seen.children {
		n.Children = append(n.Children, v.node)
		if v.guard != nil {
			l.ask(v.node, v.guard)
		}
	}
}

// give is called in the turns of the actors. It does not block.
func (l *look) give(seen inspection) {
	l.mu.Lock()
	l.answers = append(l.answers, seen)
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// inspect is the question: an actor answers it to its look.
type inspect struct {
	look *look
	node *Node
}

// inspection is an actor's answer.
type inspection struct {
	node       *Node // who was asked
	attrs      []Attr
	supervisor bool
	strategy   Strategy
	zombies    int
	children   []view
}

// view is a child in its supervisor's eyes.
type view struct {
	node  *Node
	guard *guard // nil if there is no incarnation
}

func (*inspect) control() {}

// answer runs in the actor's turn.
func (q *inspect) answer(g *guard) {
	var seen inspection
	if g.sup != nil {
		seen = g.sup.inspection()
	} else if it, ok := g.inner.(Inspectable); ok && g.phase.Load() == phaseRunning {
		seen.attrs = inspectSafely(it)
	}
	seen.node = q.node
	q.look.give(seen)
}

func inspectSafely(it Inspectable) (attrs []Attr) {
	defer func() {
		if recover() != nil {
			attrs = nil
		}
	}()
	return it.Inspect()
}

func (s *supervisor) inspection() inspection {
	seen := inspection{supervisor: true, strategy: s.spec.Strategy, zombies: s.zombies.Len()}
	if s.machine == nil {
		return seen
	}
	for _, c := range s.machine.Children() {
		info := s.info(c)
		v := view{node: &Node{
			ID: info.ID, PID: info.PID, Type: info.Type, State: info.State, Restart: info.Restart,
			Restarts: info.Restarts, LastFailure: info.LastFailure,
		}}
		if slot := s.slots.At(c.Inc); slot != nil {
			v.guard = slot.guard
			v.node.Mailbox = slot.guard.mailbox.UserMessageCount()
		}
		seen.children = append(seen.children, v)
	}
	return seen
}
