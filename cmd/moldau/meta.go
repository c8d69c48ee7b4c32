package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moldau-go/moldau"
)

// meta prints what the cluster says of itself.
type meta struct {
	session
	topics []string
	json   bool
}

func metaCommand(environ []string) *cobra.Command {
	m := meta{session: session{environ: environ}}
	cmd := &cobra.Command{
		Use:   "meta",
		Short: "Print brokers, topics and partitions",
		Long:  "Prints the cluster's id, controller and brokers, and all topics, or those that are named, with\ntheir partitions. A topic that does not exist is an error.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return m.with(cmd, nil, func(ctx context.Context, client *moldau.Client) error { return m.run(ctx, client, cmd.OutOrStdout()) })
		},
	}
	m.flags(cmd)
	m.timeoutFlag(cmd)
	cmd.Flags().StringArrayVar(&m.topics, "topic", nil, "a topic to print; may be given several times (default all)")
	cmd.Flags().BoolVar(&m.json, "json", false, "print one JSON object")
	return cmd
}

func (m *meta) run(ctx context.Context, client *moldau.Client, out io.Writer) error {
	cluster, err := client.Metadata(ctx, m.topics...)
	if err != nil {
		return err
	}
	if m.json {
		return printJSON(out, clusterJSON(cluster))
	}
	printCluster(out, cluster)
	return nil
}

func printCluster(w io.Writer, c *moldau.Cluster) {
	fmt.Fprintf(w, "cluster %s\ncontroller %d\nbrokers %d\n", c.ID, c.Controller, len(c.Brokers))
	for _, b := range c.Brokers {
		fmt.Fprintf(w, "  %d  %s:%d", b.ID, b.Host, b.Port)
		if b.Rack != "" {
			fmt.Fprintf(w, "  rack %s", b.Rack)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "topics %d\n", len(c.Topics))
	for _, t := range c.Topics {
		fmt.Fprintf(w, "  %s  %d partitions%s\n", t.Name, len(t.Partitions), trouble(t.Err))
		for _, p := range t.Partitions {
			fmt.Fprintf(w, "    %d  leader %s  replicas %s  in sync %s%s%s\n", p.Partition, node(p.Leader), nodes(p.Replicas), nodes(p.InSync), behind(p), trouble(p.Err))
		}
	}
}

func trouble(err error) string {
	if err == nil {
		return ""
	}
	return "  " + err.Error()
}

// behind says that a partition has fewer replicas in sync than it should.
func behind(p moldau.PartitionMetadata) string {
	if len(p.InSync) < len(p.Replicas) {
		return "  under-replicated"
	}
	return ""
}

func node(id int32) string {
	if id < 0 {
		return "none"
	}
	return strconv.Itoa(int(id))
}

func nodes(ids []int32) string {
	if len(ids) == 0 {
		return "none"
	}
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = node(id)
	}
	return strings.Join(list, ",")
}
