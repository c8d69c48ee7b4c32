//go:build kafka

package kafkatest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestJavaPeers lets Kafka's own tools produce and consume on an old and on the newest broker.
func TestJavaPeers(t *testing.T) {
	for _, version := range []string{"0.11.0.3", "2.8.2", "4.3.1"} {
		t.Run(version, func(t *testing.T) {
			k := StartKafka(t, Options{Version: version})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			require.NoError(t, k.CreateTopic(ctx, Topic{Name: "orders"}))
			producer := "--bootstrap-server"
			if version != "4.3.1" {
				producer = "--broker-list"
			}
			out, err := RunJava(ctx, k.Tool("VerifiableProducer", producer, k.Addrs()[0], "--topic", "orders", "--max-messages", "50"))
			require.NoError(t, err)
			require.Equal(t, 50, strings.Count(out, `"producer_send_success"`), out)

			out, err = RunJava(ctx, k.Tool("ConsoleConsumer", "--bootstrap-server", k.Addrs()[0], "--topic", "orders", "--from-beginning", "--max-messages", "50"))
			require.NoError(t, err)
			require.Len(t, strings.Fields(out), 50)

			in := k.Tool("ConsoleProducer", producer, k.Addrs()[0], "--topic", "orders")
			in.Stdin = strings.NewReader("from stdin\n")
			_, err = RunJava(ctx, in)
			require.NoError(t, err)
			p, err := StartJava(ctx, k.Tool("ConsoleConsumer", "--bootstrap-server", k.Addrs()[0], "--topic", "orders", "--from-beginning"))
			require.NoError(t, err)
			defer p.Kill()
			line, err := p.WaitLine(ctx, func(line string) bool { return strings.Contains(line, "stdin") })
			require.NoError(t, err, p.Stderr())
			require.Equal(t, "from stdin", line)
			require.NoError(t, p.Interrupt())
		})
	}
	_, err := RunJava(t.Context(), JavaCommand{Tool: "NoSuchTool"})
	var unsupported *UnsupportedError
	require.ErrorAs(t, err, &unsupported)
	_, err = RunJava(t.Context(), JavaCommand{Main: "no.such.Main"})
	require.ErrorContains(t, err, "ClassNotFound")
}
