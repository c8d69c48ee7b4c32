package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire"
)

// directFetch asks a broker actor to send a fetch on one of its direct lanes.
type directFetch struct {
	request *kmsg.FetchRequest
	wait    time.Duration // how long the broker may hold it at most
	reply   func(kmsg.Response, error)
}

// directDone tells the broker actor that a direct fetch has its answer.
type directDone struct{ lane int }

// fetchDirect sends a direct fetch on the lane that the core chooses, to be held
// as long as the core allows.
func (b *broker) fetchDirect(ctx actor.Context, m *directFetch) {
	number, hold := b.direct.Take(m.wait)
	root, self := ctx.ActorSystem().Root, ctx.Self()
	b.lanes[laneDirect+laneKind(number)].with(ctx, b, func(conn *wire.Conn, err error) {
		if err != nil {
			b.direct.Done(number)
			m.reply(nil, err)
			return
		}
		m.request.MaxWaitMillis = int32(hold.Milliseconds())
		conn.Send(&wire.Call{Request: m.request, Timeout: hold + b.wire.RequestTimeout, Done: func(r wire.Result) {
			root.Send(self, &directDone{number}) // first: the caller may ask again at once
			m.reply(r.Response, r.Err)
		}})
	})
}
