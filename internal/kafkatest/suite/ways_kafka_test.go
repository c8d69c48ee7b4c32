//go:build kafka

package suite

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau"
	"github.com/moldau-go/moldau/internal/kafkatest"
)

// troubleTime is about how long a broker is away and catches up again.
const troubleTime = 15 * time.Second

// TestProduceChaos produces in all ways to three real nodes while leaders are
// killed and restarted, one at a time, and producers crash every second: at
// first at once restarted, then delayed.
func TestProduceChaos(t *testing.T) {
	rounds, limit := 1, 3*time.Minute
	if soak() {
		rounds, limit = 10, 30*time.Minute
	}
	ctx := bounded(t, limit)
	k := kafkatest.StartKafka(t, kafkatest.Options{Nodes: 3})
	for _, topic := range wayTopics {
		newTopic(t, k, topic, chaosPartitions)
	}
	reader := newForeign(t, k.Addrs(), nil)
	ways := allWays(t, moldau.Config{Brokers: strings.Join(k.Addrs(), ","), MetadataRefresh: 2 * time.Second, RequestTimeout: 5 * time.Second}, chaosPartitions)
	perSecond := chaosCount() / int(2*time.Duration(rounds)*troubleTime/time.Second)
	begun := time.Now()
	steadily(ctx, ways, chaosCount(), perSecond, time.Second, inStreaks, func() {
		for round := range rounds {
			for _, trouble := range []func(*testing.T, context.Context, *kafkatest.Kafka, string){leaderIsKilled, leaderRestarts} {
				trouble(t, ctx, k, wayTopics[round%len(wayTopics)])
				reader.awaitInSync(ctx, wayTopics)
			}
		}
	})
	produced := time.Since(begun)
	total := chaosTotal{}
	for _, w := range ways {
		total.add(w, w.verify(t, ctx, reader))
		require.Positive(t, w.delayed.Load(), "%s: every producer was restarted at once", w.name)
	}
	t.Logf("soak: %s: %d records in %d ways, %d kills and %d clean restarts of leaders, %d crashes of producers, after %d of which they were restarted later; %d doubled with idempotence, %d without; all produced after %v, all read after %v",
		t.Name(), total.records, len(ways), rounds, rounds, total.crashes, total.delayed, total.sure, total.unsure, produced.Round(time.Second), time.Since(begun).Round(time.Second))
}

// chaosTotal are the figures of all ways.
type chaosTotal struct {
	records, crashes, delayed, sure, unsure int // doubled ones: with idempotence, without
}

func (c *chaosTotal) add(w *way, doubled int) {
	c.records += w.history.Count()
	c.crashes += int(w.crashes.Load())
	c.delayed += int(w.delayed.Load())
	if w.rules.Doubles {
		c.unsure += doubled
	} else {
		c.sure += doubled
	}
}

// inStreaks strikes a partition six times in a row: the third restart in ten
// seconds is the last that comes at once.
func inStreaks(turn int) int32 { return int32(turn / 6 % chaosPartitions) }

// leaderRestarts ends a leader in order and starts it again.
func leaderRestarts(t *testing.T, ctx context.Context, k *kafkatest.Kafka, topic string) {
	leader, err := k.Leader(ctx, topic, 0)
	require.NoError(t, err)
	require.NoError(t, k.NodeByID(leader).Terminate(ctx))
	require.NoError(t, k.NodeByID(leader).Restart(ctx))
}

// awaitInSync returns when every replica of the topics is in sync again: the next
// trouble is to find only one node behind.
func (f *foreign) awaitInSync(ctx context.Context, topics []string) {
	f.t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		behind := f.behind(ctx, topics)
		if behind == "" {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			require.FailNow(f.t, "replicas stay behind", behind)
		}
	}
}

// behind names a partition that lacks a leader or a replica; "" for none.
func (f *foreign) behind(ctx context.Context, topics []string) string {
	req := kmsg.NewPtrMetadataRequest()
	for _, topic := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, f.client)
	if err != nil {
		return err.Error()
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
				return fmt.Sprintf("%s/%d: leader %d, in sync %v of %v", *t.Topic, p.Partition, p.Leader, p.ISR, p.Replicas)
			}
		}
	}
	return ""
}
