package architecture

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// requirement is one line of a go.mod.
type requirement struct {
	path     string
	indirect bool
}

// directives gives the lines of one kind (require, replace, exclude, use) in the
// text of a go.mod or go.work, blocks included, without the keyword.
func directives(text, kind string) []string {
	var lines []string
	inside := false
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "//"):
		case line == kind+" (":
			inside = true
		case line == ")":
			inside = false
		case inside:
			lines = append(lines, line)
		case strings.HasPrefix(line, kind+" "):
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, kind)))
		}
	}
	return lines
}

func requirementsOf(text string) []requirement {
	var list []requirement
	for _, line := range directives(text, "require") {
		list = append(list, requirement{strings.Fields(line)[0], strings.HasSuffix(line, "// indirect")})
	}
	return list
}

// requirements holds the root's direct requirements to the allowed list: no more,
// since every user of the library takes them in, and no fewer, so that the list
// stays true.
func requirements(c *checkout) []string {
	var problems []string
	var direct []string
	for _, r := range requirementsOf(c.modules[""]) {
		if r.indirect {
			continue
		}
		direct = append(direct, r.path)
		if !slices.Contains(allowedRequirements, r.path) {
			problems = append(problems, fmt.Sprintf("go.mod: the root module requires %s, which is not on the allowed list: do without, or put it into a module of its own", r.path))
		}
	}
	for _, allowed := range allowedRequirements {
		if !slices.Contains(direct, allowed) {
			problems = append(problems, fmt.Sprintf("go.mod: the root module does not require %s any more: take it off the list in internal/architecture/rooms_test.go", allowed))
		}
	}
	return problems
}

// replacements looks for what holds inside this checkout only: the go command
// ignores it in a dependency and refuses it in go install.
func replacements(c *checkout) []string {
	var problems []string
	for folder, text := range c.modules {
		for _, kind := range []string{"replace", "exclude"} {
			for _, line := range directives(text, kind) {
				problems = append(problems, fmt.Sprintf("%s: %s %s: users of the module do not get this, and go install refuses it", path.Join(folder, "go.mod"), kind, line))
			}
		}
	}
	return problems
}

// outsideWorkspace looks for modules that go.work does not name, which nothing
// builds or tests, and for modules whose path does not follow from their folder.
func outsideWorkspace(c *checkout) []string {
	var problems []string
	used := directives(c.work, "use")
	for folder, text := range c.modules {
		entry := "./" + folder
		if folder == "" {
			entry = "."
		}
		if c.work != "" && !slices.Contains(used, entry) {
			problems = append(problems, fmt.Sprintf("%s: go.work does not use this module, so nothing builds or tests it", path.Join(folder, "go.mod")))
		}
		want := path.Join(module, folder)
		if got := directives(text, "module"); len(got) != 1 || got[0] != want {
			problems = append(problems, fmt.Sprintf("%s: the module in this folder is named %s", path.Join(folder, "go.mod"), want))
		}
	}
	return problems
}
