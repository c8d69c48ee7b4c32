package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// zookeeper is the one server beside brokers before KRaft.
type zookeeper struct {
	port int
	log  string
	proc *process
}

func startZooKeeper(ctx context.Context, k *Kafka) (*zookeeper, error) {
	port, err := k.ports.take()
	if err != nil {
		return nil, err
	}
	z := &zookeeper{port: port, log: filepath.Join(k.dir.path, "zookeeper.log")}
	if err := z.start(k); err != nil {
		return z, z.fail(err)
	}
	return z, z.awaitReady(ctx)
}

func (z *zookeeper) fail(cause error) error {
	return &NodeError{Node: "zookeeper", Doing: "start", Cause: cause, Log: excerpt(z.log)}
}

func (z *zookeeper) start(k *Kafka) error {
	config := filepath.Join(k.dir.path, "zookeeper.properties")
	text := properties{
		"dataDir":           filepath.Join(k.dir.path, "zookeeper"),
		"clientPort":        strconv.Itoa(z.port),
		"clientPortAddress": "127.0.0.1",
		"maxClientCnxns":    "0",
		"tickTime":          "1000", // sessions of 2 to 20 s
		// No web server (3.5 and newer), and the commands by which the kit sees what goes on.
		"admin.enableServer":     "false",
		"4lw.commands.whitelist": "srvr,dump",
	}.String()
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	cmd, err := jvm{jars: k.jars, heapMB: 128, options: []string{k.logOption, "-Dzookeeper.jmx.log4j.disable=true"},
		main: "org.apache.zookeeper.server.quorum.QuorumPeerMain", args: []string{config}}.command()
	if err != nil {
		return err
	}
	out, err := os.Create(z.log)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Dir, cmd.Stdout, cmd.Stderr = k.dir.path, out, out
	z.proc, err = startProcess(cmd, nil)
	return err
}

func (z *zookeeper) awaitReady(ctx context.Context) error {
	for {
		answer, err := z.ask(ctx, "srvr")
		if err == nil && !bytes.Contains(answer, []byte("Mode:")) {
			err = fmt.Errorf("zookeeper answers %q", answer)
		}
		if err == nil {
			return nil
		}
		select {
		case <-z.proc.done:
			return z.fail(fmt.Errorf("it ended by itself: %w", exitCause(z.proc)))
		case <-ctx.Done():
			return z.fail(fmt.Errorf("%w (%w)", context.Cause(ctx), err))
		case <-time.After(25 * time.Millisecond):
		}
	}
}

// awaitGone waits until a dead broker's registration is gone: as long as its session lives, a broker with the same id
// ends itself at the start.
func (z *zookeeper) awaitGone(ctx context.Context, id int32) error {
	return retry(ctx, func(ctx context.Context) error {
		dump, err := z.ask(ctx, "dump")
		if err == nil && bytes.Contains(dump, []byte(registration(id))) {
			err = errors.New("zookeeper still has the dead broker's registration")
		}
		return err
	})
}

// registration is how the dump of sessions shows a broker.
func registration(id int32) string { return "/brokers/ids/" + strconv.Itoa(int(id)) + "\n" }

// ask sends one of ZooKeeper's four-letter commands.
func (z *zookeeper) ask(ctx context.Context, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(z.port)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := io.WriteString(conn, command); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(conn, 64<<10))
}

func (z *zookeeper) close() {
	if z.proc != nil {
		z.proc.kill()
	}
}
