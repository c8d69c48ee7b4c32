package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of go test -json (see go doc test2json); build events have an
// ImportPath in place of a Package.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// summary counts and prints as it reads.
type summary struct {
	out     io.Writer
	passed  int
	failed  int
	skipped int
	broken  int                 // packages that failed without a failed test: a build, a panic, a timeout
	red     map[string]bool     // packages with a failed test
	output  map[string][]string // of each running test or package
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, red: map[string]bool{}, output: map[string][]string{}}
}

// read takes events until the end. Lines that are no JSON are printed as they
// are: the go command writes some of its own.
func (s *summary) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			s.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) line(text string) {
	var e event
	if json.Unmarshal([]byte(text), &e) != nil {
		fmt.Fprint(s.out, text)
		return
	}
	switch {
	case e.Action == "build-output":
		fmt.Fprint(s.out, e.Output)
	case e.Action == "output":
		s.said(e)
	case e.Test != "":
		s.test(e)
	case e.Action == "fail" && e.Package != "":
		s.packageFailed(e)
	}
}

// said keeps the output of a test until its end is known; what tells of a whole
// package is printed at once.
func (s *summary) said(e event) {
	text := strings.TrimSpace(e.Output)
	if at := strings.Index(text, "soak: "); at >= 0 {
		fmt.Fprintln(s.out, text[at:])
		return
	}
	if e.Test == "" && packageLine(e.Output) {
		fmt.Fprint(s.out, e.Output)
		return
	}
	key := e.Package + " " + e.Test
	s.output[key] = append(s.output[key], e.Output)
}

func packageLine(text string) bool {
	return strings.HasPrefix(text, "ok  \t") || strings.HasPrefix(text, "FAIL\t") || strings.HasPrefix(text, "Benchmark")
}

func (s *summary) test(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
		s.print(key)
	case "fail":
		s.failed++
		s.red[e.Package] = true
		s.print(key)
	default:
		return
	}
	delete(s.output, key)
}

// packageFailed prints what a package said outside of its tests, and what the
// tests said that never came to an end: the one that panicked or hung.
func (s *summary) packageFailed(e event) {
	if s.red[e.Package] {
		return
	}
	s.broken++
	for key := range s.output {
		if strings.HasPrefix(key, e.Package+" ") {
			s.print(key)
		}
	}
}

func (s *summary) print(key string) {
	for _, text := range s.output[key] {
		fmt.Fprint(s.out, text)
	}
}

// close prints the last line and tells whether all is well.
func (s *summary) close() bool {
	fmt.Fprintf(s.out, "%d passed, %d failed", s.passed, s.failed+s.broken)
	if s.skipped > 0 {
		fmt.Fprintf(s.out, ", %d skipped", s.skipped)
	}
	fmt.Fprintln(s.out)
	if s.passed+s.failed+s.broken == 0 {
		fmt.Fprintln(s.out, "no test ran")
		return false
	}
	return s.failed+s.broken == 0
}
