// Command bench compares Kafka clients: the same work by ours, by others, and by
// hand-built requests, on one real broker. See -help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	o, err := parseOptions(args, log)
	if err != nil {
		return err
	}
	if o.job != "" {
		return runChild(ctx, o.job, out)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	broker := &broker{version: "in this process"}
	if o.needsBroker() {
		fmt.Fprintln(log, "reaching the broker, or starting one")
		if broker, err = openBroker(ctx, o); err != nil {
			return err
		}
	}
	defer broker.close()
	b := &bench{options: o, broker: broker, log: log, program: program}
	return b.report(ctx, out)
}
