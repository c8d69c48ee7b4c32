//go:build !confluent

package main

// confluent-kafka-go needs cgo and glibc, so it is built on request alone.
func confluentClient() client {
	return client{name: "confluent", module: "github.com/confluentinc/confluent-kafka-go/v2", missing: "left out: it needs cgo; build with -tags confluent"}
}
