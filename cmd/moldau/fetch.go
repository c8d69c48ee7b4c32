package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/moldau-go/moldau"
)

// fetch prints records of one partition.
type fetch struct {
	session
	topic     string
	partition int32
	offset    string
	count     int
	wait      time.Duration
	format    string
	json      bool
}

func fetchCommand(environ []string) *cobra.Command {
	c := fetch{session: session{environ: environ}}
	cmd := &cobra.Command{
		Use:   "fetch --topic T --partition P",
		Short: "Print records of a partition",
		Long: "Prints the values of --count records from --offset on, one a line, or what --format says, or a JSON\n" +
			"object for each with --json. It ends before that at the end of the partition, after waiting there\n" +
			"for --wait. How many there were and where to go on is told on stderr.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	c.flags(cmd)
	c.timeoutFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&c.topic, "topic", "", "topic")
	f.Int32Var(&c.partition, "partition", 0, "partition")
	f.StringVar(&c.offset, "offset", "last", "last record, earliest, latest, or an offset")
	f.IntVar(&c.count, "count", 1, "how many records; -1: all up to the end")
	f.DurationVar(&c.wait, "wait", 500*time.Millisecond, "how long to wait for records at the end of the partition")
	f.StringVar(&c.format, "format", "v", "v: value; kv: key and value; okv: offset, key and value, with tabs between")
	f.BoolVar(&c.json, "json", false, "print a JSON object for each record")
	_ = cmd.MarkFlagRequired("topic")
	_ = cmd.MarkFlagRequired("partition")
	return cmd
}

func (c *fetch) run(cmd *cobra.Command) error {
	switch {
	case c.partition < 0:
		return usagef("--partition %d: want a number from 0", c.partition)
	case c.count < -1 || c.count == 0:
		return usagef("--count %d: want a number from 1, or -1", c.count)
	case c.wait < 0:
		return usagef("--wait %v: want 0 or more", c.wait)
	}
	print, err := printer(c.format, c.json)
	if err != nil {
		return err
	}
	from, err := c.from()
	if err != nil {
		return err
	}
	return c.with(cmd, nil, func(ctx context.Context, client *moldau.Client) error {
		reader := client.Read(c.topic, from, moldau.ReadOptions{Partitions: []int32{c.partition}, Limit: max(c.count, 0), Follow: c.wait})
		seen := 0
		for record := range reader.Records(ctx) {
			if err = print(cmd.OutOrStdout(), &record); err != nil {
				break
			}
			seen++
		}
		err = errors.Join(err, reader.Err())
		if next, begun := reader.Next()[c.partition]; begun {
			fmt.Fprintf(cmd.ErrOrStderr(), "moldau: %d records, next offset %d, %s\n", seen, next, c.reason(seen, err))
		}
		return err
	})
}

func (c *fetch) reason(seen int, err error) string {
	switch {
	case err != nil:
		return "failed"
	case seen == c.count:
		return "enough"
	}
	return "end of the partition"
}

// from is where to begin.
func (c *fetch) from() (moldau.Position, error) {
	switch c.offset {
	case "earliest":
		return moldau.Earliest, nil
	case "latest":
		return moldau.Latest, nil
	case "last":
		return moldau.Last(1), nil
	}
	offset, err := strconv.ParseInt(c.offset, 10, 64)
	if err != nil || offset < 0 {
		return moldau.Position{}, usagef("--offset %q: want last, earliest, latest or a number from 0", c.offset)
	}
	return moldau.At(offset), nil
}
