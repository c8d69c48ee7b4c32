package kafkatest

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kafka 4 logs with log4j 2, everything before with log4j 1 (or its continuation reload4j). Both write to the standard
// output, which the kit keeps in a file per node.
const log4j1 = `log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n
`

const log4j2 = `Configuration:
  Appenders:
    Console:
      name: out
      PatternLayout:
        pattern: "%d{ISO8601} %p %m (%c)%n"
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        - ref: out
`

// logOption writes the log configuration into dir and returns the JVM option that names it.
func (v version) logOption(dir string) (string, error) {
	name, text, option := "log4j.properties", log4j1, "-Dlog4j.configuration=file:"
	if v.atLeast(4) {
		name, text, option = "log4j2.yaml", log4j2, "-Dlog4j2.configurationFile="
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("kafkatest: no log configuration: %w", err)
	}
	return option + path, nil
}

// tail is the end of a log file, at most n lines.
func tail(path string, n int) string {
	lines := logLines(path)
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// excerpt is what explains a failure best: the first error that a log tells, and its end.
func excerpt(path string) string {
	const around, end = 12, 12
	lines := logLines(path)
	first := slices.IndexFunc(lines, func(line string) bool {
		return strings.Contains(line, " FATAL ") || strings.Contains(line, " ERROR ") || strings.HasPrefix(line, "Exception in thread")
	})
	if first < 0 || first+around+end >= len(lines) {
		return tail(path, around+end)
	}
	return strings.Join(lines[first:first+around], "\n") + "\n[...]\n" + strings.Join(lines[len(lines)-end:], "\n")
}

// logLines are the lines of the last MiB of a log; none of a file that is not there.
func logLines(path string) []string {
	const most = 1 << 20
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(f, most))
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}
