package kafkatest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// rawConn sends one request at a time over one plain connection. It is the kit's own little client, so that the kit
// does not rest on the code that it tests.
type rawConn struct {
	conn     net.Conn
	format   *kmsg.RequestFormatter
	next     int32
	versions map[int16]int16 // what the broker takes at most; nil before Kafka 0.10, where version 0 is spoken
}

const (
	rawTimeout  = 30 * time.Second // per request, within ctx
	rawMaxFrame = 64 << 20
)

// dialRaw connects over TCP and, where the broker can tell, learns its versions.
func dialRaw(ctx context.Context, address string, v version) (*rawConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return newRawConn(ctx, conn, v)
}

// newRawConn owns conn from now on.
func newRawConn(ctx context.Context, conn net.Conn, v version) (*rawConn, error) {
	c := &rawConn{conn: conn, format: kmsg.NewRequestFormatter(kmsg.FormatterClientID("kafkatest"))}
	if !v.apiVersions() {
		return c, nil
	}
	if err := c.learn(ctx); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *rawConn) close() { _ = c.conn.Close() }

func (c *rawConn) learn(ctx context.Context) error {
	response, err := c.do(ctx, kmsg.NewPtrApiVersionsRequest())
	if err != nil {
		return err
	}
	c.versions = map[int16]int16{}
	for _, key := range response.(*kmsg.ApiVersionsResponse).ApiKeys {
		c.versions[key.ApiKey] = key.MaxVersion
	}
	return nil
}

// do sends the request in the newest version that both sides know and waits for the answer.
func (c *rawConn) do(ctx context.Context, request kmsg.Request) (kmsg.Response, error) {
	request.SetVersion(0)
	if c.versions != nil {
		most, ok := c.versions[request.Key()]
		if !ok {
			return nil, fmt.Errorf("the broker does not know %s", kmsg.NameForKey(request.Key()))
		}
		request.SetVersion(min(most, request.MaxVersion()))
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := c.conn.SetDeadline(time.Now().Add(rawTimeout)); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	c.next++
	if _, err := c.conn.Write(c.format.AppendRequest(nil, request, c.next)); err != nil {
		return nil, err
	}
	body, err := c.answer(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	response := request.ResponseKind()
	if err := response.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("the answer to %s cannot be read: %w", kmsg.NameForKey(request.Key()), err)
	}
	return response, nil
}

// answer reads one frame and takes the header off.
func (c *rawConn) answer(request kmsg.Request) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(c.conn, head[:]); err != nil {
		return nil, err
	}
	size, correlation := binary.BigEndian.Uint32(head[:4]), int32(binary.BigEndian.Uint32(head[4:]))
	if size < 4 || size > rawMaxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", size)
	}
	if correlation != c.next {
		return nil, fmt.Errorf("an answer to request %d, not %d", correlation, c.next)
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return nil, err
	}
	// Flexible answers have tagged fields in their header (KIP-482), but ApiVersions' never.
	if request.IsFlexible() && request.Key() != int16(kmsg.ApiVersions) {
		return skipTags(body)
	}
	return body, nil
}

var errShortAnswer = errors.New("the answer ends within its header")

func skipTags(b []byte) ([]byte, error) {
	count, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, errShortAnswer
	}
	b = b[n:]
	for range count {
		_, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errShortAnswer
		}
		size, m := binary.Uvarint(b[n:])
		if m <= 0 || size > uint64(len(b)-n-m) {
			return nil, errShortAnswer
		}
		b = b[n+m+int(size):]
	}
	return b, nil
}
