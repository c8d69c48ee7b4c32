package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/actors/internal/fetching"
	"github.com/moldau-go/moldau/actors/internal/metadata"
	"github.com/moldau-go/moldau/wire"
)

// The messages between the actors of one tree. A reply function is called
// exactly once while both sides live, must not block, and usually sends a
// message on.

// findLeader asks the client actor to make sure that the view of the cluster
// has a partition's leader (partition -1: a topic). stale says that the one it
// has does not work.
type findLeader struct {
	topic     string
	partition int32
	stale     bool
	atLeast   int32 // with stale: a leader of this epoch or a later one is an answer at once; 0: none is
	reply     func(error)
}

// leaderHints are what a broker said of leaders beside its errors (KIP-951). They
// come before the errors, so that who then asks for a leader is told this one.
type leaderHints struct{ hints []metadata.Hint }

// leaderFound is the reply to an actor; the leader is in the view.
type leaderFound struct{ err error }

// useTopic tells the client actor that a topic is produced to from now on.
type useTopic struct{ topic *handle.Topic }

// dropTopic tells it that a topic is not produced to any more.
type dropTopic struct{ topic *handle.Topic }

// brokerUp tells the client actor of a broker actor that can be asked.
type brokerUp struct {
	id  int32
	pid *actor.PID
}

// metadataAnswer is the outcome of a metadata request.
type metadataAnswer struct {
	number int
	resp   *kmsg.MetadataResponse
	err    error
}

// brokerCall asks a broker actor to send a request on its control lane.
type brokerCall struct {
	request kmsg.Request
	// announced: only a broker that was asked what it knows gets the request.
	announced bool
	most      int16 // the highest version to use; 0: that of the API
	reply     func(kmsg.Response, error)
}

// sendBatch asks a broker actor to produce a batch. It holds the batch's bytes
// under the sender's lease from when it has them in hand, so a message that gets
// lost leaves nothing held.
type sendBatch struct {
	batch *handle.Batch
	lease uint64
	id    uint64
	alone bool // in a request of its own
	from  *actor.PID
	// attempt is which of the batch's it is, from 1.
	attempt int
}

// answer is the outcome of what was not put on the wire.
func (m *sendBatch) answer(err error) *batchAnswer {
	return &batchAnswer{id: m.id, attempt: m.attempt, base: -1, err: err}
}

// refuse implements toSend.
func (m *sendBatch) refuse(root *actor.RootContext, err error) { root.Send(m.from, m.answer(err)) }

// batchAnswer is the outcome of a batch; written says that the broker may have
// had it.
type batchAnswer struct {
	id      uint64
	attempt int
	base    int64
	err     error
	written bool
	here    bool // the turn runs on the connection's goroutine
}

// needIdentity asks the client actor to make sure of a producer id.
type needIdentity struct{ reply func(error) }

// identityFound is the reply to a producer; the id is in the handle.
type identityFound struct{ err error }

// identityAnswer is the outcome of an InitProducerId request.
type identityAnswer struct {
	from *actor.PID
	resp *kmsg.InitProducerIDResponse
	err  error
}

// fetchWant registers a consumer's wish with a broker actor.
type fetchWant struct{ want fetching.Want }

// fetchUnwant takes it back.
type fetchUnwant struct {
	key      fetching.Key
	consumer *actor.PID
}

// fetched is what a broker had for a partition.
type fetched struct {
	number        uint64
	data          []byte
	highWatermark int64
	lastStable    int64
	aborted       []kmsg.FetchResponseTopicPartitionAbortedTransaction
	replica       int32 // to be read from instead; -1: none
	diverged      kmsg.FetchResponseTopicPartitionDivergingEpoch
	answer        *handle.Answer // the memory that data is in, held; nil: its own
	err           error
}

// laneUp and laneDown are the outcomes of a dial and the end of a connection.
type laneUp struct {
	lane   laneKind
	number int
	conn   *wire.Conn
	took   time.Duration
}

type laneDown struct {
	lane   laneKind
	number int
	dialed bool // the connection had been up
	err    error
}
