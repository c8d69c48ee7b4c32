package actors

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/internal/producing"
)

// answered takes the outcome of an attempt. That of one which was taken for lost,
// as its broker's actor had ended, may come when the batch is on its way again: an
// ack is an ack, but an error says nothing of the new attempt.
func (p *producer) answered(ctx actor.Context, m *batchAnswer, now time.Time) {
	batch := p.batches[m.id]
	if batch == nil {
		return
	}
	p.here = m.here
	waits := slices.ContainsFunc(p.deferred, func(a producing.Send) bool { return a.ID == m.id })
	switch late := m.attempt != batch.Attempts || waits; {
	case !late:
		p.do(ctx, p.core.Answer(now, m.id, m.base, m.err, m.written))
	case m.err == nil:
		p.do(ctx, p.core.LateAck(now, m.id, m.base))
	}
	p.here = false
}
