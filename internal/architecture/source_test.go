package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the path of the root module; every nested module's begins with it.
const module = "github.com/moldau-go/moldau"

// checkout is everything that the rules look at.
type checkout struct {
	dir     string
	set     *token.FileSet
	files   []*source
	modules map[string]string // folder ("" is the root) to the text of its go.mod
	work    string            // the text of go.work, "" if there is none
}

// source is one Go file.
type source struct {
	path   string // from the root, with slashes
	text   string
	tree   *ast.File
	broken error
}

var generatedLine = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

func (s *source) folder() string {
	dir := path.Dir(s.path)
	if dir == "." {
		return ""
	}
	return dir
}

func (s *source) test() bool      { return strings.HasSuffix(s.path, "_test.go") }
func (s *source) generated() bool { return generatedLine.MatchString(s.text) }

// imports gives the import paths with their positions.
func (s *source) imports() []*ast.ImportSpec {
	if s.tree == nil {
		return nil
	}
	return s.tree.Imports
}

// at says where a node is, as an editor understands it.
func (c *checkout) at(s *source, pos token.Pos) string {
	return s.path + ":" + strconv.Itoa(c.set.Position(pos).Line)
}

// nested gives the folder of the module that a folder belongs to, "" for the root.
func (c *checkout) nested(folder string) string {
	for folder != "" {
		if _, ok := c.modules[folder]; ok {
			return folder
		}
		if folder = path.Dir(folder); folder == "." {
			folder = ""
		}
	}
	return ""
}

// load reads every Go file below a folder. Other people's files (testdata,
// vendor, what begins with a dot or an underscore) are left out, as the go
// command leaves them out.
func load(t *testing.T, dir string) *checkout {
	t.Helper()
	c := &checkout{dir: dir, set: token.NewFileSet(), modules: map[string]string{}}
	require.NoError(t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, _ := filepath.Rel(dir, name)
		relative = filepath.ToSlash(relative)
		if entry.IsDir() {
			if relative != "." && ignoredFolder(entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		return c.read(name, relative)
	}))
	return c
}

func ignoredFolder(name string) bool {
	return name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func (c *checkout) read(name, relative string) error {
	base := path.Base(relative)
	if base != "go.mod" && relative != "go.work" && !strings.HasSuffix(base, ".go") {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	switch {
	case base == "go.mod":
		c.modules[strings.Trim(strings.TrimSuffix(relative, "go.mod"), "/")] = string(text)
	case relative == "go.work":
		c.work = string(text)
	default:
		s := &source{path: relative, text: string(text)}
		s.tree, s.broken = parser.ParseFile(c.set, relative, text, parser.ParseComments|parser.SkipObjectResolution)
		c.files = append(c.files, s)
	}
	return nil
}

// unparsable tells of files that no rule can look into.
func unparsable(c *checkout) []string {
	var problems []string
	for _, s := range c.files {
		if s.broken != nil {
			problems = append(problems, s.broken.Error())
		}
	}
	return problems
}

// committed lists the files that git tracks or would track; outside a repository,
// every file.
func (c *checkout) committed() []string {
	top, err := exec.Command("git", "-C", c.dir, "rev-parse", "--show-toplevel").Output()
	if err == nil && sameFolder(strings.TrimSpace(string(top)), c.dir) {
		list, err := exec.Command("git", "-C", c.dir, "ls-files", "-z", "-co", "--exclude-standard").Output()
		if err == nil {
			return strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 })
		}
	}
	var names []string
	_ = filepath.WalkDir(c.dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			relative, _ := filepath.Rel(c.dir, name)
			names = append(names, filepath.ToSlash(relative))
		}
		return nil
	})
	return names
}

func sameFolder(a, b string) bool {
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(first, second)
}
