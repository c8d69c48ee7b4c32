package handle

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moldau-go/moldau/behaviors"
)

const docs = "../../docs/configuration.md"

// tables gives the rows, cell by cell, of the page's tables whose first column is
// headed so.
func tables(t *testing.T, heads ...string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(docs)
	require.NoError(t, err)
	head := ""
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if !strings.HasPrefix(line, "| `") {
			head = cells[0]
		} else if slices.Contains(heads, head) {
			rows = append(rows, cells)
		}
	}
	require.NotEmpty(t, rows, heads)
	return rows
}

// The table of defaults says what the code does: every setting has its row, with its variable and its default.
func TestDocumentedDefaultsAreTheDefaults(t *testing.T) {
	said := map[string][]string{}
	for _, row := range tables(t, "setting") {
		said[strings.Trim(row[0], "`")] = row
	}
	filled, parsed := Config{}.withDefaults(), Config{}
	is, as := filled.options(), parsed.options()
	for i, o := range is {
		row := said[o.name]
		require.NotNil(t, row, "%s has no row in %s", o.name, docs)
		delete(said, o.name)
		require.Equal(t, "`"+envName(o.name)+"`", row[1], o.name)
		require.NotEmpty(t, row[3], "%s: why?", o.name)
		switch {
		case o.name == "ClientID":
			require.Equal(t, "`Name`", row[2])
		case row[2] == "none":
			require.True(t, isZero(o.field), o.name)
		default:
			require.NoError(t, as[i].set(strings.Trim(row[2], "`")), o.name)
			require.Equal(t, valueOf(o.field), valueOf(as[i].field), o.name)
		}
	}
	require.Empty(t, said, "rows of settings that there are not")
}

func TestDocumentedSecurityIsTheSecurity(t *testing.T) {
	said := map[string]string{}
	for _, row := range tables(t, "setting in text") {
		said[strings.Trim(row[0], "`")] = strings.Trim(row[1], "`")
	}
	is := map[string]string{}
	for _, o := range new(security).options() {
		is[o.name] = envName(o.name)
	}
	require.Equal(t, is, said)
}

// The table of partitioners has every word, and every word is taken.
func TestDocumentedPartitionersAreThePartitioners(t *testing.T) {
	words := []string{}
	for _, row := range tables(t, "word and in Go") {
		word, _, _ := strings.Cut(row[0], ",")
		words = append(words, strings.Trim(word, "`"))
	}
	require.ErrorContains(t, partitioning{}.set(""), "want one of "+strings.Join(words, ", "))
	for _, word := range words {
		c, err := FromEnviron(Config{}, []string{"MOLDAU_PRODUCE_PARTITIONER=" + word})
		require.NoError(t, err)
		if word != "round_robin" {
			require.Equal(t, word, c.Produce.Partitioner.(behaviors.Scheme).String())
			continue
		}
		require.IsType(t, behaviors.RoundRobin(), c.Produce.Partitioner)
	}
}

// What stands for a setting of brod or KafkaEx exists, and has the default that
// is written beside it.
func TestWhatReplacesASettingExists(t *testing.T) {
	known := map[string]string{"TLS": "none", "SASL": "none", "Telemetry": "", "Produce": "", "Socket": "", "Socket.Control": "",
		"Authenticator": "", "BrokersFunc": "", "Begin": "", "Partitions": "", "MaxBytes": "", "MaxWait": "", "ReadUncommitted": ""}
	for _, row := range tables(t, "setting") {
		known[strings.Trim(row[0], "`")] = row[2]
	}
	names := regexp.MustCompile("`([A-Z][A-Za-z.]*)`")
	alone := regexp.MustCompile("^`[A-Z][A-Za-z.]*`$")
	rows := 0
	for _, row := range tables(t, "brod", "KafkaEx") {
		require.Len(t, row, 4, row[0])
		rows++
		require.NotContains(t, row, "", "%s: a cell is empty", row[0])
		for _, found := range names.FindAllStringSubmatch(row[2]+" "+row[3], -1) {
			require.Contains(t, known, found[1], "%s is replaced by %s, which there is not", row[0], found[1])
		}
		if alone.MatchString(row[2]) {
			value := known[strings.Trim(row[2], "`")]
			require.True(t, strings.HasPrefix(row[3], value), "%s: the default of %s is %s", row[0], row[2], value)
		}
	}
	require.Greater(t, rows, 80)
}

func valueOf(field any) any {
	switch field := field.(type) {
	case choice:
		return *field.at
	case pins:
		return *field.at
	case partitioning:
		return *field.at
	}
	return reflect.ValueOf(field).Elem().Interface()
}

func isZero(field any) bool { return reflect.ValueOf(valueOf(field)).IsZero() }
