package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/telemetry"
)

// session is what the commands have in common: where the brokers are and how
// to reach them, and for how long to try.
type session struct {
	environ []string
	brokers string
	config  string
	verbose bool
	timeout time.Duration
}

// defaultBrokers is where a cluster is looked for that nobody named.
const defaultBrokers = "localhost:9092"

func (s *session) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.brokers, "brokers", "", "bootstrap addresses, host:port,... (default MOLDAU_BROKERS, or "+defaultBrokers+")")
	f.StringVar(&s.config, "config", "", "configuration file; the environment (MOLDAU_...) goes before it, flags before both")
	f.BoolVar(&s.verbose, "verbose", false, "tell on stderr what the client does")
}

func (s *session) timeoutFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&s.timeout, "timeout", 10*time.Second, "give up after this time")
}

// settings are those of the file, the environment and the flags. The library
// is quiet: what fails is in the command's own error.
func (s *session) settings(stderr io.Writer) (config moldau.Config, err error) {
	if s.config != "" {
		if config, err = moldau.LoadConfig(s.config); err != nil {
			return config, &usageError{err}
		}
	}
	if config, err = moldau.ConfigFromEnviron(config, s.environ); err != nil {
		return config, err
	}
	switch {
	case s.brokers != "":
		config.Brokers, config.BrokerList = s.brokers, nil
	case config.Brokers == "" && len(config.BrokerList) == 0:
		config.Brokers = defaultBrokers
	}
	config.Telemetry = telemetry.Discard
	if s.verbose {
		config.Telemetry = telemetry.Slog(slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug})), slog.LevelDebug)
	}
	return config, nil
}

// with runs work with a client, within the timeout if there is one. adjust may
// change the settings before.
func (s *session) with(cmd *cobra.Command, adjust func(*moldau.Config), work func(ctx context.Context, client *moldau.Client) error) error {
	config, err := s.settings(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if adjust != nil {
		adjust(&config)
	}
	ctx := cmd.Context()
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("--timeout %v is over: %w", s.timeout, context.DeadlineExceeded))
		defer cancel()
	}
	client, err := moldau.Start(ctx, config)
	if err != nil {
		return err
	}
	defer client.Close()
	return work(ctx, client)
}

// printJSON prints one value on one line.
func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
