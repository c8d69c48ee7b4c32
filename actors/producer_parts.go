package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/producing"
)

// part cuts a batch that the broker refused: in halves, or in records that fail
// and the rest.
func (p *producer) part(ctx actor.Context, a producing.Part, now time.Time) {
	batch := p.batches[a.ID]
	delete(p.batches, a.ID)
	var parts []*handle.Batch
	if len(a.Rejected) == 0 {
		parts = p.slot.Split(p.lease, batch, a.Unsure)
	} else {
		parts = p.reject(batch, a)
	}
	packed := make([]producing.Batch, len(parts))
	for i, b := range parts {
		packed[i] = p.pack(b)
	}
	p.do(ctx, p.core.Parted(now, a.ID, packed))
}

func (p *producer) reject(batch *handle.Batch, a producing.Part) []*handle.Batch {
	failed := make(map[int32]error, len(a.Rejected))
	for _, r := range a.Rejected {
		failed[r.Index] = r.Err
	}
	rest := p.slot.Reject(p.lease, batch, a.Unsure, failed)
	p.failed(len(failed), a.Rejected[0].Err)
	if rest == nil {
		return nil
	}
	return []*handle.Batch{rest}
}
