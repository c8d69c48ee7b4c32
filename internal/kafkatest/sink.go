package kafkatest

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Sink is a broker in memory that acks what is produced and keeps nothing: what is measured on it is the client. It
// knows one topic, and looks at no record. A connection answers in the goroutine that writes to it. Safe for concurrent
// use; it has nothing to close.
type Sink struct {
	topic      string
	partitions int32
}

// NewSink is a sink with one topic. Its Dial is the way to it, for any address.
func NewSink(topic string, partitions int32) *Sink { return &Sink{topic, partitions} }

// Addr is an address for a configuration.
func (s *Sink) Addr() string { return "sink:9092" }

// Dial fits net.Dialer.DialContext.
func (s *Sink) Dial(context.Context, string, string) (net.Conn, error) {
	c := &sinkConn{sink: s}
	c.more.L = &c.mu
	return c, nil
}

// sinkProduce is the one version of Produce that a sink reads without decoding it.
const sinkProduce = 9

// sinkConn is a connection, seen by the client.
type sinkConn struct {
	sink *Sink

	// Of the one goroutine that writes.
	step      func(*sinkConn, *kbin.Reader) bool // reads on when there is enough; nil at the begin of a frame
	in        []byte                             // not read yet
	skip      int                                // record bytes to leave out
	left      int                                // topics, or partitions of the topic at hand
	topics    int
	header    sinkHeader
	answering kmsg.ProduceResponse

	mu     sync.Mutex
	more   sync.Cond
	out    bytes.Buffer
	closed bool
}

type sinkHeader struct {
	key, version int16
	id           int32
}

// sinkStep is how much is looked at together: enough for what stands between two partitions' records.
const sinkStep = 512

// Write takes requests.
func (c *sinkConn) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		if c.skip > 0 {
			left := min(c.skip, len(b))
			c.skip, b = c.skip-left, b[left:]
			continue
		}
		some := min(sinkStep, len(b))
		c.in, b = append(c.in, b[:some]...), b[some:]
		for c.skip == 0 && c.advance() {
		}
	}
	return n, nil
}

// advance reads one step, if all of it is there.
func (c *sinkConn) advance() bool {
	if c.step == nil {
		return c.frame()
	}
	r := &kbin.Reader{Src: c.in}
	if !c.step(c, r) || r.Complete() != nil {
		return false
	}
	c.in = append(c.in[:0], r.Src...)
	return true
}

// frame reads the begin of a request, or all of one that is not Produce.
func (c *sinkConn) frame() bool {
	const fixed = 4 + 2 + 2 + 4 + 2
	if len(c.in) < fixed {
		return false
	}
	size := int(binary.BigEndian.Uint32(c.in))
	r := &kbin.Reader{Src: c.in[4:]}
	c.header = sinkHeader{r.Int16(), r.Int16(), r.Int32()}
	if c.header.key == int16(kmsg.Produce) {
		c.step = (*sinkConn).begin
		return true
	}
	if len(c.in) < 4+size {
		return false
	}
	c.answer(r)
	c.in = append(c.in[:0], c.in[4+size:]...)
	return true
}

// begin reads a Produce request up to its topics. Steps are tried anew until all of one is there.
func (c *sinkConn) begin(r *kbin.Reader) bool {
	r.Span(4 + 2 + 2 + 4)
	r.NullableString()
	kmsg.SkipTags(r)
	r.CompactNullableString() // transactional id
	r.Int16()
	r.Int32()
	topics := int(r.CompactArrayLen())
	if r.Complete() != nil {
		return false
	}
	c.topics, c.answering = topics, kmsg.NewProduceResponse()
	c.answering.Version = sinkProduce
	c.step = (*sinkConn).beginTopic
	return true
}

func (c *sinkConn) beginTopic(r *kbin.Reader) bool {
	topic := kmsg.NewProduceResponseTopic()
	topic.Topic = r.CompactString()
	partitions := int(r.CompactArrayLen())
	if r.Complete() != nil {
		return false
	}
	c.answering.Topics = append(c.answering.Topics, topic)
	c.left, c.step = partitions, (*sinkConn).partition
	return true
}

