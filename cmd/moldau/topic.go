package main

import (
	"context"
	"errors"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/wire"
)

// ensureTopic creates a topic unless it is there.
func ensureTopic(ctx context.Context, client *moldau.Client, name string, partitions int32, replicas int16) error {
	err := client.CreateTopic(ctx, name, partitions, replicas)
	var coded *wire.Error
	if errors.As(err, &coded) && coded.Code == wire.TopicAlreadyExists {
		return nil
	}
	return err
}
