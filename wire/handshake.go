package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// shaker talks on a connection before its goroutines exist: one request at a
// time, written and read in place. What bounds it is that ctx's end closes the
// connection.
type shaker struct {
	*dialing
	conn   net.Conn
	raw    net.Conn
	frames *frameReader
	header requestHeader
	id     int32
}

// roundTrip sends a request and gives the body of its answer.
func (s *shaker) roundTrip(req kmsg.Request) ([]byte, error) {
	id := s.id
	s.id = nextCorrelation(s.id)
	frame := req.AppendTo(s.header.append(nil, req, id))
	putLength(frame, len(frame)-4)
	if _, err := s.conn.Write(frame); err != nil {
		return nil, err
	}
	size, err := s.frames.size(4)
	if err != nil {
		return nil, err
	}
	got, err := s.frames.correlation()
	if err != nil {
		return nil, err
	}
	if got != id {
		return nil, &FrameError{Size: int32(size), Max: s.cfg.MaxFrame, Reason: fmt.Sprintf("it answers correlation id %d instead of %d", got, id)}
	}
	body, err := s.frames.body(size-4, nil)
	if err != nil {
		return nil, err
	}
	return skipResponseHeader(body, req.Key(), req.IsFlexible())
}

// exchange sends a request and decodes its answer.
func (s *shaker) exchange(req kmsg.Request) (kmsg.Response, error) {
	body, err := s.roundTrip(req)
	if err != nil {
		return nil, err
	}
	return decode(req, body)
}

// exchangeToken sends a bare SASL token and gives the answer's (handshake v0).
func (s *shaker) exchangeToken(token []byte) ([]byte, error) {
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(token))), token...)
	if _, err := s.conn.Write(frame); err != nil {
		return nil, err
	}
	size, err := s.frames.size(0)
	if err != nil {
		return nil, err
	}
	return s.frames.body(size, nil)
}

// agree finds out what the broker speaks, unless that is known. Of a broker that
// is taken for one before 0.10 it wants a sign of life.
func (s *shaker) agree(ctx context.Context, known Versions) (Versions, error) {
	if s.mayBeOld {
		return known, s.probeOld(ctx)
	}
	if known.Known() {
		return known, nil
	}
	limited := ctx
	if s.cfg.SASL == nil {
		// Half of the time is kept for the second attempt.
		end, _ := ctx.Deadline()
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	stop := context.AfterFunc(limited, func() { _ = s.raw.Close() })
	defer stop()
	versions, err := s.askVersions()
	if err == nil && limited.Err() == nil {
		return versions, nil
	}
	if err == nil || limited.Err() != nil {
		err = ended(limited, err)
	}
	// Brokers before 0.10 know no login that this package offers.
	s.mayBeOld = s.cfg.SASL == nil && s.frames.total == 0 && (isCut(err) || isTimeout(err))
	return Versions{}, s.fail(ctx, StageVersions, err, hintFirstAnswer(err, s.cfg.TLS != nil))
}

// Brokers answer a version of ApiVersions that they do not know in v0, with
// UNSUPPORTED_VERSION and, since 2.4, the versions that they do know (KIP-511).
const (
	firstAsked    = 4
	versionRounds = 3
	softwareName  = "moldau"
)

var (
	errNoVersions = errors.New("the broker's answer lists no API")
	errNoEnd      = errors.New("the broker refuses every version of ApiVersions")
)

func (s *shaker) askVersions() (Versions, error) {
	version := int16(firstAsked)
	if pin, ok := s.cfg.Pins[keyAPIVersions]; ok {
		version = pin
	}
	for range versionRounds {
		req := kmsg.NewPtrApiVersionsRequest()
		req.Version = version
		req.ClientSoftwareName, req.ClientSoftwareVersion = softwareName, s.cfg.SoftwareVersion
		body, err := s.roundTrip(req)
		if err != nil {
			return Versions{}, err
		}
		resp, err := decodeVersions(req, body)
		switch {
		case err != nil:
			return Versions{}, err
		case Code(resp.ErrorCode) == UnsupportedVersion && version > 0:
			version = downgrade(resp, version)
		case Code(resp.ErrorCode) != None:
			return Versions{}, &Error{Code: Code(resp.ErrorCode), API: keyAPIVersions, Broker: s.address}
		case len(resp.ApiKeys) == 0:
			return Versions{}, errNoVersions
		default:
			return versionsFrom(resp), nil
		}
	}
	return Versions{}, errNoEnd
}

// decodeVersions reads an answer to ApiVersions: in v0 if it begins with
// UNSUPPORTED_VERSION, whatever was asked.
func decodeVersions(req *kmsg.ApiVersionsRequest, body []byte) (*kmsg.ApiVersionsResponse, error) {
	if len(body) >= 2 && Code(binary.BigEndian.Uint16(body)) == UnsupportedVersion {
		req.Version = 0
	}
	resp, err := decode(req, body)
	if err != nil {
		return nil, err
	}
	return resp.(*kmsg.ApiVersionsResponse), nil
}

// downgrade is the version of ApiVersions to ask next, always a lower one.
func downgrade(resp *kmsg.ApiVersionsResponse, refused int16) int16 {
	for i := range resp.ApiKeys {
		if k := &resp.ApiKeys[i]; k.ApiKey == keyAPIVersions && k.MaxVersion >= 0 && k.MaxVersion < refused {
			return k.MaxVersion
		}
	}
	return 0
}

// probeOld sends the cheapest request that every broker before 0.10 answers and
// none since 4.0 does: ListOffsets v0 about no topic. So a new broker that was
// only slow or restarting is not taken for an old one.
func (s *shaker) probeOld(ctx context.Context) error {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	if _, err := s.exchange(req); err != nil {
		return s.fail(ctx, StageVersions, err, hintFirstAnswer(err, s.cfg.TLS != nil))
	}
	return nil
}