// partition reads up to its records, which are left out.
func (c *sinkConn) partition(r *kbin.Reader) bool {
	p := kmsg.NewProduceResponseTopicPartition()
	p.Partition = r.Int32()
	size := int(r.Uvarint()) - 1
	if r.Complete() != nil {
		return false
	}
	topic := &c.answering.Topics[len(c.answering.Topics)-1]
	topic.Partitions = append(topic.Partitions, p)
	here := min(size, len(r.Src))
	r.Span(here)
	c.skip, c.step = size-here, (*sinkConn).endPartition
	return true
}

func (c *sinkConn) endPartition(r *kbin.Reader) bool {
	kmsg.SkipTags(r)
	last := c.left == 1
	if last {
		kmsg.SkipTags(r) // of the topic
		if c.topics == 1 {
			kmsg.SkipTags(r) // of the request
		}
	}
	if r.Complete() != nil {
		return false
	}
	c.left, c.step = c.left-1, (*sinkConn).partition
	if last {
		c.topics, c.step = c.topics-1, (*sinkConn).beginTopic
		if c.topics == 0 {
			c.step = nil
			c.reply(&c.answering, true)
		}
	}
	return true
}

// answer answers a request that is there as a whole.
func (c *sinkConn) answer(r *kbin.Reader) {
	req := kmsg.RequestForKey(c.header.key)
	req.SetVersion(c.header.version)
	resp := req.ResponseKind()
	resp.SetVersion(c.header.version)
	switch resp := resp.(type) {
	case *kmsg.ApiVersionsResponse:
		for key, most := range map[kmsg.Key]int16{kmsg.Produce: sinkProduce, kmsg.Metadata: 9, kmsg.ApiVersions: 3, kmsg.InitProducerID: 4} {
			k := kmsg.NewApiVersionsResponseApiKey()
			k.ApiKey, k.MaxVersion = int16(key), most
			resp.ApiKeys = append(resp.ApiKeys, k)
		}
		c.reply(resp, false)
		return
	case *kmsg.MetadataResponse:
		c.sink.describe(resp)
	case *kmsg.InitProducerIDResponse:
		resp.ProducerID = 1
	}
	c.reply(resp, req.IsFlexible())
}

func (s *Sink) describe(resp *kmsg.MetadataResponse) {
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port = 1, "sink", 9092
	resp.Brokers, resp.ControllerID = append(resp.Brokers, broker), 1
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic = &s.topic
	for p := range s.partitions {
		partition := kmsg.NewMetadataResponseTopicPartition()
		partition.Partition, partition.Leader, partition.LeaderEpoch = p, 1, 0
		partition.Replicas, partition.ISR = []int32{1}, []int32{1}
		topic.Partitions = append(topic.Partitions, partition)
	}
	resp.Topics = append(resp.Topics, topic)
}

func (c *sinkConn) reply(resp kmsg.Response, tags bool) {
	out := binary.BigEndian.AppendUint32(make([]byte, 4, 256), uint32(c.header.id))
	if tags {
		out = append(out, 0)
	}
	out = resp.AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	c.mu.Lock()
	c.out.Write(out)
	c.mu.Unlock()
	c.more.Signal()
}

// Read gives answers, one reader at a time.
func (c *sinkConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out.Len() == 0 && !c.closed {
		c.more.Wait()
	}
	if c.closed {
		return 0, io.EOF
	}
	return c.out.Read(b)
}

// Close ends Read.
func (c *sinkConn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.more.Broadcast()
	return nil
}

func (c *sinkConn) LocalAddr() net.Addr  { return memAddr("client:0") }
func (c *sinkConn) RemoteAddr() net.Addr { return memAddr("sink:9092") }

// A sink answers at once: no deadline is ever met.
func (c *sinkConn) SetDeadline(time.Time) error      { return nil }
func (c *sinkConn) SetReadDeadline(time.Time) error  { return nil }
func (c *sinkConn) SetWriteDeadline(time.Time) error { return nil }
