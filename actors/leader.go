package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/wire"
)

// askLeader asks the client actor for a partition's leader; leaderFound tells
// ctx's actor when the view has it. stale says that the one it has does not work;
// one of epoch atLeast or later may all the same (0: none does).
func askLeader(ctx actor.Context, h *handle.Handle, topic string, partition int32, stale bool, atLeast int32) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	tell(ctx, clientActorName(h), &findLeader{
		topic: topic, partition: partition, stale: stale, atLeast: atLeast, reply: func(err error) { root.Send(self, &leaderFound{err}) },
	})
}

// orNoLeader is why a leader could not be found.
func orNoLeader(err error, topic string, partition int32) error {
	if err != nil {
		return err
	}
	return &wire.Error{Code: wire.LeaderNotAvailable, API: int16(kmsg.Metadata), Topic: topic, Partition: partition}
}
