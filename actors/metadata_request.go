package actors

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/wire"
)

// canForbidCreation is the first version of Metadata that can say that topics
// are not to be created (0.11, KIP-4). Brokers create what an older request names.
const canForbidCreation = 4

// uncreating is a call to send in place of m to a broker that speaks a version
// of Metadata: one that creates no topic, unless m asks for that. A version that
// cannot say so asks for all topics, and the answer is cut to those of m.
func uncreating(m *brokerCall, version int16) *brokerCall {
	req, ok := m.request.(*kmsg.MetadataRequest)
	if !ok || req.AllowAutoTopicCreation || req.Topics == nil || version >= canForbidCreation || version > 0 && len(req.Topics) == 0 {
		return m
	}
	all := *req
	all.Topics = nil
	wanted := topicNames(req)
	return &brokerCall{request: &all, announced: m.announced, reply: func(resp kmsg.Response, err error) {
		if r, ok := resp.(*kmsg.MetadataResponse); ok {
			only(r, wanted)
		}
		m.reply(resp, err)
	}}
}

func topicNames(req *kmsg.MetadataRequest) map[string]bool {
	names := make(map[string]bool, len(req.Topics))
	for _, t := range req.Topics {
		if t.Topic != nil {
			names[*t.Topic] = true
		}
	}
	return names
}

// only cuts an answer to the topics that are wanted, and says of those that it
// lacks what a broker would. It uses wanted up.
func only(resp *kmsg.MetadataResponse, wanted map[string]bool) {
	resp.Topics = slices.DeleteFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool {
		if t.Topic == nil || !wanted[*t.Topic] {
			return true
		}
		delete(wanted, *t.Topic)
		return false
	})
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		missing := kmsg.NewMetadataResponseTopic()
		missing.Topic, missing.ErrorCode = kmsg.StringPtr(name), int16(wire.UnknownTopicOrPartition)
		resp.Topics = append(resp.Topics, missing)
	}
}
