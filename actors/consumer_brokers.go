package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/internal/consuming"
	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/supervisor"
)

// nearBroker is a broker actor that a consumer asks, and watches.
type nearBroker struct {
	pid   *actor.PID // nil: none
	node  int32
	watch supervisor.Ref
}

// at is the broker of a node: the leader, unless it is the replica alone.
func (c *consumer) at(node int32) *nearBroker {
	if node == c.replica.node && node != c.leader.node {
		return &c.replica
	}
	return &c.leader
}

// near watches the broker actor of a node in place of another. It is false when
// there is none.
func (c *consumer) near(ctx actor.Context, b *nearBroker, node int32) bool {
	pid := c.handle.Broker(node)
	if pid == nil {
		return false
	}
	if b.pid != nil {
		supervisor.Demonitor(ctx, b.watch)
		if !b.pid.Equal(pid) {
			c.unwant(ctx, b)
		}
	}
	b.pid, b.node, b.watch = pid, node, supervisor.Monitor(ctx, pid)
	return true
}

// unwant makes a broker actor forget us.
func (c *consumer) unwant(ctx actor.Context, b *nearBroker) {
	if b.pid != nil {
		ctx.Send(b.pid, &fetchUnwant{key: c.key, consumer: ctx.Self()})
	}
}

// want registers with the leader, or with the replica that it named.
func (c *consumer) want(ctx actor.Context, a consuming.Want) {
	b, epoch := &c.leader, int32(-1)
	if a.Node != c.leader.node {
		if b = &c.replica; (b.pid == nil || b.node != a.Node) && !c.near(ctx, b, a.Node) {
			c.do(ctx, c.core.BrokerDown(time.Now(), a.Node, errBrokerGone(a.Node, nil)))
			return
		}
	} else if leader, _ := c.handle.Cluster().Leader(c.key.Topic, c.key.Partition); leader.Leader == a.Node {
		epoch = leader.Epoch
	}
	ctx.Send(b.pid, &fetchWant{fetching.Want{
		Key: c.key, Number: a.Number, Offset: a.Offset, Epoch: epoch, Read: a.Epoch, MaxBytes: c.maxBytes, Consumer: ctx.Self(),
	}})
}
