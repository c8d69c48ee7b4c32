package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/behaviors"
)

// send produces one record.
type send struct {
	session
	topic       string
	partition   int32
	key, value  string
	keyed, null bool
	headers     []string
	acks, codec string
	json        bool
}

func sendCommand(environ []string) *cobra.Command {
	s := send{session: session{environ: environ}}
	cmd := &cobra.Command{
		Use:   "send --topic T --value V",
		Short: "Produce one record and print where it stands",
		Long:  "Produces one record, waits for its ack and prints its partition and offset. Without --key the key\nis null, and without --partition the key's hash chooses one, or chance.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.keyed = cmd.Flags().Changed("key")
			return s.run(cmd)
		},
	}
	s.flags(cmd)
	s.timeoutFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&s.topic, "topic", "", "topic")
	f.Int32Var(&s.partition, "partition", -1, "partition; -1: by the key")
	f.StringVar(&s.key, "key", "", "the record's key (default null)")
	f.StringVar(&s.value, "value", "", "the record's value")
	f.BoolVar(&s.null, "tombstone", false, "the value is null: compaction removes the key")
	f.StringArrayVar(&s.headers, "header", nil, "a header as key=value; may be given several times")
	f.StringVar(&s.acks, "acks", "all", "all, leader or none")
	f.StringVar(&s.codec, "codec", "none", "none, gzip, snappy, lz4 or zstd")
	f.BoolVar(&s.json, "json", false, "print one JSON object")
	_ = cmd.MarkFlagRequired("topic")
	cmd.MarkFlagsOneRequired("value", "tombstone")
	cmd.MarkFlagsMutuallyExclusive("value", "tombstone")
	return cmd
}

func (s *send) run(cmd *cobra.Command) error {
	record, err := s.record()
	if err != nil {
		return err
	}
	acks, err := parseAcks(s.acks)
	if err != nil {
		return err
	}
	codec, err := parseCodec(s.codec)
	if err != nil {
		return err
	}
	if s.partition < -1 {
		return usagef("--partition %d: want a number from 0, or -1", s.partition)
	}
	adjust := func(c *moldau.Config) { c.Produce.Acks, c.Produce.Codec = acks, codec }
	return s.with(cmd, adjust, func(ctx context.Context, client *moldau.Client) error {
		return s.produce(ctx, client, record, cmd.OutOrStdout())
	})
}

func (s *send) record() (moldau.Record, error) {
	var r moldau.Record
	if s.keyed {
		r.Key = []byte(s.key)
	}
	if !s.null {
		r.Value = []byte(s.value)
	}
	for _, text := range s.headers {
		key, value, found := strings.Cut(text, "=")
		if !found {
			return r, usagef("--header %q: want key=value", text)
		}
		r.Headers.Add(key, []byte(value))
	}
	return r, nil
}

func (s *send) produce(ctx context.Context, client *moldau.Client, r moldau.Record, out io.Writer) error {
	count, err := client.PartitionCount(ctx, s.topic) // tells best what is wrong with brokers or topic
	if err != nil {
		return err
	}
	partition := s.choose(r, count)
	if partition >= count {
		return fmt.Errorf("topic %s has partitions 0 to %d, and no %d", s.topic, count-1, partition)
	}
	at, err := client.Topic(s.topic).By(moldau.On(partition)).ProduceSync(ctx, r)
	if err != nil {
		return err
	}
	if s.json {
		return printJSON(out, jsonPlace{Topic: s.topic, Partition: partition, Offset: at})
	}
	_, err = fmt.Fprintf(out, "partition %d offset %d\n", partition, at)
	return err
}

func (s *send) choose(r moldau.Record, count int32) int32 {
	switch {
	case s.partition >= 0:
		return s.partition
	case r.Key != nil:
		return behaviors.ByKey(r.Key, count)
	default:
		return rand.Int32N(count)
	}
}

func parseAcks(name string) (moldau.Acks, error) {
	switch name {
	case "all":
		return moldau.AcksAll, nil
	case "leader":
		return moldau.AcksLeader, nil
	case "none":
		return moldau.AcksNone, nil
	}
	return 0, usagef("--acks %q: want all, leader or none", name)
}

func parseCodec(name string) (moldau.Codec, error) {
	for _, c := range []moldau.Codec{moldau.NoCodec, moldau.Gzip, moldau.Snappy, moldau.LZ4, moldau.Zstd} {
		if c.String() == name {
			return c, nil
		}
	}
	return 0, usagef("--codec %q: want none, gzip, snappy, lz4 or zstd", name)
}
