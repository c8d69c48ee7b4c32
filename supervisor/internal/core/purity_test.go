package core

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPurity: the core knows time as a number and the world not at all.
func TestPurity(t *testing.T) {
	allowed := map[string]bool{"errors": true, "fmt": true, "strconv": true, "time": true,
		"github.com/moldau-go/moldau/supervisor/internal/table": true}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	files := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		files++
		src, err := os.ReadFile(e.Name())
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), src, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			require.True(t, allowed[path], "%s imports %s", e.Name(), path)
		}
		for _, clock := range []string{"time.Now", "time.Since", "time.Sleep", "time.After", "time.NewTimer", "go func"} {
			require.NotContains(t, string(src), clock, e.Name())
		}
	}
	require.Positive(t, files)
}
