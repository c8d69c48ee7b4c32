package actors

import (
	"fmt"
	"strconv"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/supervisor"
)

// The stable names of a client's tree. A name leads to the living incarnation,
// and to nowhere while there is none.

func clientID(h *handle.Handle) string        { return "client:" + h.Name() }
func clientActorName(h *handle.Handle) string { return "moldau/" + h.Name() + "/client" }
func brokersName(h *handle.Handle) string     { return "moldau/" + h.Name() + "/brokers" }
func producersName(h *handle.Handle) string   { return "moldau/" + h.Name() + "/producers" }
func consumersName(h *handle.Handle) string   { return "moldau/" + h.Name() + "/consumers" }
func subscribersName(h *handle.Handle) string { return "moldau/" + h.Name() + "/subscribers" }

func topicName(h *handle.Handle, topic string) string {
	return producersName(h) + "/" + topic
}

func subscriberName(h *handle.Handle, subscription string) string {
	return subscribersName(h) + "/" + subscription + "/subscriber"
}

func workersName(h *handle.Handle, subscription string) string {
	return subscribersName(h) + "/" + subscription + "/workers"
}

// brokerID is the child id of a broker's actor.
func brokerID(node int32) string {
	if node < 0 {
		return "broker:seed-" + strconv.Itoa(int(-node))
	}
	return "broker:" + strconv.Itoa(int(node))
}

func producerID(partition int32) string { return "producer:" + strconv.Itoa(int(partition)) }

func consumerID(p handle.Partition) string {
	return fmt.Sprintf("%s/consumer:%d", p.Topic, p.Partition)
}

func workerID(p handle.Partition) string { return fmt.Sprintf("worker:%s/%d", p.Topic, p.Partition) }

// tell sends to a name, if somebody lives there.
func tell(ctx actor.Context, name string, message any) {
	if pid := supervisor.Whereis(ctx.ActorSystem(), name); pid != nil {
		ctx.Send(pid, message)
	}
}
