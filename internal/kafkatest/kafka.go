package kafkatest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kafka is a running cluster of real brokers, all on 127.0.0.1 and all children of this process: they die with it.
// Safe for concurrent use.
type Kafka struct {
	options      Options
	version      version
	jars         string
	dir          *runDir
	ports        *portLease
	certificates *Certificates // nil without a TLS listener
	clusterID    string
	logOption    string
	zookeeper    *zookeeper // nil under KRaft
	nodes        []*Node
	closing      sync.Once
	closeErr     error
}

// StartKafka is OpenKafka for a test: a failure ends the test, its end closes the cluster, and a failed test shows the
// end of every node's log and keeps the logs for a day in the folder that it names.
func StartKafka(tb TB, options Options) *Kafka {
	tb.Helper()
	ctx := context.Background()
	k, err := OpenKafka(ctx, options)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			k.showLogs(tb)
		}
		if err := k.Close(); err != nil {
			tb.Logf("%v", err)
		}
	})
	return k
}

// OpenKafka starts a cluster and returns when every node serves its clients and knows all others. The jars are fetched
// first if need be (Fetch). ctx bounds the start, nothing later. Nothing is left behind when it fails.
// Errors: MissingToolError, UnsupportedError, DownloadError, NodeError (with the end of the node's log), ctx's.
func OpenKafka(ctx context.Context, options Options) (*Kafka, error) {
	options, v, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if _, err := findJava(); err != nil {
		return nil, err
	}
	jars, err := Fetch(ctx, v.text)
	if err != nil {
		return nil, err
	}
	k := &Kafka{options: options, version: v, jars: jars}
	ctx, cancel := context.WithTimeoutCause(ctx, options.StartTimeout, errNotReady(options.StartTimeout))
	defer cancel()
	if err := k.open(ctx); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

func errNotReady(after time.Duration) error { return fmt.Errorf("not ready within %v", after) }

func (k *Kafka) open(ctx context.Context) (err error) {
	if k.dir, err = newRunDir(); err != nil {
		return err
	}
	if k.ports, err = newPortLease(); err != nil {
		return err
	}
	if k.logOption, err = k.version.logOption(k.dir.path); err != nil {
		return err
	}
	if slices.ContainsFunc(k.options.Listeners, func(l Listener) bool { return l == TLS || l == MutualTLS || l == SASLTLS }) {
		if k.certificates, err = NewCertificates(); err != nil {
			return err
		}
	}
	k.clusterID = newClusterID()
	if !k.version.kraft() {
		if k.zookeeper, err = startZooKeeper(ctx, k); err != nil {
			return err
		}
	}
	for i := range k.options.Nodes {
		n, err := newNode(k, i)
		if n != nil {
			k.nodes = append(k.nodes, n)
		}
		if err != nil {
			return err
		}
	}
	return k.startNodes(ctx)
}

// newClusterID is a UUID the way Kafka writes them: 22 characters of base64. StorageTool takes a leading dash for an
// option, so there is none.
func newClusterID() string {
	for {
		var id [16]byte
		_, _ = rand.Read(id[:])
		if text := base64.RawURLEncoding.EncodeToString(id[:]); text[0] != '-' {
			return text
		}
	}
}

func (k *Kafka) startNodes(ctx context.Context) error {
	for _, n := range k.nodes {
		if err := n.writeProperties(); err != nil {
			return err
		}
	}
	if k.version.kraft() {
		if err := k.formatAll(ctx); err != nil {
			return err
		}
	}
	for _, n := range k.nodes {
		if err := n.launch(); err != nil {
			return err
		}
	}
	for _, n := range k.nodes {
		if err := n.awaitReady(ctx, len(k.nodes)); err != nil {
			return err
		}
	}
	return k.addScramUsers(ctx)
}

// Version is the Kafka version that runs.
func (k *Kafka) Version() string { return k.version.text }

// ClusterID is the id that a KRaft cluster was formatted with; ZooKeeper clusters choose theirs themselves.
func (k *Kafka) ClusterID() string { return k.clusterID }

// Addrs are the plain addresses ("127.0.0.1:port"), or those of the first listener where there is no plain one.
func (k *Kafka) Addrs() []string {
	if slices.Contains(k.options.Listeners, Plain) {
		return k.AddrsOf(Plain)
	}
	return k.AddrsOf(k.options.Listeners[0])
}

// AddrsOf are the addresses of one listener, in the order of the nodes; nil for a listener that the cluster lacks.
func (k *Kafka) AddrsOf(l Listener) []string {
	if !slices.Contains(k.options.Listeners, l) {
		return nil
	}
	addrs := make([]string, len(k.nodes))
	for i, n := range k.nodes {
		addrs[i] = n.advertised[l]
	}
	return addrs
}

// Listeners are the listeners that the cluster was started with.
func (k *Kafka) Listeners() []Listener { return slices.Clone(k.options.Listeners) }

// Users may log in on the SASL listeners.
func (k *Kafka) Users() []User { return slices.Clone(k.options.Users) }

// Certificates are the cluster's; nil without a TLS listener.
func (k *Kafka) Certificates() *Certificates { return k.certificates }

// Dir is the cluster's own folder, which Close removes: a place for files that belong to the cluster.
func (k *Kafka) Dir() string { return k.dir.path }

// Jars is the folder of the cluster's jars, for ToolClass.
func (k *Kafka) Jars() string { return k.jars }

// Node returns node i, from 0 on; its Kafka id is i+1.
func (k *Kafka) Node(i int) *Node { return k.nodes[i] }

// Nodes returns all nodes.
func (k *Kafka) Nodes() []*Node { return slices.Clone(k.nodes) }

// NodeByID returns the node with a Kafka id, or nil.
func (k *Kafka) NodeByID(id int32) *Node {
	if id < 1 || int(id) > len(k.nodes) {
		return nil
	}
	return k.nodes[id-1]
}

// Close kills every child, removes all data and logs and gives the ports back. It takes well under a second. Calling
// it again returns the same.
func (k *Kafka) Close() error {
	k.closing.Do(func() {
		for _, n := range k.nodes {
			n.close()
		}
		if k.zookeeper != nil {
			k.zookeeper.close()
		}
		if k.ports != nil {
			k.ports.release()
		}
		if k.dir != nil {
			if err := k.dir.remove(); err != nil {
				k.closeErr = fmt.Errorf("kafkatest: the brokers' data is left in %s: %w", k.dir.path, err)
			}
		}
	})
	return k.closeErr
}

// showLogs also keeps the whole logs outside the folder that Close removes.
func (k *Kafka) showLogs(tb TB) {
	tb.Helper()
	for _, n := range k.nodes {
		tb.Logf("%s, the end of its log:\n%s", n, n.Log(40))
	}
	name := strings.NewReplacer("/", "_", " ", "_").Replace(tb.Name())
	kept, err := os.MkdirTemp(runRoot(), "failed-"+name+"-")
	if err != nil {
		tb.Logf("the logs cannot be kept: %v", err)
		return
	}
	logs, _ := filepath.Glob(filepath.Join(k.dir.path, "*.log"))
	for _, log := range logs {
		if err := os.Rename(log, filepath.Join(kept, filepath.Base(log))); err != nil {
			tb.Logf("a log cannot be kept: %v", err)
		}
	}
	tb.Logf("the whole logs stay for a day in %s", kept)
}
