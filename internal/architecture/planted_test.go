package architecture

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each rule is shown a small checkout with one violation and must tell of it, and
// one that is nearly the same and must keep silent.

const rootModule = "module " + module + "\n\ngo 1.26.0\n"

// plant writes a checkout into a folder of the test's own.
func plant(t *testing.T, files map[string]string) *checkout {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(text), 0o644))
	}
	return load(t, dir)
}

// one is a checkout of the root module and one file.
func one(name, text string) map[string]string {
	return map[string]string{"go.mod": rootModule, name: text}
}

func importing(name string, targets ...string) string {
	text := "// Package " + name + " is planted.\npackage " + name + "\n\nimport (\n"
	for _, target := range targets {
		text += "\t_ \"" + target + "\"\n"
	}
	return text + ")\n"
}

func TestPlantedViolations(t *testing.T) {
	for name, p := range planted {
		t.Run(name, func(t *testing.T) {
			problems := strings.Join(rules[p.rule](plant(t, p.files)), "\n")
			if p.problem == "" {
				require.Empty(t, problems)
				return
			}
			require.Contains(t, problems, p.problem)
		})
	}
}

type plantedCase struct {
	rule    string
	files   map[string]string
	problem string // "" means that the rule has nothing to say
}

var planted = map[string]plantedCase{
	"broken syntax": {"sources parse", one("wire/a.go", "package wire\nfunc {"), "wire/a.go:2"},
	"good syntax":   {"sources parse", one("wire/a.go", "package wire\n"), ""},

	"wire imports an actor": {"rooms import only what they may", one("wire/a.go", importing("wire", protoactor+"/actor")),
		"wire/a.go:5: wire (bytes and sockets, no actors) may not import " + protoactor + "/actor"},
	"wire imports what it may": {"rooms import only what they may", one("wire/a.go", importing("wire", "net", kmsg, module+"/wire/record")), ""},
	"wire imports upwards":     {"rooms import only what they may", one("wire/a.go", importing("wire", module+"/telemetry")), "may not import " + module + "/telemetry"},
	"wire imports the front":   {"rooms import only what they may", one("wire/a.go", importing("wire", module)), "may not import " + module + ";"},
	"record imports kmsg":      {"rooms import only what they may", one("wire/record/a.go", importing("record", kmsg)), "wire/record"},
	"record imports codecs":    {"rooms import only what they may", one("wire/record/a.go", importing("record", klauspost+"/zstd")), "may not import " + klauspost + "/zstd"},
	"record imports compress":  {"rooms import only what they may", one("wire/record/a.go", importing("record", module+"/wire/compress")), ""},
	"supervisor knows Kafka":   {"rooms import only what they may", one("supervisor/a.go", importing("supervisor", module+"/wire")), "supervisor/a.go:5"},
	"supervisor on protoactor": {"rooms import only what they may", one("supervisor/a.go", importing("supervisor", protoactor+"/actor")), ""},
	"behaviors know wire":      {"rooms import only what they may", one("behaviors/a.go", importing("behaviors", module+"/wire")), "behaviors/a.go:5"},
	"behaviors know records":   {"rooms import only what they may", one("behaviors/b/a.go", importing("b", module+"/wire/record", module+"/behaviors")), ""},
	"telemetry knows actors":   {"rooms import only what they may", one("telemetry/a.go", importing("telemetry", module+"/actors/protocol")), "telemetry/a.go:5"},
	"protocol knows clusters":  {"rooms import only what they may", one("actors/protocol/a.go", importing("protocol", protoactor+"/cluster")), "protoactor-go/cluster"},
	"protocol knows PIDs":      {"rooms import only what they may", one("actors/protocol/a.go", importing("protocol", protoactor+"/actor")), ""},
	"protocol knows shells":    {"rooms import only what they may", one("actors/protocol/a.go", importing("protocol", module+"/actors")), "actors/protocol/a.go:5"},
	"actors know the front":    {"rooms import only what they may", one("actors/a.go", importing("actors", module)), "actors/a.go:5"},
	"actors know all below": {"rooms import only what they may", one("actors/a.go",
		importing("actors", protoactor+"/actor", kmsg, module+"/wire", module+"/supervisor", module+"/actors/internal/producing")), ""},
	"the front knows cores":    {"rooms import only what they may", one("a.go", importing("moldau", module+"/actors/internal/producing")), "the root package"},
	"the front knows codecs":   {"rooms import only what they may", one("a.go", importing("moldau", lz4)), "may not import " + lz4},
	"a room without a row":     {"rooms import only what they may", one("attic/a.go", importing("attic")), `the folder "attic" is in no room`},
	"a test in the wrong room": {"rooms import only what they may", one("wire/a_test.go", importing("wire", protoactor+"/actor")), ""},
	"an example looks inside": {"rooms import only what they may", map[string]string{"go.mod": rootModule, "examples/go.mod": "module " + module + "/examples\n",
		"examples/a.go": importing("main", module+"/internal/simulator")}, "examples/a.go:5"},
	"an example uses the world": {"rooms import only what they may", map[string]string{"go.mod": rootModule, "examples/go.mod": "module " + module + "/examples\n",
		"examples/a.go": importing("main", module, "example.org/anything")}, ""},
	"an adapter uses its library": {"rooms import only what they may", map[string]string{"go.mod": rootModule, "telemetry/prom/go.mod": "module " + module + "/telemetry/prom\n",
		"telemetry/prom/a.go": importing("prom", module+"/telemetry", "example.org/prometheus")}, ""},

	"a test imports a nested module": {"tests of the root stay in the root", map[string]string{"go.mod": rootModule, "internal/kafkatest/go.mod": "module " + module + "/internal/kafkatest\n",
		"wire/a_test.go": importing("wire", module+"/internal/kafkatest")}, "which is a module of its own"},
	"a test imports a stranger":        {"tests of the root stay in the root", one("wire/a_test.go", importing("wire", "example.org/x")), "the root does not require it"},
	"a test imports what is required":  {"tests of the root stay in the root", one("wire/a_test.go", importing("wire", rapid, testify+"/require", protoactor+"/actor", module+"/internal/simulator")), ""},
	"a nested test imports a stranger": {"tests of the root stay in the root", map[string]string{"go.mod": rootModule, "bench/go.mod": "module " + module + "/bench\n", "bench/a_test.go": importing("bench", "example.org/x")}, ""},

	"a core imports an actor":     {"cores are pure", one("actors/internal/x/a.go", importing("x", protoactor+"/actor")), "a core may not import " + protoactor},
	"a core imports sockets":      {"cores are pure", one("actors/internal/x/a.go", importing("x", "net/netip")), "a core may not import net/netip"},
	"a core imports locks":        {"cores are pure", one("supervisor/internal/core/a.go", importing("core", "sync")), "a core may not import sync"},
	"a core imports atomics":      {"cores are pure", one("actors/internal/x/a.go", importing("x", "sync/atomic")), "a core may not import sync/atomic"},
	"a core imports files":        {"cores are pure", one("actors/internal/x/a.go", importing("x", "os")), "a core may not import os"},
	"a core imports chance":       {"cores are pure", one("actors/internal/x/a.go", importing("x", "math/rand/v2")), "a core may not import math/rand/v2"},
	"the simulator reflects":      {"cores are pure", one("internal/simulator/a.go", importing("simulator", "reflect")), "a core may not import reflect"},
	"the simulator draws":         {"cores are pure", one("internal/simulator/a.go", importing("simulator", "math/rand/v2", "os")), ""},
	"a core hides the clock":      {"cores are pure", one("actors/internal/x/a.go", "package x\nimport . \"time\"\nvar _ = Second\n"), "may not dot-import time"},
	"a core reads the clock":      {"cores are pure", one("actors/internal/x/a.go", "package x\nimport \"time\"\nfunc f() time.Time { return time.Now() }\n"), "actors/internal/x/a.go:3: a core may not use time.Now"},
	"a core passes the clock":     {"cores are pure", one("actors/internal/x/a.go", "package x\nimport clock \"time\"\nvar now = clock.Now\n"), "a core may not use time.Now"},
	"a core sleeps":               {"cores are pure", one("supervisor/internal/core/a.go", "package core\nimport \"time\"\nfunc f() { time.Sleep(1) }\n"), "a core may not use time.Sleep"},
	"a core waits":                {"cores are pure", one("actors/internal/x/a.go", "package x\nimport \"time\"\nvar c = time.After(1)\n"), "a core may not use time.After"},
	"a core arms a timer":         {"cores are pure", one("actors/internal/x/a.go", "package x\nimport \"time\"\nvar c = time.NewTimer(1)\n"), "a core may not use time.NewTimer"},
	"a core sets a deadline":      {"cores are pure", one("actors/internal/x/a.go", "package x\nimport \"context\"\nvar c, d = context.WithTimeout(nil, 1)\n"), "a core may not use context.WithTimeout"},
	"a core starts a goroutine":   {"cores are pure", one("actors/internal/x/a.go", "package x\nfunc f() { go f() }\n"), "a core may not start a goroutine"},
	"a core computes with time":   {"cores are pure", one("actors/internal/x/a.go", "package x\nimport \"time\"\nfunc f(t time.Time) time.Time { return t.Add(time.Second) }\n"), ""},
	"a core's test uses anything": {"cores are pure", one("actors/internal/x/a_test.go", importing("x", "math/rand", "sync", "os")), ""},
	"a shell reads the clock":     {"cores are pure", one("actors/a.go", "package actors\nimport \"time\"\nvar now = time.Now\n"), ""},

	"a package-level pool":    {"nothing builds package-level machines", one("wire/a.go", "package wire\nimport \"sync\"\nvar pool = sync.Pool{}\n"), "wire/a.go:3: a package-level sync.Pool"},
	"a package-level lock":    {"nothing builds package-level machines", one("wire/a.go", "package wire\nimport \"sync\"\nvar mu sync.Mutex\n"), "a package-level sync.Mutex"},
	"a package-level counter": {"nothing builds package-level machines", one("wire/a.go", "package wire\nimport \"sync/atomic\"\nvar n atomic.Int64\n"), "a package-level sync/atomic.Int64"},
	"a package-level clock":   {"nothing builds package-level machines", one("wire/a.go", "package wire\nimport \"time\"\nvar start = time.Now()\n"), "a package-level time.Now"},
	"a package-level channel": {"nothing builds package-level machines", one("wire/a.go", "package wire\nvar c = make(chan int)\n"), "a package-level channel"},
	"an init function":        {"nothing builds package-level machines", one("wire/a.go", "package wire\nfunc init() {}\n"), "no init functions"},
	"a table and an error":    {"nothing builds package-level machines", one("wire/a.go", "package wire\nimport \"errors\"\nvar Err, table = errors.New(\"x\"), []int{1}\n"), ""},

	"a long file":           {"files are short", one("wire/a.go", "package wire\n"+strings.Repeat("\n", maxLines)), "wire/a.go: 601 lines"},
	"a file that just fits": {"files are short", one("wire/a.go", "package wire\n"+strings.Repeat("\n", maxLines-1)), ""},
	"a generated long file": {"files are short", one("wire/a.go", "// Code generated by x. DO NOT EDIT.\npackage wire\n"+strings.Repeat("\n", maxLines)), ""},

	"a package named util":    {"packages have telling names", one("wire/x/a.go", "package util\n"), "a package named util"},
	"a folder named common":   {"packages have telling names", one("wire/common/a.go", "package x\n"), "a package named common"},
	"a test package":          {"packages have telling names", one("wire/x/a_test.go", "package manager_test\n"), "a package named manager"},
	"a package that says why": {"packages have telling names", one("wire/frame/a.go", "package frame\n"), ""},

	"a shell without a header": {"actor shells open with their header", one("actors/a.go", "package actors\n// x is an actor.\ntype x struct{}\nfunc (x) Receive(ctx actor.Context) {}\n"),
		"actors/a.go:4: the file declares an actor"},
	"a shell with half a header": {"actor shells open with their header", one("actors/a.go", "package actors\n// Purpose: x.\n// Parent: y.\ntype x struct{}\nfunc (x) Receive(ctx actor.Context) {}\n"),
		"missing: Children, Messages, Restart, Crash"},
	"a header too late": {"actor shells open with their header", one("actors/a.go", "package actors\ntype x struct{}\n"+header+"func (x) Receive(ctx actor.Context) {}\n"), "missing: Purpose"},
	"a header on top":   {"actor shells open with their header", one("actors/a.go", header+"\npackage actors\ntype x struct{}\nfunc (x) Receive(ctx actor.Context) {}\n"), ""},
	"a header on the type": {"actor shells open with their header", one("actors/a.go",
		"package actors\nimport \"time\"\n"+header+"type x struct{}\nfunc (x) Receive(ctx actor.Context) {}\n"), ""},
	"no actor at all": {"actor shells open with their header", one("actors/a.go", "package actors\ntype x struct{}\nfunc (x) Receive() error { return nil }\n"), ""},

	"a bare function":      {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\nfunc Bare() {}\n"), "wire/a.go:3: Bare is exported"},
	"a bare method":        {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\n// T is.\ntype T struct{}\nfunc (*T) Bare() {}\n"), "Bare is exported"},
	"a bare generic":       {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\n// T is.\ntype T[X any] struct{}\nfunc (*T[X]) Bare() {}\n"), "Bare is exported"},
	"a bare type":          {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\ntype Bare struct{}\n"), "Bare is exported"},
	"a bare constant":      {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\nconst Bare = 1\n"), "Bare is exported"},
	"a bare one in a list": {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\nvar (\n\t// A is.\n\tA int\n\tBare int\n)\n"), "wire/a.go:6: Bare is exported"},
	"only a directive":     {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\n//go:noinline\nfunc Bare() {}\n"), "Bare is exported"},
	"a bare interface":     {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\n// T opens.\ntype T interface {\n\tOpen()\n\tBare()\n}\n"), "wire/a.go:6: Bare is exported"},
	"a bare package":       {"exported names are documented", one("wire/a.go", "package wire\n"), "wire/: no file says"},
	"all said": {"exported names are documented", one("wire/a.go", "// Package wire is.\npackage wire\n// Codes.\nconst (\n\tA = 1\n\tB = 2 // b\n)\n"+
		"// T is. It can Open and Close.\ntype T interface {\n\tOpen()\n\tClose()\n}\n// E is.\ntype E struct{}\nfunc (E) Error() string { return \"\" }\nfunc (E) Open() {}\n"+
		"type hidden struct{}\nfunc (hidden) Do() {}\nfunc own() {}\n"), ""},

	"a foreign word":           {"the project stands alone", one("docs/a.md", "first\nsee ."+"./shared for more\n"), "docs/a.md:2:"},
	"a folder of a machine":    {"the project stands alone", one("scripts/run", "cd /root"+"/go\n"), "scripts/run:1:"},
	"a binary is not read":     {"the project stands alone", one("logo.png", "\x00/root"+"/go\n"), ""},
	"words of the field":       {"the project stands alone", one("docs/a.md", "session timeout, shared subscription, part of the design\n"), ""},
	"a new requirement":        {"go.mod requires what is allowed", withRequirements("example.org/x v1.0.0"), "the root module requires example.org/x"},
	"an indirect requirement":  {"go.mod requires what is allowed", withRequirements("example.org/x v1.0.0 // indirect"), ""},
	"a requirement that went":  {"go.mod requires what is allowed", one("a.go", "package moldau\n"), "does not require " + kmsg + " any more"},
	"a replaced module":        {"no go.mod replaces or excludes", map[string]string{"go.mod": rootModule + "replace a => ../a\n"}, "go.mod: replace a => ../a"},
	"replaced in a block":      {"no go.mod replaces or excludes", map[string]string{"go.mod": rootModule, "bench/go.mod": "module x\nreplace (\n\ta => ../a\n)\n"}, "bench/go.mod: replace a"},
	"nothing replaced":         {"no go.mod replaces or excludes", withRequirements("example.org/replace v1.0.0"), ""},
	"outside the workspace":    {"every module is in the workspace", map[string]string{"go.mod": rootModule, "bench/go.mod": "module " + module + "/bench\n", "go.work": "go 1.26\nuse .\n"}, "bench/go.mod: go.work does not use"},
	"a module of another name": {"every module is in the workspace", map[string]string{"go.mod": rootModule, "bench/go.mod": "module example.org/bench\n"}, "is named " + module + "/bench"},
	"inside the workspace":     {"every module is in the workspace", map[string]string{"go.mod": rootModule, "bench/go.mod": "module " + module + "/bench\n", "go.work": "go 1.26\nuse (\n\t.\n\t./bench\n)\n"}, ""},
}

const header = "// Purpose: x.\n// Parent: x.\n// Children: x.\n// Messages: x.\n// Restart: x.\n// Crash: x.\n"

func withRequirements(more string) map[string]string {
	text := rootModule + "require (\n"
	for _, allowed := range allowedRequirements {
		text += "\t" + allowed + " v1.0.0\n"
	}
	return map[string]string{"go.mod": text + "\t" + more + "\n)\n"}
}

// Every rule has a violation that it finds and a checkout about which it is silent.
func TestEveryRuleIsPlanted(t *testing.T) {
	for name := range rules {
		red, silent := 0, 0
		for _, p := range planted {
			if p.rule == name && p.problem == "" {
				silent++
			} else if p.rule == name {
				red++
			}
		}
		require.NotZero(t, red, "nothing planted turns %q red", name)
		require.NotZero(t, silent, "nothing planted leaves %q silent", name)
	}
}

// In a repository only what git tracks or would track counts.
func TestForeignWordsLeavesIgnoredFilesAlone(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	c := plant(t, map[string]string{"go.mod": rootModule, ".gitignore": "ignored\n", "ignored": "/root" + "/x", "seen": "/root" + "/x"})
	require.NoError(t, exec.Command("git", "-C", c.dir, "init", "-q").Run())
	problems := foreignWords(c)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0], "seen:1")
}
