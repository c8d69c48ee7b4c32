package architecture

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// forbiddenImports holds every file that is no test to the table of rooms.
func forbiddenImports(c *checkout) []string {
	var problems []string
	for _, s := range c.files {
		if s.test() {
			continue
		}
		where := roomOf(c, s.folder())
		if where == nil {
			problems = append(problems, fmt.Sprintf("%s: the folder %q is in no room; put the file into one, or give it a row in %s",
				s.path, s.folder(), "internal/architecture/rooms_test.go"))
			continue
		}
		for _, spec := range s.imports() {
			target, _ := strconv.Unquote(spec.Path.Value)
			if !where.allows(target) {
				problems = append(problems, fmt.Sprintf("%s: %s may not import %s; it may import the standard library%s",
					c.at(s, spec.Pos()), where, target, where.permitted()))
			}
		}
	}
	return problems
}

// foreignTestImports keeps the root's tests inside what its go.mod provides. In
// the workspace an import of a nested module resolves without being required, and
// breaks only for those who have the module alone.
func foreignTestImports(c *checkout) []string {
	var problems []string
	for _, s := range c.files {
		if !s.test() || c.nested(s.folder()) != "" {
			continue
		}
		for _, spec := range s.imports() {
			target, _ := strconv.Unquote(spec.Path.Value)
			own, ours := ownFolder(target)
			switch {
			case ours && c.nested(own) != "":
				problems = append(problems, fmt.Sprintf("%s: a test of the root module may not import %s, which is a module of its own: put the test there",
					c.at(s, spec.Pos()), target))
			case !ours && !standard(target) && !within(target, allowedRequirements):
				problems = append(problems, fmt.Sprintf("%s: a test of the root module may not import %s: the root does not require it",
					c.at(s, spec.Pos()), target))
			}
		}
	}
	return problems
}

func roomOf(c *checkout, folder string) *room {
	// An adapter below telemetry is a module of its own: its go.mod decides.
	if nested := c.nested(folder); strings.HasPrefix(nested, "telemetry/") {
		return &room{nested + "/...", append([]string{nested + "/..."}, public...), []string{anyOtherCode}, "a telemetry adapter"}
	}
	for i := range rooms {
		if matches(rooms[i].pattern, folder) {
			return &rooms[i]
		}
	}
	return nil
}

func (r *room) String() string {
	name := strings.TrimSuffix(r.pattern, "/...")
	if name == "" {
		name = "the root package"
	}
	return name + " (" + r.purpose + ")"
}

func (r *room) allows(target string) bool {
	if own, ours := ownFolder(target); ours {
		return slices.ContainsFunc(r.own, func(pattern string) bool { return matches(pattern, own) })
	}
	return standard(target) || slices.Contains(r.others, anyOtherCode) || within(target, r.others)
}

// permitted lists what a room may import beside the standard library.
func (r *room) permitted() string {
	var b strings.Builder
	for _, pattern := range r.own {
		if pattern == "" {
			pattern = "the root package"
		}
		b.WriteString(", " + pattern)
	}
	for _, other := range r.others {
		if other == anyOtherCode {
			other = "what its go.mod requires"
		}
		b.WriteString(", " + other)
	}
	return b.String()
}

// ownFolder gives the folder of an import path of this project.
func ownFolder(target string) (string, bool) {
	if target == module {
		return "", true
	}
	return strings.CutPrefix(target, module+"/")
}

func matches(pattern, folder string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return folder == base || below && strings.HasPrefix(folder, base+"/")
}

// standard tells packages of the standard library: the first part of their path
// has no dot.
func standard(target string) bool {
	first, _, _ := strings.Cut(target, "/")
	return !strings.Contains(first, ".")
}

func within(target string, libraries []string) bool {
	return slices.ContainsFunc(libraries, func(library string) bool {
		return target == library || strings.HasPrefix(target, library+"/")
	})
}
