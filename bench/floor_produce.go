package main

import (
	"context"
	"encoding/binary"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

const (
	floorBatches  = 6 // of one request, one for a partition
	floorInFlight = 2 // requests on the wire
)

// floorProduce encodes every record into a batch, every batch into a request,
// and has the next request ready while the last ones are on their way.
type floorProduce struct {
	*floorConn
	job     *job
	values  *values
	codec   compress.Type
	codecs  *compress.Registry
	id      int64
	epoch   int16
	seq     []int32 // by partition
	part    int32   // the next batch's
	batches [floorBatches]floorBatch
	head    []byte
	tail    [floorBatches][]byte
	vectors net.Buffers
	flight  int // requests without an answer
	in, buf []byte
}

type floorBatch struct {
	partition int32
	count     int32
	records   []byte
	packed    []byte
	header    [record.HeaderSize]byte
}

func floorProducer(ctx context.Context, j *job) (producer, error) {
	c, err := floorDial(ctx, j)
	if err != nil {
		return nil, err
	}
	p := &floorProduce{floorConn: c, job: j, values: newValues(j.Size), codecs: compress.NewRegistry(), id: -1, epoch: -1, seq: make([]int32, j.Partitions)}
	for _, t := range []compress.Type{compress.Gzip, compress.Snappy, compress.LZ4, compress.Zstd} {
		if t.String() == j.Codec {
			p.codec = t
		}
	}
	if !j.Idempotent {
		return p, nil
	}
	return p, p.identify(ctx)
}

// identify asks for a producer id. A broker that has just started is not ready
// to give one out.
func (p *floorProduce) identify(ctx context.Context) error {
	const loading = 14
	for ctx.Err() == nil {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.Version = 1
		resp, err := p.do(req)
		if err != nil {
			return err
		}
		identity := resp.(*kmsg.InitProducerIDResponse)
		p.id, p.epoch = identity.ProducerID, identity.ProducerEpoch
		if identity.ErrorCode != loading {
			return codeError(identity.ErrorCode)
		}
	}
	return context.Cause(ctx)
}

func (p *floorProduce) requests() int64 { return p.count }

func (p *floorProduce) close() { _ = p.conn.Close() }

func (p *floorProduce) one(_ context.Context, value []byte) error {
	b := &p.batches[0]
	b.partition, b.count = 0, 1
	b.records = record.Append(b.records[:0], 0, 0, &record.Record{Value: value})
	if err := p.write(p.batches[:1]); err != nil {
		return err
	}
	return p.settle(0)
}

func (p *floorProduce) send(ctx context.Context, n int) error {
	for n > 0 {
		used := 0
		for ; used < min(floorBatches, int(p.job.Partitions)) && n > 0; used++ {
			n -= p.fill(&p.batches[used], n)
		}
		if err := p.write(p.batches[:used]); err != nil {
			return err
		}
		if err := p.settle(floorInFlight - 1); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return p.settle(0)
}

// fill encodes records into a batch until it is full or there are n.
func (p *floorProduce) fill(b *floorBatch, n int) int {
	b.partition, b.count, b.records = p.part, 0, b.records[:0]
	p.part = (p.part + 1) % p.job.Partitions
	limit := p.job.BatchBytes - record.HeaderSize
	var r record.Record
	for int(b.count) < n {
		r.Value = p.values.next()
		if len(b.records)+len(r.Value)+32 > limit {
			p.values.at--
			break
		}
		b.records = record.Append(b.records, 0, b.count, &r)
		b.count++
	}
	return int(b.count)
}

// write sends one request of the batches: Produce v8, the last without tagged
// fields.
func (p *floorProduce) write(batches []floorBatch) error {
	head := p.requestHead(p.head[:0], kmsg.Produce, 8)
	head = append(head, 0xff, 0xff) // no transaction
	head = append(head, 0xff, 0xff) // all in-sync replicas
	head = binary.BigEndian.AppendUint32(head, 10_000)
	head = binary.BigEndian.AppendUint32(head, 1)
	head = appendText(head, p.job.Topic)
	head = binary.BigEndian.AppendUint32(head, uint32(len(batches)))
	p.vectors = append(p.vectors[:0], head)
	size := len(head) - 4
	for i := range batches {
		b := &batches[i]
		payload, err := p.seal(b)
		if err != nil {
			return err
		}
		tail := binary.BigEndian.AppendUint32(p.tail[i][:0], uint32(b.partition))
		tail = binary.BigEndian.AppendUint32(tail, uint32(record.HeaderSize+len(payload)))
		tail = append(tail, b.header[:]...)
		p.tail[i] = tail
		p.vectors = append(p.vectors, tail, payload)
		size += len(tail) + len(payload)
	}
	binary.BigEndian.PutUint32(head, uint32(size))
	p.head = head
	p.count++
	p.flight++
	return p.writev()
}

// writev is one call for all parts on plain TCP, and one buffer for TLS.
func (p *floorProduce) writev() error {
	if p.plain {
		vectors := p.vectors
		_, err := vectors.WriteTo(p.conn)
		return err
	}
	p.buf = p.buf[:0]
	for _, v := range p.vectors {
		p.buf = append(p.buf, v...)
	}
	_, err := p.conn.Write(p.buf)
	return err
}

// seal puts the header before the batch's records and compresses them.
func (p *floorProduce) seal(b *floorBatch) (payload []byte, err error) {
	payload = b.records
	if p.codec != compress.None {
		if b.packed, err = p.codecs.Compress(p.codec, b.packed[:0], b.records, 0); err != nil {
			return nil, err
		}
		payload = b.packed
	}
	h := record.NewBatchHeader()
	now := time.Now().UnixMilli()
	h.Attributes, h.BaseTimestamp, h.MaxTimestamp = record.Attributes(p.codec), now, now
	h.LastOffsetDelta, h.Count = b.count-1, b.count
	if p.id >= 0 {
		h.ProducerID, h.ProducerEpoch, h.BaseSequence = p.id, p.epoch, p.seq[b.partition]
		p.seq[b.partition] += b.count
	}
	record.PutHeader(&b.header, &h, payload)
	return payload, nil
}

// settle reads answers until no more than some are outstanding.
func (p *floorProduce) settle(some int) error {
	for p.flight > some {
		body, err := p.answer(&p.in)
		if err != nil {
			return err
		}
		p.flight--
		resp := kmsg.NewPtrProduceResponse()
		resp.Version = 8
		if err := resp.ReadFrom(body); err != nil {
			return err
		}
		for _, t := range resp.Topics {
			for _, a := range t.Partitions {
				if err := codeError(a.ErrorCode); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
