package main

import (
	"os"
	"strings"
	"testing"
)

// The code that README.md shows is the code of the examples.
func TestReadmeShowsTheExamples(t *testing.T) {
	readme := read(t, "../../README.md")
	for _, file := range []string{"examples/consume/main.go", "examples/produce/main.go", "examples/read/main.go"} {
		_, rest, marked := strings.Cut(readme, "<!-- code of "+file+" -->\n```go\n")
		shown, _, closed := strings.Cut(rest, "```")
		if !marked || !closed || strings.Count(shown, "\n") < 8 {
			t.Fatalf("README.md has no code block behind the mark of %s", file)
		}
		if !strings.Contains(read(t, "../../"+file), shown) {
			t.Errorf("README.md shows lines that are not in %s", file)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
