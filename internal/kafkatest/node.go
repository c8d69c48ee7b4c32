package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Node is one broker (under KRaft also a controller). Safe for concurrent use; operations on one node run one at a time.
type Node struct {
	kafka          *Kafka
	id             int32
	controllerPort int
	internal       string // address of the kit's and the brokers' own listener
	bound          map[Listener]string
	advertised     map[Listener]string // bound, or the proxy before it
	proxies        map[Listener]*Proxy

	mu    sync.Mutex
	state NodeState
	proc  *process
}

// NodeState is what the kit did last to a node.
type NodeState int

// The states of a node.
const (
	NodeDown     NodeState = iota // not started, killed or terminated
	NodeUp                        // started
	NodePaused                    // stopped by Pause: its sockets accept and never answer
	NodeStarting                  // being started
)

func (s NodeState) String() string {
	switch s {
	case NodeUp:
		return "up"
	case NodePaused:
		return "paused"
	case NodeStarting:
		return "starting"
	default:
		return "down"
	}
}

// newNode returns the node with its error, so that what it holds already is closed with the cluster.
func newNode(k *Kafka, index int) (*Node, error) {
	n := &Node{kafka: k, id: int32(index) + 1, bound: map[Listener]string{}, advertised: map[Listener]string{}, proxies: map[Listener]*Proxy{}}
	listeners := k.options.Listeners
	if !k.version.namedListeners() {
		listeners = []Listener{Plain}
	}
	for _, l := range listeners {
		address, err := n.takeAddress()
		if err != nil {
			return n, err
		}
		n.bound[l], n.advertised[l] = address, address
		if k.options.Proxies {
			if n.proxies[l], err = OpenProxy(address, ProxyOptions{}); err != nil {
				return n, err
			}
			n.advertised[l] = n.proxies[l].Addr()
		}
	}
	n.internal = n.bound[Plain]
	if !k.version.namedListeners() {
		return n, nil
	}
	var err error
	if n.internal, err = n.takeAddress(); err != nil {
		return n, err
	}
	if k.version.kraft() {
		n.controllerPort, err = k.ports.take()
	}
	return n, err
}

