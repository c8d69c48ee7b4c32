package kafkatest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// formatAll formats the storage of all KRaft nodes, side by side.
func (k *Kafka) formatAll(ctx context.Context) error {
	results := make(chan error, len(k.nodes))
	for _, n := range k.nodes {
		go func() { results <- k.format(ctx, n) }()
	}
	var first error
	for range k.nodes {
		if err := <-results; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (k *Kafka) format(ctx context.Context, n *Node) error {
	log := filepath.Join(k.dir.path, n.name()+"-format.log")
	fail := func(cause error) error {
		return &NodeError{Node: n.String(), Doing: "format", Cause: cause, Log: excerpt(log)}
	}
	cmd, err := jvm{jars: k.jars, options: []string{k.logOption}, main: "kafka.tools.StorageTool", args: k.formatArgs(n)}.command()
	if err != nil {
		return err
	}
	out, err := os.Create(log)
	if err != nil {
		return fail(err)
	}
	defer out.Close()
	cmd.Dir, cmd.Stdout, cmd.Stderr = k.dir.path, out, out
	p, err := startProcess(cmd, nil)
	if err != nil {
		return fail(err)
	}
	if err := p.wait(ctx); err != nil {
		p.kill()
		return fail(err)
	}
	return nil
}

func (k *Kafka) formatArgs(n *Node) []string {
	args := []string{"format", "-t", k.clusterID, "-c", n.propertiesPath()}
	if !k.hasSASL() {
		return args
	}
	for _, u := range k.options.Users {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, u.Name, u.Password))
		}
	}
	return args
}
