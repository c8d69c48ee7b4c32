package moldau_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau"
)

// preset is a configuration that does as another client does by default.
type preset struct {
	name     string
	column   int // of docs/configuration.md's table of defaults
	config   moldau.Config
	producer moldau.ProduceConfig
	// instead has what stands in place of what that client does, and why.
	instead map[string]string
}

// ours is a setting that keeps our default.
const ours = ""

var presets = []preset{
	{"brod", 4, moldau.LikeBrodConfig(), moldau.LikeBrodProducer(), map[string]string{
		"Name": ours, "ClientID": ours, "Brokers": ours, "BrokerList": ours, // the user's to give
		"Produce.DeliveryTimeout": ours, "Produce.MaxBlock": ours, // brod has no limit
		"Produce.BufferBytes":  ours,   // its limit is PartitionRecords
		"Produce.RequestBytes": ours,   // its one batch is that of one partition
		"Produce.Partitioner":  "brod", // brod has no default; this is its hash
		"Produce.Linger":       "off",  // that is how we write 0
		"Consume.MinBytes":     ours,   // 0 polls an empty partition
		"Consume.Reset":        "subscriber",
	}},
	{"KafkaEx", 5, moldau.LikeKafkaExConfig(), moldau.LikeKafkaExProducer(), map[string]string{
		"Name": ours, "Brokers": ours, "BrokerList": ours, "Pins": ours, // the user's to give
		"CallTimeout": ours, "Produce.DeliveryTimeout": ours, // KafkaEx has attempts alone
		"Produce.MaxRetries":   "2",   // three attempts
		"Produce.Linger":       "off", // it does not wait for others
		"Produce.RetryBackoff": ours,  // without a pause, retries would be over before an election
		"Produce.RequestBytes": ours,  // its one batch is that of one partition
		"Consume.Reset":        ours,  // latest skips records that are there
	}},
}

// A preset's settings are those that the table of defaults says of its client, and
// where the client has none, ours.
func TestPresetsAreWhatTheirTableSays(t *testing.T) {
	for _, p := range presets {
		t.Run(p.name, func(t *testing.T) {
			require.Equal(t, p.producer, p.config.Produce)
			rows := defaultsTable(t)
			for _, row := range rows {
				name, said := strings.Trim(row[0], "`"), row[p.column]
				if instead, there := p.instead[name]; there {
					said = instead
				}
				field := fieldOf(p.config, name)
				if said == ours || said == "-" {
					require.True(t, field.IsZero(), "%s is %v; nothing is said of it", name, field)
					continue
				}
				is := textOf(field)
				if field.IsZero() {
					is = row[2]
				}
				require.Equal(t, meaning(said), meaning(is), "%s: %s does %q, and the preset %q", name, p.name, said, is)
			}
			for name := range p.instead {
				fieldOf(p.config, name)
			}
			require.Greater(t, len(rows), 40)
		})
	}
}

// Presets are taken as they are, for all topics and for one.
func TestPresetsAreValid(t *testing.T) {
	for _, p := range presets {
		config := p.config
		config.Brokers, config.Telemetry = "127.0.0.1:1", discard
		config.Topics = map[string]moldau.ProduceConfig{"orders": p.producer}
		client, err := moldau.Start(t.Context(), config)
		require.NoError(t, err, p.name)
		require.NoError(t, client.Close())
	}
}

// defaultsTable gives the rows of the table of defaults, cell by cell.
func defaultsTable(t *testing.T) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("docs/configuration.md")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), "\n| setting | environment | default | why | brod | KafkaEx | Java |\n|")
	for line := range strings.Lines(rest) {
		if strings.TrimSpace(line) == "" {
			break
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

func fieldOf(config moldau.Config, name string) reflect.Value {
	v := reflect.ValueOf(config)
	for part := range strings.SplitSeq(name, ".") {
		v = v.FieldByName(part)
	}
	return v
}

// words are choices as the table writes them.
var words = map[any]string{
	moldau.IdempotenceOff: "never", moldau.RetryAtLeastOnce: "at least once", moldau.RetrySafe: "safe",
	moldau.ReadUncommitted: "read_uncommitted", moldau.ResetSubscriber: "subscriber",
}

// textOf is a value as the table writes it.
func textOf(field reflect.Value) string {
	if word, there := words[field.Interface()]; there {
		return word
	}
	if d, ok := field.Interface().(time.Duration); ok && d < 0 {
		return "off"
	}
	return fmt.Sprint(field.Interface())
}

var amount = regexp.MustCompile(`^([0-9.]+) ?(ms|s|m|KiB|MiB|MB)?(m?[0-9.]*s)?\b`)

var scale = map[string]float64{"": 1, "ms": 0.001, "s": 1, "m": 60, "KiB": 1 << 10, "MiB": 1 << 20, "MB": 1e6}

// meaning is what a cell says before its first comma: an amount, in seconds or
// bytes, or a word.
func meaning(cell string) any {
	text, _, _ := strings.Cut(strings.Trim(cell, "`"), ",")
	if d, err := time.ParseDuration(text); err == nil {
		return d.Seconds()
	}
	if found := amount.FindStringSubmatch(text); found != nil {
		n, err := strconv.ParseFloat(found[1], 64)
		if err == nil {
			return n * scale[found[2]]
		}
	}
	text = strings.ReplaceAll(strings.Trim(text, "`"), " ", "_")
	if word, there := map[string]any{"never": "off", "off": "off", "query": "false"}[text]; there {
		return word
	}
	return text
}
