package supervisor

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is an unbounded mailbox: two queues under one lock, user messages
// taken in batches. System messages overtake user messages. It does what
// protoactor's own does and, beyond that, refuses nil messages (they become
// dead letters), survives runtime.Goexit in a turn, and gives the memory of a
// burst back. Posting is safe for concurrent use and never blocks.
type mailbox struct {
	ext        *extension
	guard      *guard // nil for an actor outside of a supervisor
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	turn       func() // process, made once
	self       *actor.PID

	mu        sync.Mutex
	user      []any
	system    []any
	running   bool
	suspended bool

	queued  atomic.Int64 // user messages not yet taken
	urgent  atomic.Int64 // system messages not yet taken
	waiting atomic.Bool  // suspended, for the turn itself

	// The turn's own, no lock needed.
	batch []any
	next  int
	spare []any
}

const keptBatch = 1024 // messages; a bigger buffer is given back

func newMailbox(ext *extension, g *guard) *mailbox {
	m := &mailbox{ext: ext, guard: g}
	m.turn = m.process
	if g != nil {
		g.mailbox = m
	}
	return m
}

// RegisterHandlers is called once, before the first message.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
	if ctx, ok := invoker.(actor.Context); ok {
		m.self = ctx.Self()
	}
	if m.guard != nil {
		m.guard.attach(invoker)
		m.invoker = m.guard
	}
}

// Start has nothing to do.
func (m *mailbox) Start() {}

// UserMessageCount is how many user messages wait.
func (m *mailbox) UserMessageCount() int { return int(m.queued.Load()) }

// PostUserMessage queues msg. A batch is delivered item by item, then itself.
func (m *mailbox) PostUserMessage(msg any) {
	if m.post(msg) {
		m.dispatcher.Schedule(m.turn)
	}
}

// post is PostUserMessage that leaves it to the caller to run the turn, if it
// returns true.
func (m *mailbox) post(msg any) (wake bool) {
	if msg == nil {
		m.ext.deadLetter(m.self, msg)
		return false
	}
	inner := msg
	if env, ok := msg.(*actor.MessageEnvelope); ok {
		if env == nil {
			m.ext.deadLetter(m.self, nil)
			return false
		}
		inner = env.Message
	}
	if batch, ok := inner.(actor.MessageBatch); ok {
		for _, item := range batch.GetMessages() {
			m.PostUserMessage(item)
		}
	}
	m.queued.Add(1)
	m.mu.Lock()
	m.user = append(m.user, msg)
	wake = !m.running && !m.suspended
	m.running = m.running || wake
	m.mu.Unlock()
	return wake
}

// PostSystemMessage queues msg before all user messages.
func (m *mailbox) PostSystemMessage(msg any) {
	if msg == nil {
		return
	}
	m.urgent.Add(1)
	m.mu.Lock()
	m.system = append(m.system, msg)
	wake := !m.running
	m.running = true
	m.mu.Unlock()
	if wake {
		m.dispatcher.Schedule(m.turn)
	}
}

// process is a turn: it handles messages until there are none. Should the
// goroutine end under it (runtime.Goexit), another takes the turn over.
func (m *mailbox) process() {
	over := false
	defer func() {
		if !over {
			m.dispatcher.Schedule(m.turn)
		}
	}()
	limit := m.dispatcher.Throughput()
	for n := 0; m.step(); n++ {
		if n >= limit {
			n = 0
			runtime.Gosched()
		}
	}
	over = true
}

// step handles one message; false when there is none and the turn is over.
func (m *mailbox) step() (more bool) {
	msg, system, ok := m.take()
	if !ok {
		return false
	}
	defer func() {
		if !more {
			more = true
			m.failed(recover(), msg)
		}
	}()
	m.handle(msg, system)
	return true
}

func (m *mailbox) handle(msg any, system bool) {
	if !system {
		m.invoker.InvokeUserMessage(msg)
		return
	}
	switch msg.(type) {
	case *actor.SuspendMailbox:
		m.suspend(true)
	case *actor.ResumeMailbox:
		m.suspend(false)
	default:
		m.invoker.InvokeSystemMessage(msg)
	}
}

// failed tells of a panic, or of a Goexit where there is no panic value.
func (m *mailbox) failed(value any, msg any) {
	if value == nil {
		value = ErrGoexit
	}
	m.invoker.EscalateFailure(value, msg)
}

func (m *mailbox) suspend(on bool) {
	m.mu.Lock()
	m.suspended = on
	m.mu.Unlock()
	m.waiting.Store(on)
}

// take gives the next message and who it is for.
func (m *mailbox) take() (msg any, system, ok bool) {
	if m.urgent.Load() == 0 && m.next < len(m.batch) && !m.waiting.Load() {
		return m.fromBatch(), false, true
	}
	m.mu.Lock()
	if len(m.system) > 0 {
		msg = m.system[0]
		m.system[0] = nil
		m.system = m.system[1:]
		if len(m.system) == 0 {
			m.system = nil
		}
		m.mu.Unlock()
		m.urgent.Add(-1)
		return msg, true, true
	}
	if m.suspended || (m.next >= len(m.batch) && len(m.user) == 0) {
		m.running = false
		m.mu.Unlock()
		return nil, false, false
	}
	if m.next >= len(m.batch) {
		m.batch, m.user, m.spare = m.user, m.spare, nil
		m.next = 0
	}
	m.mu.Unlock()
	return m.fromBatch(), false, true
}

func (m *mailbox) fromBatch() any {
	msg := m.batch[m.next]
	m.batch[m.next] = nil
	m.next++
	m.queued.Add(-1)
	if m.next == len(m.batch) {
		if cap(m.batch) <= keptBatch {
			m.spare = m.batch[:0]
		}
		m.batch, m.next = nil, 0
	}
	return msg
}
