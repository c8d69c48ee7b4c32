package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire"
	"github.com/moldau-go/moldau/wire/record"
)

// recordsPerBatch looks at the beginning of each partition of a topic: what a
// client made of its linger and its batch bytes, whoever it is.
func (b *broker) recordsPerBatch(ctx context.Context, name string, partitions int32) (float64, error) {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.MinBytes, req.SessionEpoch = 64<<20, 1, -1
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = name
	id, err := b.topicID(ctx, name)
	if err != nil {
		return 0, err
	}
	topic.TopicID = id
	for i := range partitions {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.PartitionMaxBytes = i, 8<<20
		topic.Partitions = append(topic.Partitions, p)
	}
	req.Topics = append(req.Topics, topic)
	resp, err := b.admin.Do(ctx, req)
	if err != nil {
		return 0, err
	}
	var batches, records float64
	for _, t := range resp.(*kmsg.FetchResponse).Topics {
		for i := range t.Partitions {
			cursor := record.NewBatches(t.Partitions[i].RecordBatches)
			var batch record.Batch
			for cursor.Next(&batch) {
				batches++
				records += float64(batch.Count)
			}
		}
	}
	if batches == 0 {
		return 0, nil
	}
	return records / batches, nil
}

func (b *broker) topicID(ctx context.Context, name string) ([16]byte, error) {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	req.Topics = append(req.Topics, topic)
	resp, err := b.admin.Do(ctx, req)
	if err != nil {
		return [16]byte{}, err
	}
	found := resp.(*kmsg.MetadataResponse).Topics[0]
	if found.ErrorCode != 0 {
		return [16]byte{}, &wire.Error{Code: wire.Code(found.ErrorCode), API: int16(kmsg.Metadata), Topic: name, Partition: -1}
	}
	return found.TopicID, nil
}
