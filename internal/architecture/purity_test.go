package architecture

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A core takes an event, the time and randomness, and gives actions. So it may
// not reach for any of them itself: no actor, socket, lock, file, generator,
// clock or goroutine.

// pureRooms are the rooms of cores, with what they may not import, everything
// below it included. The simulator runs cores, so it is held to the same but for
// its own generators and its environment.
var pureRooms = []struct {
	pattern   string
	forbidden []string
}{
	{"actors/internal/...", []string{protoactor, "net", "sync", "os", "math/rand", "crypto/rand"}},
	{"supervisor/internal/...", []string{protoactor, "net", "sync", "os", "math/rand", "crypto/rand"}},
	{"internal/simulator/...", []string{protoactor, "net", "sync", "reflect", "crypto/rand"}},
}

// impureCalls are the names of packages that a core may import for their types.
var impureCalls = map[string][]string{
	"time":    {"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"},
	"context": {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause", "AfterFunc"},
}

const coreAdvice = "a core gets time and randomness as input and answers with actions; do this in the actor's shell"

// impureCores holds the files of cores, tests left out, to the rule above.
func impureCores(c *checkout) []string {
	var problems []string
	for _, s := range c.files {
		if s.test() || s.tree == nil {
			continue
		}
		for _, pure := range pureRooms {
			if matches(pure.pattern, s.folder()) {
				problems = append(problems, impureImportsOf(c, s, pure.forbidden)...)
				problems = append(problems, impureCallsOf(c, s)...)
			}
		}
	}
	return problems
}

func impureImportsOf(c *checkout, s *source, forbidden []string) []string {
	var problems []string
	for _, spec := range s.imports() {
		target, _ := strconv.Unquote(spec.Path.Value)
		if within(target, forbidden) {
			problems = append(problems, fmt.Sprintf("%s: a core may not import %s: %s", c.at(s, spec.Pos()), target, coreAdvice))
		}
		if impureCalls[target] != nil && spec.Name != nil && spec.Name.Name == "." {
			problems = append(problems, fmt.Sprintf("%s: a core may not dot-import %s, which hides its calls", c.at(s, spec.Pos()), target))
		}
	}
	return problems
}

func impureCallsOf(c *checkout, s *source) []string {
	names := localNames(s)
	var problems []string
	ast.Inspect(s.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			problems = append(problems, fmt.Sprintf("%s: a core may not start a goroutine: %s", c.at(s, n.Pos()), coreAdvice))
		case *ast.SelectorExpr:
			from, ok := n.X.(*ast.Ident)
			if ok && slices.Contains(impureCalls[names[from.Name]], n.Sel.Name) {
				problems = append(problems, fmt.Sprintf("%s: a core may not use %s.%s: %s",
					c.at(s, n.Pos()), names[from.Name], n.Sel.Name, coreAdvice))
			}
		}
		return true
	})
	return problems
}

// localNames gives the import path behind each package name of a file.
func localNames(s *source) map[string]string {
	names := map[string]string{}
	for _, spec := range s.imports() {
		target, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = target
	}
	return names
}

// packageMachines looks for package-level variables that hold what must hang off
// a handle or an actor system: pools, locks, timers, tickers, registries made by
// a call, and init functions. Tests may have them.
func packageMachines(c *checkout) []string {
	var problems []string
	for _, s := range c.files {
		if s.test() || s.tree == nil || c.nested(s.folder()) != "" {
			continue
		}
		for _, decl := range s.tree.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				problems = append(problems, fmt.Sprintf("%s: no init functions in the library: what a package needs it builds from constants", c.at(s, f.Pos())))
			}
			g, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				if machine := machineOf(s, spec); machine != "" {
					problems = append(problems, fmt.Sprintf("%s: a package-level %s: let it hang off the handle or the actor system, and end with it",
						c.at(s, spec.Pos()), machine))
				}
			}
		}
	}
	return problems
}

// machineOf names the machine that a package-level variable holds, "" if none.
func machineOf(s *source, spec ast.Spec) string {
	value, ok := spec.(*ast.ValueSpec)
	if !ok {
		return ""
	}
	names := localNames(s)
	machine := ""
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ChanType:
			machine = "channel"
		case *ast.SelectorExpr:
			if from, ok := n.X.(*ast.Ident); ok {
				full := names[from.Name] + "." + n.Sel.Name
				if slices.Contains(machines, full) || strings.HasPrefix(full, "sync/atomic.") {
					machine = full
				}
			}
		}
		return machine == ""
	}
	if value.Type != nil {
		ast.Inspect(value.Type, look)
	}
	for _, expression := range value.Values {
		ast.Inspect(expression, look)
	}
	return machine
}

var machines = []string{"sync.Pool", "sync.Mutex", "sync.RWMutex", "sync.Map", "sync.Once", "sync.WaitGroup", "sync.Cond",
	"time.NewTicker", "time.NewTimer", "time.Tick", "time.Ticker", "time.Timer", "time.AfterFunc", "time.Now"}
