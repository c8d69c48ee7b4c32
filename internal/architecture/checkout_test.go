// Package architecture holds the rules of the house as tests: which room may
// import which, how pure a core is, how long a file is, what is documented. It
// has test files only. Every rule is a function from a checkout to a list of
// problems, so the tests beside it can plant a violation in a folder of their
// own and prove that the rule is able to fail.
package architecture

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rules are all the rules that the checkout is held to.
var rules = map[string]func(*checkout) []string{
	"sources parse":                         unparsable,
	"rooms import only what they may":       forbiddenImports,
	"tests of the root stay in the root":    foreignTestImports,
	"cores are pure":                        impureCores,
	"files are short":                       longFiles,
	"packages have telling names":           vagueNames,
	"actor shells open with their header":   headlessShells,
	"exported names are documented":         undocumented,
	"the project stands alone":              foreignWords,
	"go.mod requires what is allowed":       requirements,
	"no go.mod replaces or excludes":        replacements,
	"every module is in the workspace":      outsideWorkspace,
	"nothing builds package-level machines": packageMachines,
}

// TestCheckout holds the whole checkout, nested modules included, to the rules.
func TestCheckout(t *testing.T) {
	c := load(t, root(t))
	require.NotEmpty(t, c.files)
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for _, problem := range rule(c) {
				t.Error(problem)
			}
		})
	}
}

// root finds the folder of the root module above this package.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module "+module+"\n") {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod of %s above this package", module)
		dir = parent
	}
}
