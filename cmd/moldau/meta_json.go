package main

import (
	"encoding/hex"

	"github.com/moldau-go/moldau"
)

// The JSON form of meta. Lists are never null.
type (
	jsonCluster struct {
		ClusterID  string       `json:"cluster_id"`
		Controller int32        `json:"controller"`
		Brokers    []jsonBroker `json:"brokers"`
		Topics     []jsonTopic  `json:"topics"`
	}
	jsonBroker struct {
		ID   int32  `json:"id"`
		Host string `json:"host"`
		Port int32  `json:"port"`
		Rack string `json:"rack,omitempty"`
	}
	jsonTopic struct {
		Name       string          `json:"name"`
		ID         string          `json:"id,omitempty"`
		Internal   bool            `json:"internal"`
		Error      string          `json:"error,omitempty"`
		Partitions []jsonPartition `json:"partitions"`
	}
	jsonPartition struct {
		Partition   int32   `json:"partition"`
		Leader      int32   `json:"leader"`
		LeaderEpoch int32   `json:"leader_epoch"`
		Replicas    []int32 `json:"replicas"`
		InSync      []int32 `json:"in_sync"`
		Offline     []int32 `json:"offline"`
		Error       string  `json:"error,omitempty"`
	}
)

func clusterJSON(c *moldau.Cluster) jsonCluster {
	out := jsonCluster{ClusterID: c.ID, Controller: c.Controller, Brokers: []jsonBroker{}, Topics: []jsonTopic{}}
	for _, b := range c.Brokers {
		out.Brokers = append(out.Brokers, jsonBroker(b))
	}
	for _, t := range c.Topics {
		topic := jsonTopic{Name: t.Name, Internal: t.Internal, Error: errorText(t.Err), Partitions: []jsonPartition{}}
		if t.ID != [16]byte{} {
			topic.ID = hex.EncodeToString(t.ID[:])
		}
		for _, p := range t.Partitions {
			topic.Partitions = append(topic.Partitions, jsonPartition{
				Partition: p.Partition, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch,
				Replicas: list(p.Replicas), InSync: list(p.InSync), Offline: list(p.Offline), Error: errorText(p.Err),
			})
		}
		out.Topics = append(out.Topics, topic)
	}
	return out
}

func list(ids []int32) []int32 {
	if ids == nil {
		return []int32{}
	}
	return ids
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
