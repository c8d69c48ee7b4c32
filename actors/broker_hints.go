package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/supervisor"
	"github.com/moldau-go/moldau/wire"
)

// tellHints tells the client actor which leaders an answer names. It runs on the
// connection's goroutine, before the producers are told of their errors.
func tellHints(system *actor.ActorSystem, h *handle.Handle, r wire.Result) {
	hints := hintsIn(r)
	if hints == nil {
		return
	}
	if client := supervisor.Whereis(system, clientActorName(h)); client != nil {
		system.Root.Send(client, &leaderHints{hints})
	}
}

// hintsIn are the leaders that a broker names in an answer beside an error that
// says it does not lead (KIP-951, Produce v10 and later).
func hintsIn(r wire.Result) (hints []metadata.Hint) {
	resp, ok := r.Response.(*kmsg.ProduceResponse)
	if !ok {
		return nil
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			if code := wire.Code(p.ErrorCode); code != wire.NotLeaderOrFollower && code != wire.FencedLeaderEpoch || p.CurrentLeader.LeaderID < 0 {
				continue
			}
			hints = append(hints, metadata.Hint{Topic: t.Topic, Partition: p.Partition, Leader: p.CurrentLeader.LeaderID, Epoch: p.CurrentLeader.LeaderEpoch})
		}
	}
	if len(hints) == 0 {
		return nil
	}
	brokers := make([]metadata.Broker, len(resp.Brokers))
	for i, b := range resp.Brokers {
		brokers[i] = metadata.Broker{ID: b.NodeID, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			brokers[i].Rack = *b.Rack
		}
	}
	for i := range hints {
		hints[i].Brokers = brokers
	}
	return hints
}
