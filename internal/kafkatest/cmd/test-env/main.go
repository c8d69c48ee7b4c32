// Command test-env keeps a real Kafka cluster up for work by hand: by default three nodes of the newest version with
// plain, TLS and SASL listeners. It prints where they are and who may log in, and ends them on SIGINT or SIGTERM; they
// end with it however it ends.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/moldau-go/moldau/internal/kafkatest"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("test-env", flag.ContinueOnError)
	flags.SetOutput(stderr)
	version := flags.String("version", kafkatest.DefaultVersion, "Kafka version; before 2.7 with a plain listener only")
	nodes := flags.Int("nodes", 3, "number of nodes")
	plainOnly := flags.Bool("plain", false, "only a plain listener")
	asJSON := flags.Bool("json", false, "print one JSON object instead of text")
	if err := flags.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return nil
		}
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	options := kafkatest.Options{Version: *version, Nodes: *nodes, Listeners: kafkatest.AllListeners()}
	if *plainOnly {
		options.Listeners = nil
	}
	fmt.Fprintf(stderr, "starting %d nodes of Kafka %s (the first start of a version downloads it)\n", *nodes, *version)
	return serve(ctx, options, *asJSON, stdout, stderr)
}

// serve blocks until ctx ends.
func serve(ctx context.Context, options kafkatest.Options, asJSON bool, stdout, stderr io.Writer) (err error) {
	start := time.Now()
	cluster, err := kafkatest.OpenKafka(ctx, options)
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped while starting, as asked
		}
		return err
	}
	defer func() {
		if closeErr := cluster.Close(); err == nil {
			err = closeErr
		}
	}()
	env, err := describe(cluster, cluster.Dir())
	if err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(env)
	} else {
		_, err = io.WriteString(stdout, env.text())
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "ready after %v; Ctrl-C ends it\n", time.Since(start).Round(100*time.Millisecond))
	<-ctx.Done()
	return nil
}

// environment is what --json prints.
type environment struct {
	Version    string              `json:"version"`
	PID        int                 `json:"pid"`
	Listeners  map[string][]string `json:"listeners"`
	Mechanisms []string            `json:"sasl_mechanisms,omitempty"`
	Users      []kafkatest.User    `json:"users,omitempty"`
	Token      string              `json:"oauthbearer_token,omitempty"`
	CAFile     string              `json:"ca_file,omitempty"`
	CertFile   string              `json:"client_cert_file,omitempty"`
	KeyFile    string              `json:"client_key_file,omitempty"`
}

// describe writes the certificates into dir.
func describe(cluster *kafkatest.Kafka, dir string) (*environment, error) {
	env := &environment{Version: cluster.Version(), PID: os.Getpid(), Listeners: map[string][]string{}}
	for _, l := range cluster.Listeners() {
		env.Listeners[string(l)] = cluster.AddrsOf(l)
	}
	if cluster.AddrsOf(kafkatest.SASL) != nil {
		env.Mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}
		env.Users = cluster.Users()
		token, err := kafkatest.UnsecuredToken("alice", 24*time.Hour)
		if err != nil {
			return nil, err
		}
		env.Token = token
	}
	certificates := cluster.Certificates()
	if certificates == nil {
		return env, nil
	}
	env.CAFile, env.CertFile, env.KeyFile = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "client.pem"), filepath.Join(dir, "client-key.pem")
	for path, content := range map[string][]byte{env.CAFile: certificates.CA, env.CertFile: certificates.ClientCert, env.KeyFile: certificates.ClientKey} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, err
		}
	}
	return env, nil
}

func (e *environment) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Kafka %s, process %d\n", e.Version, e.PID)
	for _, l := range kafkatest.AllListeners() {
		if addrs := e.Listeners[string(l)]; addrs != nil {
			fmt.Fprintf(&b, "%-12s %s\n", l, strings.Join(addrs, ","))
		}
	}
	if e.CAFile != "" {
		fmt.Fprintf(&b, "%-12s %s\n%-12s %s\n%-12s %s\n", "CA", e.CAFile, "client cert", e.CertFile, "client key", e.KeyFile)
	}
	if e.Mechanisms == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "%-12s %s\n", "mechanisms", strings.Join(e.Mechanisms, ", "))
	for _, u := range e.Users {
		fmt.Fprintf(&b, "%-12s %s / %s (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512)\n", "user", u.Name, u.Password)
	}
	fmt.Fprintf(&b, "%-12s %s\n", "token", e.Token)
	return b.String()
}
