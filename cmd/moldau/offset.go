package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/moldau-go/moldau"
)

// offset prints the offset that a place in time has.
type offset struct {
	session
	topic      string
	partitions string
	time       string
	json       bool
}

func offsetCommand(environ []string) *cobra.Command {
	o := offset{session: session{environ: environ}}
	cmd := &cobra.Command{
		Use:   "offset --topic T",
		Short: "Print the offset of the beginning, the end or a time",
		Long: "Prints the offset of the first record that is not older than a time, or of the beginning or end,\n" +
			"for one partition as a bare number, for all as \"partition offset\" lines. A time after that of every\n" +
			"record stands for the end. The end is that of committed records.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.flags(cmd)
	o.timeoutFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&o.topic, "topic", "", "topic")
	f.StringVar(&o.partitions, "partition", "all", "a partition's number, or all")
	f.StringVar(&o.time, "time", "latest", "latest, earliest, milliseconds since 1970, or as 2006-01-02T15:04:05Z")
	f.BoolVar(&o.json, "json", false, "print a JSON object for each partition")
	_ = cmd.MarkFlagRequired("topic")
	return cmd
}

func (o *offset) run(cmd *cobra.Command) error {
	position, err := parseTime(o.time)
	if err != nil {
		return err
	}
	one, err := parsePartition(o.partitions)
	if err != nil {
		return err
	}
	return o.with(cmd, nil, func(ctx context.Context, client *moldau.Client) error {
		partitions, err := o.which(ctx, client, one)
		if err != nil {
			return err
		}
		list, err := client.Offsets(ctx, position, partitions...)
		if err != nil {
			return err
		}
		return o.print(cmd.OutOrStdout(), list, one >= 0)
	})
}

func (o *offset) which(ctx context.Context, client *moldau.Client, one int32) ([]moldau.Partition, error) {
	if one >= 0 {
		return []moldau.Partition{{Topic: o.topic, Partition: one}}, nil
	}
	count, err := client.PartitionCount(ctx, o.topic)
	list := make([]moldau.Partition, count)
	for i := range list {
		list[i] = moldau.Partition{Topic: o.topic, Partition: int32(i)}
	}
	return list, err
}

func (o *offset) print(w io.Writer, list []moldau.PartitionOffset, bare bool) error {
	for _, found := range list {
		var err error
		switch {
		case o.json:
			err = printJSON(w, jsonPlace{Topic: found.Topic, Partition: found.Partition.Partition, Offset: found.Offset})
		case bare:
			_, err = fmt.Fprintln(w, found.Offset)
		default:
			_, err = fmt.Fprintln(w, found.Partition.Partition, found.Offset)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// jsonPlace is where a record stands.
type jsonPlace struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// parsePartition reads a partition's number; -1 stands for all.
func parsePartition(text string) (int32, error) {
	if text == "all" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, usagef("--partition %q: want a number from 0, or all", text)
	}
	return int32(n), nil
}

func parseTime(text string) (moldau.Position, error) {
	switch text {
	case "latest":
		return moldau.Latest, nil
	case "earliest":
		return moldau.Earliest, nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms >= 0 {
		return moldau.Since(time.UnixMilli(ms)), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.UnixMilli() < 0 {
		return moldau.Position{}, usagef("--time %q: want latest, earliest, milliseconds since 1970, or a time as 2006-01-02T15:04:05Z", text)
	}
	return moldau.Since(at), nil
}
