package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// errorCode is a Kafka error code in an answer to the kit.
type errorCode struct {
	code int16
	text string
}

func (e *errorCode) Error() string {
	if e.text == "" {
		return "Kafka error " + strconv.Itoa(int(e.code))
	}
	return fmt.Sprintf("Kafka error %d: %s", e.code, e.text)
}

func codeError(code int16, message *string) error {
	if code == 0 {
		return nil
	}
	e := &errorCode{code: code}
	if message != nil {
		e.text = *message
	}
	return e
}

// request asks one node.
func (n *Node) request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	conn, err := dialRaw(ctx, n.internal, n.kafka.version)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	return conn.do(ctx, req)
}

// metadata of all topics, or of one.
func (n *Node) metadata(ctx context.Context, topic string) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	if topic != "" {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		req.Topics = append(req.Topics, t)
	}
	response, err := n.request(ctx, req)
	if err != nil {
		return nil, err
	}
	return response.(*kmsg.MetadataResponse), nil
}

// ready asks the node itself whether it serves and whom it knows.
func (n *Node) ready(ctx context.Context, brokers int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	meta, err := n.metadata(ctx, "")
	if err != nil {
		return err
	}
	if !n.kafka.version.atLeast(0, 9) {
		return n.kafka.registered(ctx, n, brokers)
	}
	known := false
	for _, b := range meta.Brokers {
		known = known || b.NodeID == n.id
	}
	if !known || len(meta.Brokers) < brokers {
		return fmt.Errorf("it knows %d of %d brokers", len(meta.Brokers), brokers)
	}
	if meta.Version >= 1 && meta.ControllerID < 0 {
		return errors.New("it knows no controller")
	}
	return nil
}

// registered asks ZooKeeper where the broker itself does not tell: before 0.9 the controller sends no metadata while
// there is no topic, so a broker of a new cluster answers that it knows nobody.
func (k *Kafka) registered(ctx context.Context, n *Node, brokers int) error {
	dump, err := k.zookeeper.ask(ctx, "dump")
	if err != nil {
		return err
	}
	known := strings.Count(string(dump), "/brokers/ids/")
	self := strings.Contains(string(dump), registration(n.id))
	if !self || known < brokers || !strings.Contains(string(dump), "/controller\n") {
		return fmt.Errorf("%d of %d brokers are registered", known, brokers)
	}
	return nil
}

// anyUp returns a node that should answer.
func (k *Kafka) anyUp() (*Node, error) {
	for _, n := range k.nodes {
		if n.State() == NodeUp {
			return n, nil
		}
	}
	return nil, errors.New("kafkatest: no node is up")
}

// controller returns the node that takes administration requests; under KRaft every broker passes them on.
func (k *Kafka) controller(ctx context.Context) (*Node, error) {
	n, err := k.anyUp()
	if err != nil {
		return nil, err
	}
	meta, err := n.metadata(ctx, "")
	if err != nil {
		return nil, err
	}
	c := k.NodeByID(meta.ControllerID)
	if c == nil || c.State() != NodeUp {
		return nil, fmt.Errorf("kafkatest: the controller (node %d) is not up", meta.ControllerID)
	}
	return c, nil
}

// retry calls try until it succeeds, ctx ends, or the failure is one that waiting does not cure.
func retry(ctx context.Context, try func(context.Context) error) error {
	for {
		err := try(ctx)
		var final *finalError
		if err == nil {
			return nil
		}
		if errors.As(err, &final) {
			return final.error
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// finalError marks what retry must not try again.
type finalError struct{ error }

// partition finds one partition in metadata.
func partition(meta *kmsg.MetadataResponse, topic string, number int32) (*kmsg.MetadataResponseTopicPartition, error) {
	for i := range meta.Topics {
		t := &meta.Topics[i]
		if t.Topic == nil || *t.Topic != topic {
			continue
		}
		if err := codeError(t.ErrorCode, nil); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(t.Partitions, func(p kmsg.MetadataResponseTopicPartition) bool { return p.Partition == number })
		if at >= 0 {
			return &t.Partitions[at], nil
		}
	}
	return nil, fmt.Errorf("partition %s/%d is not known", topic, number)
}

// Leader returns the Kafka id of a partition's leader as a living node tells it; -1 when there is none now.
func (k *Kafka) Leader(ctx context.Context, topic string, number int32) (int32, error) {
	n, err := k.anyUp()
	if err != nil {
		return -1, err
	}
	meta, err := n.metadata(ctx, topic)
	if err != nil {
		return -1, fmt.Errorf("kafkatest: the leader of %s/%d: %w", topic, number, err)
	}
	p, err := partition(meta, topic, number)
	if err != nil {
		return -1, fmt.Errorf("kafkatest: the leader of %s/%d: %w", topic, number, err)
	}
	return p.Leader, nil
}
