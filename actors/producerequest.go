package actors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/actors/handle"
	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

// produceRequest is a Produce request whose record bytes are written from where
// they are, without being copied into the request. Encoding it twice gives the
// same bytes.
type produceRequest struct {
	kmsg.ProduceRequest
	parts []producePart // ordered by topic
}

type producePart struct {
	m      *sendBatch
	header [record.HeaderSize]byte
	chunks [][]byte
	size   int
}

// newProduceRequest puts batches, which are held for it, into a request, which
// releases them. Those that it cannot take are refused and released. For a broker before 0.11 they
// are written anew as message sets.
func newProduceRequest(version int16, acks handle.Acks, timeout time.Duration, batches []*sendBatch, codecs *compress.Registry) (r *produceRequest, refused map[*sendBatch]error) {
	r = &produceRequest{ProduceRequest: kmsg.NewProduceRequest(), parts: make([]producePart, 0, len(batches))}
	r.Version, r.Acks, r.TimeoutMillis = version, acks.Wire(), int32(timeout.Milliseconds())
	batches = slices.SortedStableFunc(slices.Values(batches), func(a, b *sendBatch) int { return cmp.Compare(a.batch.Topic(), b.batch.Topic()) })
	refused = map[*sendBatch]error{}
	for _, m := range batches {
		p := producePart{m: m}
		if version < 3 {
			if err := p.downConvert(version, codecs); err != nil {
				refused[m] = err
				m.batch.Release()
				continue
			}
			r.parts = append(r.parts, p)
			continue
		}
		if err := codecFits(version, m.batch.Header().Attributes.Codec()); err != nil {
			refused[m] = err
			m.batch.Release()
			continue
		}
		p.chunks = m.batch.Payload(make([][]byte, 0, 8))
		header := m.batch.Header()
		if sum, known := m.batch.Sum(); known {
			record.PutHeaderSum(&p.header, &header, sum)
		} else {
			record.PutHeader(&p.header, &header, p.chunks...)
		}
		p.size = record.HeaderSize
		for _, c := range p.chunks {
			p.size += len(c)
		}
		r.parts = append(r.parts, p)
	}
	return r, refused
}

// zstdVersion is the first version of Produce whose batches may be in zstd (KIP-110).
const zstdVersion = 7

// codecFits refuses a codec that a version of Produce has no place for.
func codecFits(version int16, codec compress.Type) error {
	if codec == compress.Zstd && version < zstdVersion {
		return &wire.Error{Code: wire.UnsupportedCompressionType, API: int16(kmsg.Produce), Partition: -1,
			Cause: fmt.Errorf("the broker speaks Produce up to v%d, and zstd needs v%d: Kafka 2.1", version, zstdVersion)}
	}
	return nil
}

// downConvert writes the batch as a message set. Brokers before 0.11 have no
// place for headers, those before 0.10 none for timestamps: they fail the batch,
// as they are data, unless the topic's settings drop them; but a timestamp that we
// gave is nobody's loss.
func (p *producePart) downConvert(version int16, codecs *compress.Registry) error {
	header := p.m.batch.Header()
	drop := p.m.batch.Config().DropUnsupported
	to := record.Legacy{Codec: p.m.batch.Config().Codec, Level: p.m.batch.Config().CodecLevel, Codecs: codecs, DropHeaders: drop, DropTimestamps: drop || !p.m.batch.Stamped()}
	if version == 2 {
		to.Magic = 1
	}
	set, err := record.DownConvert(nil, &header, to, p.m.batch.Records(nil)...)
	if err != nil {
		return err
	}
	p.chunks, p.size = [][]byte{set}, len(set)
	return nil
}

// AppendVectors appends the body: scratch bytes for what is in between, and the
// record bytes as they are.
func (r *produceRequest) AppendVectors(scratch []byte, v net.Buffers) ([]byte, net.Buffers) {
	flexible := r.Version >= 9
	begin := len(scratch)
	flush := func() {
		if len(scratch) > begin {
			v = append(v, scratch[begin:len(scratch):len(scratch)])
			begin = len(scratch)
		}
	}
	if r.Version >= 3 {
		scratch = appendNullString(scratch, flexible)
	}
	scratch = binary.BigEndian.AppendUint16(scratch, uint16(r.Acks))
	scratch = binary.BigEndian.AppendUint32(scratch, uint32(r.TimeoutMillis))
	scratch = appendLength(scratch, r.topics(), flexible)
	for i := 0; i < len(r.parts); {
		n := r.sameTopic(i)
		scratch = appendString(scratch, r.parts[i].m.batch.Topic(), flexible)
		scratch = appendLength(scratch, n, flexible)
		for ; n > 0; n-- {
			p := &r.parts[i]
			i++
			scratch = binary.BigEndian.AppendUint32(scratch, uint32(p.m.batch.Partition()))
			scratch = appendLength(scratch, p.size, flexible)
			if r.Version >= 3 {
				scratch = append(scratch, p.header[:]...)
			}
			flush()
			v = append(v, p.chunks...)
			scratch = appendTags(scratch, flexible)
		}
		scratch = appendTags(scratch, flexible)
	}
	scratch = appendTags(scratch, flexible)
	flush()
	return scratch, v
}

// AppendTo encodes the body in one piece.
func (r *produceRequest) AppendTo(dst []byte) []byte {
	_, v := r.AppendVectors(nil, nil)
	for _, piece := range v {
		dst = append(dst, piece...)
	}
	return dst
}

// Release gives the batches' bytes back.
func (r *produceRequest) Release() {
	for i := range r.parts {
		r.parts[i].m.batch.Release()
	}
}

func (r *produceRequest) topics() int {
	n := 0
	for i := 0; i < len(r.parts); i += r.sameTopic(i) {
		n++
	}
	return n
}

// sameTopic is how many parts from i on are of one topic.
func (r *produceRequest) sameTopic(i int) int {
	n := 1
	for i+n < len(r.parts) && r.parts[i+n].m.batch.Topic() == r.parts[i].m.batch.Topic() {
		n++
	}
	return n
}

func appendNullString(dst []byte, flexible bool) []byte {
	if flexible {
		return append(dst, 0)
	}
	return append(dst, 0xff, 0xff)
}

func appendString(dst []byte, s string, flexible bool) []byte {
	if flexible {
		dst = binary.AppendUvarint(dst, uint64(len(s))+1)
	} else {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	}
	return append(dst, s...)
}

func appendLength(dst []byte, n int, flexible bool) []byte {
	if flexible {
		return binary.AppendUvarint(dst, uint64(n)+1)
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}

func appendTags(dst []byte, flexible bool) []byte {
	if flexible {
		return append(dst, 0)
	}
	return dst
}
