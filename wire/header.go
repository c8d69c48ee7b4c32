package wire

import (
	"encoding/binary"
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxCorrelation is the last correlation id before it wraps to 0.
const maxCorrelation = 1<<31 - 1

// nextCorrelation is the id after id.
func nextCorrelation(id int32) int32 { return (id + 1) & maxCorrelation }

// requestHeader is what all requests of a connection have in common: the
// client id as the protocol's nullable string.
type requestHeader struct{ clientID []byte }

func newRequestHeader(clientID string) requestHeader {
	if clientID == "" {
		return requestHeader{[]byte{0xff, 0xff}}
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(len(clientID)))
	return requestHeader{append(b, clientID...)}
}

// append writes four bytes for the frame's length, to be filled in later, and
// the request header: v1, or v2 with no tags if the request is flexible
// (KIP-482; the client id stays a plain string). ControlledShutdown v0 alone
// has header v0, without a client id.
func (h requestHeader) append(dst []byte, req kmsg.Request, id int32) []byte {
	key, version := req.Key(), req.GetVersion()
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(key))
	dst = binary.BigEndian.AppendUint16(dst, uint16(version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(id))
	if key == 7 && version == 0 {
		return dst
	}
	dst = append(dst, h.clientID...)
	if req.IsFlexible() {
		dst = append(dst, 0)
	}
	return dst
}

// putLength fills in a frame's length, which counts what follows it.
func putLength(frame []byte, following int) {
	binary.BigEndian.PutUint32(frame, uint32(following))
}

var errTags = errors.New("the tags of the answer's header run past its end")

// skipResponseHeader skips what follows the correlation id in an answer's
// header: nothing, or tagged fields if the answer is flexible. ApiVersions is
// always answered with header v0, so that a client can read the refusal of a
// version (KIP-511).
func skipResponseHeader(b []byte, key int16, flexible bool) ([]byte, error) {
	if !flexible || key == keyAPIVersions {
		return b, nil
	}
	tags, b, ok := uvarint(b)
	for ; ok && tags > 0; tags-- {
		var size uint64
		if _, b, ok = uvarint(b); !ok {
			break
		}
		if size, b, ok = uvarint(b); !ok || size > uint64(len(b)) {
			return nil, errTags
		}
		b = b[size:]
	}
	if !ok {
		return nil, errTags
	}
	return b, nil
}

func uvarint(b []byte) (value uint64, rest []byte, ok bool) {
	value, n := binary.Uvarint(b)
	if n <= 0 || value > maxCorrelation {
		return 0, nil, false
	}
	return value, b[n:], true
}
