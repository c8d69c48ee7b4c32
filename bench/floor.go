package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// floorClient is no client at all: hand-built requests on one connection, what
// the protocol itself costs. It knows no failure but the end of the run.
func floorClient() client {
	return client{name: "floor", idempotent: true, producer: floorProducer, consumer: floorConsumer}
}

// floorConn is one connection to the broker that leads every partition.
type floorConn struct {
	conn  net.Conn
	plain bool // writev is worth it
	count int64
	next  int32 // correlation id
	head  [4]byte
}

func floorDial(ctx context.Context, j *job) (*floorConn, error) {
	config, err := j.tls()
	if err != nil {
		return nil, err
	}
	address, _, _ := strings.Cut(j.Broker, ",")
	var conn net.Conn
	if config != nil {
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	c := &floorConn{conn: conn, plain: config == nil}
	if err := c.oneLeader(j); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// oneLeader makes sure that one connection is enough.
func (c *floorConn) oneLeader(j *job) error {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &j.Topic
	req.Topics = append(req.Topics, topic)
	req.Version = 8
	resp, err := c.do(req)
	if err != nil {
		return err
	}
	meta := resp.(*kmsg.MetadataResponse)
	if len(meta.Brokers) != 1 {
		return fmt.Errorf("the floor needs a cluster of one broker, not %d", len(meta.Brokers))
	}
	return codeError(meta.Topics[0].ErrorCode)
}

func codeError(code int16) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("the broker answers with error code %d", code)
}

// do is one request and its answer.
func (c *floorConn) do(req kmsg.Request) (kmsg.Response, error) {
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench"))
	c.next++
	if _, err := c.conn.Write(formatter.AppendRequest(nil, req, c.next)); err != nil {
		return nil, err
	}
	var buf []byte
	body, err := c.answer(&buf)
	if err != nil {
		return nil, err
	}
	resp := req.ResponseKind()
	return resp, resp.ReadFrom(body)
}

// answer reads the next answer into *buf, grown if need be, and returns what
// follows its correlation id.
func (c *floorConn) answer(buf *[]byte) ([]byte, error) {
	if _, err := io.ReadFull(c.conn, c.head[:]); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(c.head[:]))
	if size < 4 || size > 1<<30 {
		return nil, errors.New("an answer of an impossible size")
	}
	if cap(*buf) < size {
		*buf = make([]byte, size)
	}
	body := (*buf)[:size]
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return nil, err
	}
	return body[4:], nil
}

// requestHead appends a request's header, version 1, behind 4 bytes for its size.
func (c *floorConn) requestHead(b []byte, key kmsg.Key, version int16) []byte {
	c.next++
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(c.next))
	return appendText(b, "bench")
}

func appendText(b []byte, text string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}