func (n *Node) takeAddress() (string, error) {
	port, err := n.kafka.ports.take()
	if err != nil {
		return "", err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// ID is the node's Kafka id.
func (n *Node) ID() int32 { return n.id }

// String is "node <id>".
func (n *Node) String() string { return "node " + strconv.Itoa(int(n.id)) }

// Addr is the node's address for clients on a listener; "" when the cluster lacks that listener.
func (n *Node) Addr(l Listener) string { return n.advertised[l] }

// Proxy stands before a listener; nil unless the cluster was started with Options.Proxies.
func (n *Node) Proxy(l Listener) *Proxy { return n.proxies[l] }

// State is what the kit did last to the node; a node that died by itself is down.
func (n *Node) State() NodeState {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proc != nil && n.proc.ended() {
		return NodeDown
	}
	return n.state
}

// Log is the end of the node's log, at most lines lines.
func (n *Node) Log(lines int) string { return tail(n.logPath(), lines) }

func (n *Node) name() string    { return "node-" + strconv.Itoa(int(n.id)) }
func (n *Node) dataDir() string { return filepath.Join(n.kafka.dir.path, n.name()) }
func (n *Node) logPath() string { return filepath.Join(n.kafka.dir.path, n.name()+".log") }
func (n *Node) propertiesPath() string {
	return filepath.Join(n.kafka.dir.path, n.name()+".properties")
}

func (n *Node) fail(doing string, cause error) error {
	return &NodeError{Node: n.String(), Doing: doing, Cause: cause, Log: excerpt(n.logPath())}
}

func (n *Node) writeProperties() error {
	text := n.kafka.serverProperties(n).String()
	if err := os.WriteFile(n.propertiesPath(), []byte(text), 0o600); err != nil {
		return n.fail("configure", err)
	}
	return nil
}

// launch starts the process and does not wait for it.
func (n *Node) launch() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.launchLocked()
}

func (n *Node) launchLocked() error {
	k := n.kafka
	cmd, err := jvm{jars: k.jars, heapMB: k.options.HeapMB, options: append([]string{k.logOption}, k.options.JVM...),
		main: "kafka.Kafka", args: []string{n.propertiesPath()}}.command()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(n.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return n.fail("start", err)
	}
	defer out.Close()
	cmd.Dir, cmd.Stdout, cmd.Stderr = k.dir.path, out, out
	if n.proc, err = startProcess(cmd, nil); err != nil {
		return n.fail("start", err)
	}
	n.state = NodeStarting
	return nil
}

// awaitReady returns when the node answers clients and knows at least so many brokers, itself among them.
func (n *Node) awaitReady(ctx context.Context, brokers int) error {
	for {
		n.mu.Lock()
		proc := n.proc
		n.mu.Unlock()
		err := n.ready(ctx, brokers)
		if err == nil {
			n.mu.Lock()
			n.state = NodeUp
			n.mu.Unlock()
			return nil
		}
		select {
		case <-proc.done:
			return n.fail("start", fmt.Errorf("it ended by itself: %w", exitCause(proc)))
		case <-ctx.Done():
			return n.fail("start", errors.Join(context.Cause(ctx), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func exitCause(p *process) error {
	if p.err != nil {
		return p.err
	}
	return errors.New("exit status 0")
}

// Kill ends the node at once (SIGKILL), as a power cut would but for the page cache. Killing a node that is down does
// nothing.
func (n *Node) Kill() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.killLocked()
	return nil
}

func (n *Node) killLocked() {
	if n.proc != nil {
		n.proc.kill()
	}
	n.state = NodeDown
}

// Terminate asks the node to end (SIGTERM): it moves its leaderships away first. It waits until the node has ended or
// ctx has; then the node still runs.
func (n *Node) Terminate(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proc == nil || n.proc.ended() {
		n.state = NodeDown
		return nil
	}
	if n.state == NodePaused {
		if err := n.signalLocked("continue", signalContinue, NodeUp); err != nil {
			return err
		}
	}
	if err := n.proc.signal(signalTerminate); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return n.fail("terminate", err)
	}
	select {
	case <-n.proc.done:
		n.state = NodeDown
		return nil
	case <-ctx.Done():
		return n.fail("terminate", context.Cause(ctx))
	}
}

// Pause stops the node in its tracks (SIGSTOP): connections stay open, nothing is answered.
func (n *Node) Pause() error { return n.signal("pause", signalPause, NodePaused) }

// Resume lets a paused node go on (SIGCONT).
func (n *Node) Resume() error { return n.signal("resume", signalContinue, NodeUp) }

func (n *Node) signal(doing string, sig os.Signal, next NodeState) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.signalLocked(doing, sig, next)
}

func (n *Node) signalLocked(doing string, sig os.Signal, next NodeState) error {
	if n.proc == nil || n.proc.ended() {
		return n.fail(doing, os.ErrProcessDone)
	}
	if err := n.proc.signal(sig); err != nil {
		return n.fail(doing, err)
	}
	n.state = next
	return nil
}

// Restart starts a node that is down, on its old ports and data, or kills and starts one that runs. It returns when
// the node serves clients again and knows every other node that is up; ctx and Options.StartTimeout bound that. After a
// kill it takes some seconds longer than a start: the cluster first has to give the dead node's session up.
func (n *Node) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, n.kafka.options.StartTimeout, errNotReady(n.kafka.options.StartTimeout))
	defer cancel()
	if err := n.Kill(); err != nil {
		return err
	}
	if z := n.kafka.zookeeper; z != nil {
		if err := z.awaitGone(ctx, n.id); err != nil {
			return n.fail("restart", err)
		}
	}
	if err := n.launch(); err != nil {
		return err
	}
	if err := n.awaitReady(ctx, 1+n.othersUp()); err != nil {
		return err
	}
	if err := retry(ctx, n.knowsItsPartitions); err != nil {
		return n.fail("restart", err)
	}
	return nil
}

// knowsItsPartitions asks whether the cluster has told the node of every partition that it has on disk, leaders
// included where all nodes are up: before that it answers that it does not know the topic.
func (n *Node) knowsItsPartitions(ctx context.Context) error {
	entries, err := os.ReadDir(n.dataDir())
	if err != nil {
		return err
	}
	meta, err := n.metadata(ctx, "")
	if err != nil {
		return err
	}
	complete := n.othersUp() == len(n.kafka.nodes)-1
	for _, entry := range entries {
		name := entry.Name()
		dash := strings.LastIndexByte(name, '-')
		number, err := strconv.ParseInt(name[dash+1:], 10, 32)
		if dash < 0 || err != nil || name[:dash] == "__cluster_metadata" {
			continue // not a partition, or one that is being deleted
		}
		p, err := partition(meta, name[:dash], int32(number))
		if err != nil {
			return err
		}
		if complete && p.Leader < 0 {
			return fmt.Errorf("%s has no leader", name)
		}
	}
	return nil
}

func (n *Node) othersUp() int {
	up := 0
	for _, other := range n.kafka.nodes {
		if other != n && other.State() == NodeUp {
			up++
		}
	}
	return up
}

func (n *Node) close() {
	_ = n.Kill()
	for _, p := range n.proxies {
		if p != nil {
			_ = p.Close()
		}
	}
}
