package kafkatest

import (
	"fmt"
	"strings"
)

// MissingToolError says that a program which real brokers need is not on this machine.
type MissingToolError struct {
	Tool string // "java", "javac", "mvn" or "kcat"
	Need string // what it is needed for
	Cure string // how to get it
}

func (e *MissingToolError) Error() string {
	return fmt.Sprintf("kafkatest: %s is missing: %s; %s", e.Tool, e.Need, e.Cure)
}

// UnsupportedError says that a Kafka version, or this platform, cannot do what was asked of it.
type UnsupportedError struct {
	What  string // what was asked for
	Since string // the first Kafka version that can do it; empty when no version can
	Have  string // the version or platform in use
}

func (e *UnsupportedError) Error() string {
	if e.Since == "" {
		return fmt.Sprintf("kafkatest: %s is not possible with %s", e.What, e.Have)
	}
	return fmt.Sprintf("kafkatest: %s needs Kafka %s or newer, this is %s", e.What, e.Since, e.Have)
}

// DownloadError says that Maven could not fetch the jars of a version.
type DownloadError struct {
	Version string
	Output  string // the end of what Maven printed
	Cause   error
}

func (e *DownloadError) Error() string {
	return fmt.Sprintf("kafkatest: the jars of Kafka %s could not be fetched: %v; see what Maven says, or check the network:\n%s",
		e.Version, e.Cause, e.Output)
}

// Unwrap returns the cause.
func (e *DownloadError) Unwrap() error { return e.Cause }

// NodeError says that a child process (a Kafka node, its ZooKeeper, a storage format) did not do what it should.
type NodeError struct {
	Node  string // "node 1", "zookeeper", ...
	Doing string // "start", "stop", "format", ...
	Cause error
	Log   string // the end of its log
}

func (e *NodeError) Error() string {
	msg := fmt.Sprintf("kafkatest: %s: %s: %v", e.Node, e.Doing, e.Cause)
	if log := strings.TrimSpace(e.Log); log != "" {
		msg += "; the end of its log:\n" + log
	}
	return msg
}

// Unwrap returns the cause.
func (e *NodeError) Unwrap() error { return e.Cause }
