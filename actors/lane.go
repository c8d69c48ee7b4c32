package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/internal/direct"
	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/actors/internal/lane"
	"github.com/moldau-go/moldau/telemetry"
	"github.com/moldau-go/moldau/wire"
)

// laneKind names the connections of a broker. They are apart because a broker
// answers the requests of one connection in order: a parked fetch or a slow
// produce must not hold up anything else.
type laneKind int

const (
	laneControl laneKind = iota
	laneProduce
	laneAlone
	laneHotFetch
	laneColdFetch
	laneDirect // the first of several, as package direct numbers them
	laneCount  = laneDirect + direct.Lanes
)

func (k laneKind) String() string {
	switch {
	case k < laneDirect:
		return [...]string{"control", "produce", "produce alone", "fetch hot", "fetch cold"}[k]
	case k == laneDirect+direct.Shared:
		return "direct shared"
	}
	return fmt.Sprintf("direct %d", k-laneDirect+1)
}

func fetchLane(l fetching.Lane) laneKind {
	if l == fetching.Cold {
		return laneColdFetch
	}
	return laneHotFetch
}

// connLane is one connection of a broker actor, opened when first needed. It
// belongs to the actor's turn; what waits for it while it is dialled is told
// when it is up or has failed.
type connLane struct {
	core    lane.Core
	kind    laneKind
	conn    *wire.Conn
	waiting []func(*wire.Conn, error)
}

// with calls use with the connection, now or when it is up, or with the error
// that it cannot be opened.
func (l *connLane) with(ctx actor.Context, b *broker, use func(*wire.Conn, error)) {
	verdict, number := l.core.Need(time.Now())
	switch verdict {
	case lane.SendIt:
		use(l.conn, nil)
	case lane.RefuseIt:
		use(nil, l.core.Err())
	case lane.QueueIt:
		l.waiting = append(l.waiting, use)
	case lane.DialAndQueue:
		l.waiting = append(l.waiting, use)
		l.dial(ctx, b, number)
	}
}

// dial connects on a goroutine of the actor; life ends it. Once the connection
// is up, the same goroutine waits for its end.
func (l *connLane) dial(ctx actor.Context, b *broker, number int) {
	root, self, kind := ctx.ActorSystem().Root, ctx.Self(), l.kind
	life, config, address := b.life, b.wire, b.address
	go func() {
		begun := time.Now()
		conn, err := wire.Dial(life, address, config)
		if err != nil {
			root.Send(self, &laneDown{lane: kind, number: number, err: err})
			return
		}
		defer conn.Close(nil)
		root.Send(self, &laneUp{lane: kind, number: number, conn: conn, took: time.Since(begun)})
		select {
		case <-conn.Done():
		case <-life.Done():
			conn.Close(nil)
		}
		root.Send(self, &laneDown{lane: kind, number: number, dialed: true, err: conn.Err()})
	}()
}

func (l *connLane) up(b *broker, m *laneUp) {
	if !l.core.Connected(m.number) {
		m.conn.Close(nil)
		return
	}
	b.handle.Emit(telemetry.ConnectionOpened{Client: b.handle.Name(), Broker: b.id, Lane: l.kind.String(), Took: m.took})
	l.conn = m.conn
	waiting := l.waiting
	l.waiting = nil
	for _, use := range waiting {
		use(l.conn, nil)
	}
}

func (l *connLane) down(b *broker, m *laneDown) {
	if m.dialed {
		if l.core.Closed(m.number) {
			l.conn = nil
			b.handle.Emit(telemetry.ConnectionClosed{Client: b.handle.Name(), Broker: b.id, Lane: l.kind.String(), Err: m.err})
		}
		return
	}
	if !l.core.Failed(time.Now(), m.number, m.err) {
		return
	}
	b.handle.Emit(telemetry.ConnectFailed{Client: b.handle.Name(), Broker: b.id, Lane: l.kind.String(), Err: m.err, Retry: l.core.CoolDown})
	l.refuse(m.err)
}

func (l *connLane) refuse(err error) {
	waiting := l.waiting
	l.waiting = nil
	for _, use := range waiting {
		use(nil, err)
	}
}

// brokerGone is what those learn who had asked a broker actor that ended. What
// they had given it may have been written.
type brokerGone struct {
	broker string
	reason error
	unsent bool // what it was given had not been sent
}

func errBrokerGone(id int32, reason error) error {
	return &brokerGone{broker: brokerID(id), reason: reason}
}

func (e *brokerGone) Error() string {
	if e.reason == nil {
		return fmt.Sprintf("%s was ended", e.broker)
	}
	return fmt.Sprintf("%s ended: %v", e.broker, e.reason)
}

func (e *brokerGone) Unwrap() error         { return e.reason }
func (e *brokerGone) Is(target error) bool  { return target == wire.ErrConnection }
func (e *brokerGone) Retriable() bool       { return true }
func (e *brokerGone) RefreshMetadata() bool { return true }
func (e *brokerGone) SafeToRetry() bool     { return e.unsent }
