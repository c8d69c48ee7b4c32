// Command moldau is Kafka from the command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/moldau-go/moldau"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// The exit statuses.
const (
	allWell      = 0
	workFailed   = 1
	wrongUsage   = 2
	interruption = 130
)

// run is the program. Data goes to stdout, talk to stderr. It returns the exit
// status: 0 when all is well, 1 when the work failed, 2 for a wrong command line
// or configuration, 130 when ctx was ended by a signal.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "moldau",
		Short: "Kafka from the command line",
		Long: "Kafka from the command line. Data goes to stdout, talk to stderr. The exit status is 0 when all\n" +
			"is well, 1 when the work failed, 2 for a wrong command line or configuration, 130 after Ctrl-C.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.AddCommand(metaCommand(environ), offsetCommand(environ), sendCommand(environ), fetchCommand(environ), demoCommand(), perfCommand(environ))
	working := false // until then an error is one of the command line
	for _, cmd := range root.Commands() {
		work := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			working = true
			return work(cmd, args)
		}
	}
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return allWell
	case !working || isUsage(err):
		fmt.Fprintf(stderr, "moldau: %s; see %s --help\n", plain(err), cmd.CommandPath())
		return wrongUsage
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "moldau: interrupted")
		return interruption
	default:
		fmt.Fprintln(stderr, "moldau:", plain(err))
		return workFailed
	}
}

// plain is an error's text without the library's name, which is the program's.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "moldau: ") }

// usageError is a mistake in the command line that only the command finds.
type usageError struct{ error }

func isUsage(err error) bool {
	var usage *usageError
	var config *moldau.ConfigError
	return errors.As(err, &usage) || errors.As(err, &config)
}

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }
