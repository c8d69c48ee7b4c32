package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/direct"
	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/actors/internal/lane"
	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/actors/internal/outbox"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/wire"
)

// Purpose:  owns the connections of one broker and puts the work of many
// partitions into few requests.
// Parent:   brokers.
// Children: none. Each lane has the connection's own reader and writer, and one
// goroutine that dials it and waits for its end; all end with life.
// Messages: in brokerCall, sendBatch, sendOnce, fetchWant, fetchUnwant, lookUpOffset, directFetch,
// laneUp, laneDown, produceDone, hotDone, coldDone, offsetsDone, directDone, tick; out
// brokerUp and leaderHints to the client, batchAnswer to producers, fetched and resolved
// to consumers.
// Restart:  permanent, delayed by the cool-down.
// Crash:    loses nothing: who had given it something watches it, and takes it as
// unsure.
type broker struct {
	handle  *handle.Handle
	life    context.Context
	node    metadata.Broker
	id      string
	address string
	wire    wire.Config
	lanes   [laneCount]connLane

	outboxes [laneCount]*outbox.Core // batches that wait for the next request, of the produce lanes
	alarm    alarm
	fetches  *fetching.Core
	offsets  offsetQueue
	direct   direct.Core
}

func newBroker(life context.Context, h *handle.Handle, node metadata.Broker) *broker {
	b := &broker{handle: h, life: life, node: node, id: brokerID(node.ID), address: address(node), wire: h.Config().Wire()}
	for kind := range b.lanes {
		b.lanes[kind] = connLane{kind: laneKind(kind), core: lane.Core{CoolDown: h.Config().CoolDown}}
	}
	b.outboxes = newOutboxes(h.Config().Produce.RequestBytes)
	b.fetches = fetching.New(fetching.Config{MaxWait: h.Config().Consume.MaxWait, HotWait: hotWait})
	return b
}

// hotWait is how long the hot fetch lane may be parked at the broker: what a
// partition that is ready to read on waits at most for others.
const hotWait = 10 * time.Millisecond

// Receive implements actor.Actor.
func (b *broker) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		b.handle.SetBroker(b.node.ID, ctx.Self(), nil)
		tell(ctx, clientActorName(b.handle), &brokerUp{id: b.node.ID, pid: ctx.Self()})
	case *actor.Stopping:
		b.stop(ctx)
	case tick:
		b.lookAtOutboxes(ctx)
	case *brokerCall:
		b.call(ctx, m)
	case *sendBatch:
		b.addBatch(ctx, m)
	case *sendOnce:
		b.addOnce(ctx, m)
	case *produceDone:
		b.produced(ctx, m)
	case *fetchWant:
		b.fetch(ctx, b.fetches.Add(m.want))
	case *fetchUnwant:
		b.fetches.Remove(m.key, m.consumer)
	case *directFetch:
		b.fetchDirect(ctx, m)
	case *directDone:
		b.direct.Done(m.lane)
	case *hotDone:
		b.fetch(ctx, b.fetches.HotDone(m.sent, func(k fetching.Key) bool { return m.answered[k] }))
	case *coldDone:
		b.coldAnswered(ctx, m)
	case *lookUpOffset:
		b.addLookups(ctx, m)
	case *offsetsDone:
		b.lookedUp(ctx, m)
	case *laneUp:
		b.lanes[m.lane].up(b, m)
	case *laneDown:
		b.lanes[m.lane].down(b, m)
	}
}

// stop ends the connections; who waits for one is told.
func (b *broker) stop(ctx actor.Context) {
	b.alarm.stop()
	b.handle.SetBroker(b.node.ID, nil, ctx.Self())
	for kind := range b.lanes {
		l := &b.lanes[kind]
		l.refuse(&brokerGone{broker: b.id, unsent: true})
		if l.conn != nil {
			l.conn.Close(nil)
		}
	}
	for _, lane := range produceLanes {
		failBatches(ctx.ActorSystem().Root, b.outboxes[lane], &brokerGone{broker: b.id, unsent: true})
	}
	b.offsets.fail(ctx.ActorSystem().Root, &brokerGone{broker: b.id, unsent: true})
}

// call sends a request on the control lane.
func (b *broker) call(ctx actor.Context, m *brokerCall) {
	b.lanes[laneControl].with(ctx, b, func(conn *wire.Conn, err error) {
		if err != nil {
			m.reply(nil, err)
			return
		}
		if m.announced && conn.Versions().Origin() == wire.Assumed {
			m.reply(nil, &wire.VersionError{API: m.request.Key(), OurMax: m.request.MaxVersion(), BrokerMin: -1, BrokerMax: -1, Wanted: -1})
			return
		}
		if version, err := conn.Version(int16(kmsg.Metadata)); err == nil {
			m = uncreating(m, version)
		}
		call := &wire.Call{Request: m.request, Done: func(r wire.Result) { m.reply(r.Response, r.Err) }}
		if m.most > 0 {
			v, err := version(conn, kmsg.Key(m.request.Key()), m.most)
			if err != nil {
				m.reply(nil, err)
				return
			}
			m.request.SetVersion(v)
			call.FixedVersion = true
		}
		conn.Send(call)
	})
}

// version is the version of an API that a connection speaks, at most most.
func version(conn *wire.Conn, key kmsg.Key, most int16) (int16, error) {
	v, err := conn.Version(int16(key))
	return min(v, most), err
}

// Inspect tells of the lanes.
func (b *broker) Inspect() []supervisor.Attr {
	attrs := []supervisor.Attr{word("address", b.address)}
	for kind := range b.lanes {
		l := &b.lanes[kind]
		if l.core.State() != lane.Idle {
			attrs = append(attrs, word(l.kind.String(), l.core.State().String()))
		}
	}
	return attrs
}
