// Command moduleproxy makes a file module proxy out of a checkout: every module in
// it under one version, from the files that git tracks or would track. The go
// command reads it with GOPROXY=file://OUT, which proves what users get before
// anything is tagged.
//
//	go run ./scripts/moduleproxy -version v0.1.0 -out DIR
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	root := flag.String("root", ".", "the checkout")
	out := flag.String("out", "", "the folder to write the proxy to")
	version := flag.String("version", "v0.1.0", "the version that every module gets")
	flag.Parse()
	if err := run(*root, *out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "moduleproxy:", err)
		os.Exit(1)
	}
}

func run(root, out, version string) error {
	if out == "" {
		return fmt.Errorf("-out names no folder")
	}
	files, err := tracked(root)
	if err != nil {
		return err
	}
	modules, err := split(root, files)
	if err != nil {
		return err
	}
	for _, m := range modules {
		if err := m.publish(root, out, version); err != nil {
			return fmt.Errorf("%s: %w", m.path, err)
		}
		fmt.Printf("%s@%s (%d files)\n", m.path, version, len(m.files))
	}
	return nil
}

// tracked lists the files that git tracks or would track, those without the ones
// that are deleted in the working tree.
func tracked(root string) ([]string, error) {
	list, err := exec.Command("git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	return strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 }), nil
}
