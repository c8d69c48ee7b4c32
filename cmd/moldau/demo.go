package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// demo is the main job, small enough to watch: orders are produced to a topic
// and handled by a supervised worker per partition. One order is poison: its
// worker panics, is restarted, and goes on from its last ack.
type demo struct {
	brokers    string // none: an in-process cluster
	records    int
	partitions int32
	timeout    time.Duration
	out        io.Writer
}

func demoCommand() *cobra.Command {
	d := demo{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Produce orders and handle them with a supervised worker per partition",
		Long: "Produces orders to a topic of 6 partitions and handles them with a supervised worker per\n" +
			"partition; one of them panics over a poison record and is restarted. Without --brokers it\n" +
			"starts an in-process broker of its own. It ends by itself, with status 1 if a figure is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out = cmd.OutOrStdout()
			if d.records < 1 || d.partitions < 1 {
				return usagef("--records and --partitions must be at least 1")
			}
			ctx, cancel := context.WithTimeoutCause(cmd.Context(), d.timeout, fmt.Errorf("the demo did not end within %v", d.timeout))
			defer cancel()
			return d.run(ctx)
		},
	}
	cmd.Flags().StringVar(&d.brokers, "brokers", "", "bootstrap addresses, host:port,...; none: an in-process broker")
	cmd.Flags().IntVar(&d.records, "records", 100_000, "how many orders to produce")
	cmd.Flags().Int32Var(&d.partitions, "partitions", 6, "partitions of the topic")
	cmd.Flags().DurationVar(&d.timeout, "timeout", 2*time.Minute, "give up after this time")
	return cmd
}

func (d *demo) run(ctx context.Context) error {
	if d.brokers == "" {
		fake, err := kafkatest.OpenFake(kafkatest.FakeOptions{Nodes: 3})
		if err != nil {
			return err
		}
		defer fake.Close()
		d.brokers = fake.Addrs()[0]
		fmt.Fprintf(d.out, "in-process broker at %s\n", d.brokers)
	}
	ledger := newLedger(d.records, d.partitions)
	client, err := moldau.Start(ctx, moldau.Config{Name: "demo", Brokers: d.brokers, Telemetry: ledger})
	if err != nil {
		return err
	}
	defer client.Close()

	topic := fmt.Sprintf("moldau-demo-%d", time.Now().UnixNano())
	if err := client.CreateTopic(ctx, topic, d.partitions, 1); err != nil {
		return fmt.Errorf("creating topic %s: %w", topic, err)
	}
	begun := time.Now()
	if err := d.work(ctx, client, topic, ledger); err != nil {
		return err
	}
	took := time.Since(begun)
	tree, err := client.Tree(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(d.out)
	printTree(d.out, tree)
	if err := client.DeleteTopic(ctx, topic); err != nil {
		return fmt.Errorf("deleting topic %s: %w", topic, err)
	}
	fmt.Fprintf(d.out, "\n%s in %v\n", topic, took.Round(time.Millisecond))
	ledger.print(d.out)
	return ledger.verdict()
}

// work produces the orders and waits until every one is handled.
func (d *demo) work(ctx context.Context, client *moldau.Client, topic string, ledger *ledger) error {
	if _, err := client.SubscribeTopic(moldau.TopicSubscriber{
		Name: "billing", Topic: topic, Begin: moldau.Earliest,
		NewWorker: func(a moldau.Assignment) (moldau.Worker, error) { return &billing{ledger: ledger, assignment: a}, nil },
	}); err != nil {
		return err
	}
	orders := client.Topic(topic)
	pending := make([]moldau.Pending, d.records)
	poison := d.records / 2
	for i := range pending {
		r := moldau.Record{Key: fmt.Appendf(nil, "customer-%d", i%1000), Value: fmt.Appendf(nil, "order %d", i)}
		if i == poison {
			r.Value = []byte(poisonValue)
		}
		pending[i] = orders.Produce(ctx, r)
		ledger.produced++
	}
	if err := orders.Flush(ctx); err != nil {
		return err
	}
	for _, p := range pending {
		if _, err := p.Wait(ctx); err != nil {
			return err
		}
		ledger.acked++
	}
	select {
	case <-ledger.complete:
		return nil
	case <-ctx.Done():
		ledger.print(d.out)
		return context.Cause(ctx)
	}
}

const poisonValue = "poison"

// billing is the worker of one partition.
type billing struct {
	ledger     *ledger
	assignment moldau.Assignment
}

// HandleMessageSet books every order. The first time that it meets the poison
// it panics; the restarted worker knows what to do with it.
func (b *billing) HandleMessageSet(_ context.Context, set *moldau.MessageSet) error {
	for r := range set.Records() {
		if string(r.Value) == poisonValue && b.assignment.Restarts == 0 {
			panic("an order that nobody understands")
		}
		b.ledger.book(r.Partition, r.Offset)
	}
	return nil
}
