package suite

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/moldau-go/moldau/internal/kafkatest"
)

// brokerChild is an in-process broker in a process of its own, so that a test
// that measures its own memory measures the client's alone.
type brokerChild struct {
	t       *testing.T
	replies *json.Decoder
	ask     func()
	Addr    string
}

// brokerTopics is the environment variable that makes this program a broker, of
// that many nodes and those topics, instead of tests.
const brokerTopics = "MOLDAU_TEST_BROKER"

type brokerSpec struct {
	Nodes  int
	Topics map[string]int32
}

func TestMain(m *testing.M) {
	if text := os.Getenv(brokerTopics); text != "" {
		if err := serveBroker(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveBroker prints the broker's address, and for each line that comes in how
// many Fetch requests each node has had. It ends with its input.
func serveBroker(text string) error {
	var spec brokerSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return err
	}
	fake, err := kafkatest.OpenFake(kafkatest.FakeOptions{Nodes: spec.Nodes, Topics: spec.Topics})
	if err != nil {
		return err
	}
	defer fake.Close()
	fetches := make([]atomic.Int64, spec.Nodes)
	fake.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		fetches[fake.CurrentNode()].Add(1)
		return nil, nil, false
	})
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(fake.Addrs()[0]); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		counts := make([]int64, spec.Nodes)
		for i := range counts {
			counts[i] = fetches[i].Load()
		}
		if err := out.Encode(counts); err != nil {
			return err
		}
	}
	return nil
}

// startBrokerChild starts the broker; the end of the test ends it.
func startBrokerChild(t *testing.T, nodes int, topics map[string]int32) *brokerChild {
	t.Helper()
	spec, err := json.Marshal(brokerSpec{nodes, topics})
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), brokerTopics+"="+string(spec))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	b := &brokerChild{t: t, replies: json.NewDecoder(out), ask: func() { _, _ = in.Write([]byte("\n")) }}
	require.NoError(t, b.replies.Decode(&b.Addr))
	return b
}

// fetches are the Fetch requests that each node has had.
func (b *brokerChild) fetches() (counts []int64) {
	b.t.Helper()
	b.ask()
	require.NoError(b.t, b.replies.Decode(&counts))
	return counts
}
