package main

import (
	"context"
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire/compress"
	"github.com/moldau-go/moldau/wire/record"
)

// floorConsume reads all partitions with one request after the other: the next
// is on its way while the records of the last are looked at.
type floorConsume struct {
	*floorConn
	job    *job
	codecs *compress.Registry
	offset []int64 // by partition
	out    []byte
	bufs   [2][]byte
	packed []byte
}

func floorConsumer(ctx context.Context, j *job) (consumer, error) {
	c, err := floorDial(ctx, j)
	if err != nil {
		return nil, err
	}
	return &floorConsume{floorConn: c, job: j, codecs: compress.NewRegistry(), offset: make([]int64, j.Partitions)}, nil
}

func (c *floorConsume) requests() int64 { return c.count }

func (c *floorConsume) close() { _ = c.conn.Close() }

func (c *floorConsume) run(ctx context.Context, t *tally) error {
	if err := c.fetch(); err != nil {
		return err
	}
	for turn := 0; ; turn ^= 1 {
		resp, err := c.fetched(turn)
		if err != nil {
			return err
		}
		if err := c.fetch(); err != nil {
			return err
		}
		n, sum, err := c.read(resp)
		if err != nil {
			return err
		}
		if !t.add(n, sum) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// fetch asks for what follows in every partition: Fetch v11, the last without
// tagged fields.
func (c *floorConsume) fetch() error {
	b := c.requestHead(c.out[:0], kmsg.Fetch, 11)
	order := binary.BigEndian
	b = order.AppendUint32(b, 0xffff_ffff) // no replica
	b = order.AppendUint32(b, 500)         // wait in ms
	b = order.AppendUint32(b, 1)           // bytes at least
	b = order.AppendUint32(b, fetchBytes)
	b = append(b, 0)                       // read uncommitted
	b = order.AppendUint32(b, 0)           // no session
	b = order.AppendUint32(b, 0xffff_ffff) // and none wanted
	b = order.AppendUint32(b, 1)
	b = appendText(b, c.job.Topic)
	b = order.AppendUint32(b, uint32(len(c.offset)))
	for i, offset := range c.offset {
		b = order.AppendUint32(b, uint32(i))
		b = order.AppendUint32(b, 0xffff_ffff) // any leader epoch
		b = order.AppendUint64(b, uint64(offset))
		b = order.AppendUint64(b, 0xffff_ffff_ffff_ffff)
		b = order.AppendUint32(b, fetchPartitionBytes)
	}
	b = order.AppendUint32(b, 0) // nothing to forget
	b = appendText(b, "")        // no rack
	order.PutUint32(b, uint32(len(b)-4))
	c.out = b
	c.count++
	_, err := c.conn.Write(b)
	return err
}

// fetched reads an answer and moves the offsets behind it.
func (c *floorConsume) fetched(turn int) (*kmsg.FetchResponse, error) {
	body, err := c.answer(&c.bufs[turn])
	if err != nil {
		return nil, err
	}
	resp := kmsg.NewPtrFetchResponse()
	resp.Version = 11
	if err := resp.ReadFrom(body); err != nil {
		return nil, err
	}
	if err := codeError(resp.ErrorCode); err != nil {
		return nil, err
	}
	for _, topic := range resp.Topics {
		for i := range topic.Partitions {
			p := &topic.Partitions[i]
			if err := codeError(p.ErrorCode); err != nil {
				return nil, err
			}
			batches := record.NewBatches(p.RecordBatches)
			var b record.Batch
			for batches.Next(&b) {
				c.offset[p.Partition] = b.NextOffset()
			}
			if err := batches.Err(); err != nil {
				return nil, err
			}
		}
	}
	return resp, nil
}

// read checks and decodes every record.
func (c *floorConsume) read(resp *kmsg.FetchResponse) (n int64, sum uint64, err error) {
	var b record.Batch
	var r record.Record
	for _, topic := range resp.Topics {
		for i := range topic.Partitions {
			batches := record.NewBatches(topic.Partitions[i].RecordBatches)
			for batches.Next(&b) {
				if err := b.Verify(); err != nil {
					return 0, 0, err
				}
				var records record.Records
				if records, c.packed, err = b.OpenInto(c.packed, c.codecs, 0); err != nil {
					return 0, 0, err
				}
				for records.Next(&r) {
					n++
					sum += look(r.Key, r.Value)
				}
				if err := records.Err(); err != nil {
					return 0, 0, err
				}
			}
		}
	}
	return n, sum, nil
}
